// Weights of 4 bits times half words, in f32 and exact: |q·a| over a block stays below 2^24, in any order, fused or not.

fn eighth(word: u32, x: vec4<u32>) -> f32 {
    return dot(nibbles(word), low_halves(x)) + dot(nibbles(word >> 16u), high_halves(x));
}

// sum q·a of a block.
fn products(q: vec4<u32>, a: Activations) -> i32 {
    return i32(eighth(q.x, a.x[0]) + eighth(q.y, a.x[1]) + eighth(q.z, a.x[2]) + eighth(q.w, a.x[3]));
}
