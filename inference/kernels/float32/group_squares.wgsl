// Sums of each line's squared distances from the mean, by group: x (height, width, channels); mean (groups); output (height, groups).
// One invocation a line and group.
struct Params {
    height: u32,
    width: u32,
    channels: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.height * params.groups) { return; }
    let each = params.channels / params.groups;
    let middle = mean[id.x % params.groups];
    var total = 0.0;
    var at = id.x / params.groups * params.width * params.channels + id.x % params.groups * each;
    for (var i = 0u; i < params.width; i++) {
        for (var c = 0u; c < each; c++) {
            let d = x[at + c] - middle;
            total += d * d;
        }
        at += params.channels;
    }
    output[id.x] = total;
}
