// requires: tile
// y[t, n] = sum_k W[n, k] a[t, k] (+ residual) of many tokens on GPUs, weights of 8 bits unpacked once for 64 tokens.
// q [tile of 8 rows][block][half][lane] of 16 bytes; blocks [tile][block][lane] of d of either half and m.
@group(0) @binding(3) var<storage, read> blocks: array<vec4<f32>>; // the last is none

fn weights_at(row: u32, column: u32) -> vec4<f32> {
    let block = row / 8u * (params.columns / 32u) + column / 32u;
    let half = column % 32u / 16u;
    let word = bitcast<i32>(q[block * 16u + half * 8u + row % 8u][column % 16u / 4u]);
    let digits = vec4<f32>((vec4<i32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
    return blocks[block * 8u + row % 8u][half] * digits + vec4<f32>(blocks[block * 8u + row % 8u].z);
}
