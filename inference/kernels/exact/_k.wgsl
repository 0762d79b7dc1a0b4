// Weights of 8 bits, a step of each half of a block: what every matmul_k binds.
// a (T, K); q [tile of 8 rows][block][half][lane] of 16 bytes; blocks [tile][block][lane], D of the first half low and of the second
// high, then M low; rows (N, 2); residual and output (T, N).
struct Params {
    tokens: u32,         // T
    columns: u32,        // K
    outputs: u32,        // N
    bits: u32,           // to which rows of a are narrowed; 0: they are as they are
    unscaled: u32,       // 1: y stays at the exponent of its row of a
    residual_shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> q: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> blocks: array<vec2<i32>>;
@group(0) @binding(4) var<storage, read> rows: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> residual: array<i32>;
@group(0) @binding(6) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

// D of either half of a block, and M.
fn steps_at(block: u32) -> vec3<i32> {
    let both = blocks[block];
    return vec3<i32>((both.x << 16u) >> 16u, both.x >> 16u, (both.y << 16u) >> 16u);
}

// What a block of a row adds, of sums of q·a over its halves and of a over all of it.
fn weighted(first: i32, second: i32, total: i32, steps: vec3<i32>) -> i32 {
    return multiply_shift(first, steps.x, 15u) + multiply_shift(second, steps.y, 15u) + multiply_shift(total, steps.z, 11u);
}
