// y = (x - mean) · root · gain + bias, and silu of it: x (.., channels); mean, roots (groups); affine (2, channels); output as x.
struct Params {
    words: u32, // of x
    channels: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> roots: array<f32>;
@group(0) @binding(4) var<storage, read> affine: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

fn transformed(i: u32) -> f32 {
    let channel = i % params.channels;
    let group = channel / (params.channels / params.groups);
    return (x[i] - mean[group]) * roots[group] * affine[channel] + affine[channel + params.channels];
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i < params.words) { output[i] = transformed(i); }
}

@compute @workgroup_size(lanes)
fn with_silu(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i >= params.words) { return; }
    let y = transformed(i);
    output[i] = y / (1.0 + exp(-max(y, -80.0)));
}
