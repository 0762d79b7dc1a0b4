// requires: tile
// y[t, n] = sum_k W[n, k] a[t, k] (+ residual) of many tokens on GPUs, weights of 4 bits unpacked once for 64 tokens.
// q [tile of 8 rows][block][lane] of 32 nibbles; blocks [tile][block][lane] of d and m.
@group(0) @binding(3) var<storage, read> blocks: array<vec2<f32>>;

fn weights_at(row: u32, column: u32) -> vec4<f32> {
    let at = (row / 8u * (params.columns / 32u) + column / 32u) * 8u + row % 8u;
    let word = q[at][column % 32u / 8u] >> (column % 8u * 4u);
    let digits = vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u));
    return blocks[at].x * digits + vec4<f32>(blocks[at].y);
}
