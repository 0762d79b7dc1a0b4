// requires: rows_bytes
// y[t, n] = sum_k W[n, k] a[t, k] (+ residual), W in blocks of 32: per block d·sum q·a.
// a (T, K); q [tile of 8 rows][block][half][lane] of 16 bytes; blocks [tile][block][lane]; residual and output (T, N).
@group(0) @binding(3) var<storage, read> blocks: array<f32>;

// One block of one row: x its activations.
fn term(first: vec4<u32>, second: vec4<u32>, at: u32, x: array<vec4<f32>, 8>) -> f32 {
    let low = dot(bytes(first.x), x[0]) + dot(bytes(first.y), x[1]) + dot(bytes(first.z), x[2]) + dot(bytes(first.w), x[3]);
    let high = dot(bytes(second.x), x[4]) + dot(bytes(second.y), x[5]) + dot(bytes(second.z), x[6]) + dot(bytes(second.w), x[7]);
    return blocks[at] * (low + high);
}
