// A block of a row of 4-bit weights.
struct Weights {
    q: vec4<u32>,
    step: u32, // D low, M high
}

// Of lane `lane` of a tile's block, counted over all tiles.
fn weights_at(block: u32, lane: u32) -> Weights {
    return Weights(q[block * 8u + lane], blocks[block * 8u + lane]);
}
