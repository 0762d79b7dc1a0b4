// requires: fixed_point, scaled, curved
// Half of the channels times gelu of the others; formula and bounds in ops/geglu.py.
// x (.., 2 channels); scale: largest, exponent; curve (257); output (.., channels). One invocation a word.
struct Params {
    words: u32, // of the output
    channels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read> curve: array<i32>;
@group(0) @binding(4) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i >= params.words) { return; }
    let at = i + i / params.channels * params.channels;
    let gate = narrow(curved(x[at + params.channels], scale[0].y), narrowing(scale[0], 30i), 30u);
    output[i] = multiply_shift(gate, narrow(x[at], narrowing(scale[0], 15i), 15u), 15u);
}
