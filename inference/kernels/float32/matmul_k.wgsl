// requires: rows_bytes
// y[t, n] = sum_k W[n, k] a[t, k] (+ residual), W in blocks of 32: per block d·sum q·a of either half and m·sum a.
// a (T, K); q [tile of 8 rows][block][half][lane] of 16 bytes; blocks [tile][block][lane] of d of either half and m; residual and
// output (T, N).
@group(0) @binding(3) var<storage, read> blocks: array<vec4<f32>>; // the last is none

// One block of one row: x its activations.
fn term(first: vec4<u32>, second: vec4<u32>, at: u32, x: array<vec4<f32>, 8>) -> f32 {
    let low = dot(bytes(first.x), x[0]) + dot(bytes(first.y), x[1]) + dot(bytes(first.z), x[2]) + dot(bytes(first.w), x[3]);
    let high = dot(bytes(second.x), x[4]) + dot(bytes(second.y), x[5]) + dot(bytes(second.z), x[6]) + dot(bytes(second.w), x[7]);
    let total = dot(x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7], vec4<f32>(1.0));
    return dot(blocks[at].xyz, vec3<f32>(low, high, total));
}
