// requires: wide_bytes
// y[t, n] = sum_k W[n, k] a[t, k] (+ residual) of few tokens on GPUs, W in blocks of 32: per block d·sum q·a.
// a (T, K); q [tile of 8 rows][block][half][lane] of 16 bytes; blocks [tile][block][lane]; residual and output (T, N).
@group(0) @binding(3) var<storage, read> blocks: array<f32>;

// A block of one row, from where its weights, its step and its activations lie.
fn term(at: u32, step: u32, x: u32) -> f32 {
    return blocks[step] * (half(q[at], x) + half(q[at + 8u], x + 4u));
}
