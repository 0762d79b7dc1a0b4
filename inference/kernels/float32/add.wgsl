// y = x + other.
// x (T, W); other (T, W), or (W) for every row; output (T, W). One invocation a value.
struct Params {
    columns: u32, // W
    others: u32,  // values of other
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> other: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.columns) { return; }
    let at = id.y * params.columns + id.x;
    output[at] = x[at] + other[at % params.others];
}
