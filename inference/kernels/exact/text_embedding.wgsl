// x[t, k] = E[token[t], k] + P[t, k], 15 bits and a sign each.
// tokens (T); table (V, K) and positions (P, K), two a word, the first low; output (T, K).
// One invocation a value.
struct Params {
    count: u32,   // T·K
    columns: u32, // K
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<i32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

fn half(word: u32, at: u32) -> i32 {
    return (bitcast<i32>(word) << (16u - 16u * (at % 2u))) >> 16u;
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.count) { return; }
    let column = id.x % params.columns;
    let row = u32(tokens[id.x / params.columns]) * params.columns + column;
    output[id.x] = half(table[row / 2u], row) + half(positions[id.x / 2u], id.x);
}
