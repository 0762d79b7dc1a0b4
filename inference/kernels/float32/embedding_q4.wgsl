// requires: word, embedding
// Of 4 bits: q·d + m.
// blocks [tile][block][lane], d and m.

fn weight(row: u32, column: u32) -> f32 {
    let at = block_of(row, column) * 8u + row % 8u;
    return f32(nibble(row, column)) * blocks[2u * at] + blocks[2u * at + 1u];
}
