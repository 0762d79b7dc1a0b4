// Channels side by side: x (.., channels); z (.., channels_z); one invocation a word.
struct Params {
    words: u32, // of the output
    channels: u32,
    channels_z: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i >= params.words) { return; }
    let both = params.channels + params.channels_z;
    let channel = i % both;
    if (channel < params.channels) {
        output[i] = x[i / both * params.channels + channel];
    } else {
        output[i] = z[i / both * params.channels_z + channel - params.channels];
    }
}
