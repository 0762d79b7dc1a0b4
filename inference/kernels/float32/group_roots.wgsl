// The inverse deviations of groups: squares (height, groups); output (groups). One invocation a group.
struct Params {
    height: u32,
    groups: u32,
    count: u32, // terms of a group
    epsilon: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> squares: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.groups) { return; }
    var total = 0.0;
    for (var line = 0u; line < params.height; line++) { total += squares[line * params.groups + id.x]; }
    output[id.x] = inverseSqrt(total / f32(params.count) + params.epsilon);
}
