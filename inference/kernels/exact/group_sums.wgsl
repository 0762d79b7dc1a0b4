// requires: fixed_point, scaled, pairs
// Sums of each line's channels by group; formula in ops/group_sums.py.
// x (height, width, channels); scale: largest, exponent; output (height, 2 groups). One invocation a line and group.
struct Params {
    height: u32,
    width: u32,
    channels: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.height * params.groups) { return; }
    let line = id.x / params.groups;
    let group = id.x % params.groups;
    let each = params.channels / params.groups;
    let n = narrowing(scale[0], 29i);
    var total = vec2<u32>(0u);
    var at = line * params.width * params.channels + group * each;
    for (var i = 0u; i < params.width; i++) {
        for (var c = 0u; c < each; c++) { total = plus(total, pair(round_shift(narrow(x[at + c], n, 29u), 14i))); }
        at += params.channels;
    }
    let to = line * 2u * params.groups + group;
    output[to] = total.x;
    output[to + params.groups] = total.y;
}
