// requires: wide_bytes
// y[t, n] = sum_k W[n, k] a[t, k] (+ residual) of few tokens on GPUs, W in blocks of 32: per block d·sum q·a of either half and m·sum a.
// a (T, K); q [tile of 8 rows][block][half][lane] of 16 bytes; blocks [tile][block][lane] of d of either half and m; residual and
// output (T, N).
@group(0) @binding(3) var<storage, read> blocks: array<vec4<f32>>; // the last is none

// A block of one row, from where its weights, its steps and its activations lie.
fn term(at: u32, step: u32, x: u32) -> f32 {
    let sums = a[x] + a[x + 1u] + a[x + 2u] + a[x + 3u] + a[x + 4u] + a[x + 5u] + a[x + 6u] + a[x + 7u];
    return dot(blocks[step].xyz, vec3<f32>(half(q[at], x), half(q[at + 8u], x + 4u), dot(sums, vec4<f32>(1.0))));
}
