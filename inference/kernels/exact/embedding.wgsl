// requires: word, fixed_point, embedding
// Of 8 bits: (q·D + 16·M)·sigma = round_shift(mul16((q·D + 16·M) << 8, mantissa), shift).
// blocks [tile][block][lane], D, or D of the first half low and of the second high, then M low; rows (V, 2).
@group(0) @binding(5) var<storage, read> rows: array<vec2<i32>>;

fn weight(row: u32, column: u32) -> i32 {
    let at = block_of(row, column) * 8u + row % 8u;
    var value = bytes(word_of_8_bits(row, column))[column % 4u];
    if (params.halves == 0u) {
        value *= blocks[at];
    } else {
        let steps = blocks[2u * at];
        value *= select((steps << 16u) >> 16u, steps >> 16u, column % 32u >= 16u);
        value += 16i * ((blocks[2u * at + 1u] << 16u) >> 16u);
    }
    return requantise(value << 8u, rows[row], 0i);
}
