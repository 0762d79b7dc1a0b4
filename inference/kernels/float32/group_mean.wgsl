// The means of groups: sums (height, groups); output (groups). One invocation a group.
struct Params {
    height: u32,
    groups: u32,
    count: u32, // terms of a group
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.groups) { return; }
    var total = 0.0;
    for (var line = 0u; line < params.height; line++) { total += sums[line * params.groups + id.x]; }
    output[id.x] = total / f32(params.count);
}
