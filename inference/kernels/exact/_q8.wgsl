// Weights of 8 bits: what every matmul_q8 binds.
// a (T, K); q [tile of 8 rows][block][half][lane] of 16 bytes; blocks [tile][block][lane]; rows (N, 2);
// residual and output (T, N).
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
@group(0) @binding(3) var<storage, read> blocks: array<i32>;
@group(0) @binding(4) var<storage, read> rows: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> residual: array<i32>;
@group(0) @binding(6) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;
