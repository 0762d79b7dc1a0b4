// Weights of 8 bits times half words, four in f32 and exact: 4·127·32767 < 2^24.

fn eighth(first: u32, second: u32, x: vec4<u32>) -> i32 {
    return i32(dot(vec4<f32>(bytes(first)), low_halves(x))) + i32(dot(vec4<f32>(bytes(second)), high_halves(x)));
}

// sum q·a of a block.
fn products(low: vec4<u32>, high: vec4<u32>, a: Activations) -> i32 {
    return eighth(low.x, low.y, a.x[0]) + eighth(low.z, low.w, a.x[1]) + eighth(high.x, high.y, a.x[2]) + eighth(high.z, high.w, a.x[3]);
}
