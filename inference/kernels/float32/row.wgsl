// y = x[index], one invocation a value.
// x (T, K); output (1, K).
struct Params {
    columns: u32, // K
    index: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.columns) { return; }
    output[id.x] = x[params.index * params.columns + id.x];
}
