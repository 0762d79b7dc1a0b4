// Gains and biases that a condition scales and shifts: (g (1 + s), b (1 + s) + t).
// modulation (2, channels), s and t; affine (2, channels), g and b; output (2, channels). One invocation a channel.
struct Params {
    channels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> modulation: array<f32>;
@group(0) @binding(2) var<storage, read> affine: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    let j = i + params.channels;
    if (i >= params.channels) { return; }
    let factor = 1.0 + modulation[i];
    output[i] = affine[i] * factor;
    output[j] = affine[j] * factor + modulation[j];
}
