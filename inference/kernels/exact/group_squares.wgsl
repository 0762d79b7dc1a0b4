// requires: fixed_point, scaled, pairs
// Sums of each line's squared distances from the mean, by group; formula in ops/group_squares.py.
// x (height, width, channels); mean (groups); scale: largest, exponent; output (height, 2 groups). One invocation a line and group.
struct Params {
    height: u32,
    width: u32,
    channels: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> mean: array<i32>;
@group(0) @binding(3) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(4) var<storage, read_write> output: array<u32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.height * params.groups) { return; }
    let line = id.x / params.groups;
    let group = id.x % params.groups;
    let each = params.channels / params.groups;
    let n = narrowing(scale[0], 29i);
    let middle = mean[group];
    var total = vec2<u32>(0u);
    var at = line * params.width * params.channels + group * each;
    for (var i = 0u; i < params.width; i++) {
        for (var c = 0u; c < each; c++) {
            let d = round_shift(narrow(x[at + c], n, 29u) - middle, 15i);
            total = plus(total, vec2<u32>(0u, u32(d * d)));
        }
        at += params.channels;
    }
    let to = line * 2u * params.groups + group;
    output[to] = total.x;
    output[to + params.groups] = total.y;
}
