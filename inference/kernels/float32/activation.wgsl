// requires: gelu
// silu, gelu or quick_gelu of x; output as x. One invocation a word.
struct Params {
    words: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i < params.words) { output[i] = x[i] / (1.0 + exp(-max(x[i], -80.0))); }
}

@compute @workgroup_size(lanes)
fn quick_gelu(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i < params.words) { output[i] = x[i] / (1.0 + exp(-max(1.702 * x[i], -80.0))); }
}

@compute @workgroup_size(lanes)
fn gelu_of(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i < params.words) { output[i] = gelu(x[i]); }
}
