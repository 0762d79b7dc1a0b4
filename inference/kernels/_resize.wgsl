// Each pixel twice in both directions: x (.., width, channels); output (.., 2 width, channels). One invocation a word.
struct Params {
    words: u32, // of the output
    width: u32,
    channels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Word>;
@group(0) @binding(2) var<storage, read_write> output: array<Word>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i >= params.words) { return; }
    let pixel = i / params.channels;
    let line = pixel / (2u * params.width) / 2u;
    let column = pixel % (2u * params.width) / 2u;
    output[i] = x[(line * params.width + column) * params.channels + i % params.channels];
}
