// requires: fixed_point, scaled, curved
// A group norm's last pass; formula and bounds in ops/group_norm.py.
// x (.., channels); mean (groups); roots (2, groups); affine (2, channels); scales: largest, exponent; curve (257); output as x.
struct Params {
    words: u32, // of x
    channels: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> mean: array<i32>;
@group(0) @binding(3) var<storage, read> roots: array<i32>;
@group(0) @binding(4) var<storage, read> affine: array<i32>;
@group(0) @binding(5) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(6) var<storage, read> affine_scale: array<vec2<i32>>;
@group(0) @binding(7) var<storage, read> curve: array<i32>;
@group(0) @binding(8) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

// Word i before an activation; affine's words are at exponent.
fn transformed(i: u32, m: i32) -> i32 {
    let channel = i % params.channels;
    let group = channel / (params.channels / params.groups);
    let d = narrow(x[i], narrowing(scale[0], 29i), 29u) - mean[group];
    let shift = 19i + roots[group + params.groups];
    let y = clamp(moved(multiply_shift(d, roots[group], 16u), shift), -32767i, 32767i);
    return y * narrow(affine[channel], m, 15u) + (narrow(affine[channel + params.channels], m, 15u) << 10u);
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i >= params.words) { return; }
    output[i] = transformed(i, narrowing(affine_scale[0], 15i));
}

@compute @workgroup_size(lanes)
fn with_silu(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i >= params.words) { return; }
    let m = narrowing(affine_scale[0], 15i);
    output[i] = curved(transformed(i, m), affine_scale[0].y + m - 10i);
}
