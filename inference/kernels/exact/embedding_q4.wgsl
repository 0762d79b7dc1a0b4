// requires: word, fixed_point, embedding
// Of 4 bits: (q·D + 16·M)·sigma = round_shift(mul16((q·D + 16·M) << 8, mantissa), shift).
// blocks [tile][block][lane], D low and M high; rows (V, 2).
@group(0) @binding(5) var<storage, read> rows: array<vec2<i32>>;

fn weight(row: u32, column: u32) -> i32 {
    let steps = blocks[block_of(row, column) * 8u + row % 8u];
    let value = i32(nibble(row, column)) * ((steps << 16u) >> 16u) + 16i * (steps >> 16u);
    return requantise(value << 8u, rows[row], 0i);
}
