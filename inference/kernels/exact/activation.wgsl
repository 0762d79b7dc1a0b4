// requires: fixed_point, scaled, curved
// silu, gelu or quick_gelu by a table; formula in ops/activation.py. x; scale: largest, exponent; curve (257); output as x. One invocation a word.
struct Params {
    words: u32,
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
    if (i < params.words) { output[i] = curved(x[i], scale[0].y); }
}
