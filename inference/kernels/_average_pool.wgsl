// The mean of each square of four pixels; formula in ops/average_pool.py.
// x (.., width, channels); output (.., width / 2, channels). One invocation a word, by a kernel's mean(four).
struct Params {
    words: u32, // of the output
    width: u32, // of x
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
    let half = params.width / 2u;
    let at = (pixel / half * 2u * params.width + pixel % half * 2u) * params.channels + i % params.channels;
    let below = at + params.width * params.channels;
    output[i] = mean(vec4<Word>(x[at], x[at + params.channels], x[below], x[below + params.channels]));
}
