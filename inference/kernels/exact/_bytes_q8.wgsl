// Weights of 8 bits times bytes: the low ones are summed over a block.

fn counted(x: vec4<i32>) -> vec4<i32> {
    return x & vec4<i32>(255i);
}

// sum q·a of a block.
fn products(low: vec4<u32>, high: vec4<u32>, a: Activations) -> i32 {
    let p = eighth(low.x, low.y, a.x[0]) + eighth(low.z, low.w, a.x[1]) + eighth(high.x, high.y, a.x[2]) + eighth(high.z, high.w, a.x[3]);
    return p.x * 256i + p.y - 128i * a.sum;
}
