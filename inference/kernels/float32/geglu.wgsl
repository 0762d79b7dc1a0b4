// requires: gelu
// Half of the channels times gelu of the others: x (.., 2 channels); output (.., channels). One invocation a word.
struct Params {
    words: u32, // of the output
    channels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i >= params.words) { return; }
    let at = i + i / params.channels * params.channels;
    output[i] = x[at] * gelu(x[at + params.channels]);
}
