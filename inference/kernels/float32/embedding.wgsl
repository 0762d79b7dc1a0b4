// requires: word, embedding
// Of 8 bits: q·d, or q·d + m.
// blocks [tile][block][lane], d, or d of either half and m, in the room of four.

fn weight(row: u32, column: u32) -> f32 {
    let at = block_of(row, column) * 8u + row % 8u;
    let value = f32((bitcast<i32>(word_of_8_bits(row, column)) << (24u - 8u * (column % 4u))) >> 24u);
    if (params.halves == 0u) { return value * blocks[at]; }
    return value * blocks[4u * at + column % 32u / 16u] + blocks[4u * at + 2u];
}
