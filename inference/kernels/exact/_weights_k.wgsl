// A block of a row of 8-bit weights with a step of each half.
struct Weights {
    low: vec4<u32>,
    high: vec4<u32>,
    steps: vec3<i32>,
}

// Of lane `lane` of a tile's block, counted over all tiles.
fn weights_at(block: u32, lane: u32) -> Weights {
    return Weights(q[block * 16u + lane], q[block * 16u + 8u + lane], steps_at(block * 8u + lane));
}
