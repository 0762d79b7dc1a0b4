// x[t, k] = E[token[t], k] + P[t, k].
// tokens (T); table (V, K); positions (P, K); output (T, K). One invocation a value.
struct Params {
    count: u32,   // T·K
    columns: u32, // K
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<i32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read> positions: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.count) { return; }
    let row = u32(tokens[id.x / params.columns]) * params.columns + id.x % params.columns;
    output[id.x] = table[row] + positions[id.x];
}
