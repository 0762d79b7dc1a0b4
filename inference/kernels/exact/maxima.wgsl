// The largest |x| of every part of a tensor; one invocation a part. The max does not depend on order.
struct Params {
    words: u32, // of x
    part: u32,
    parts: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.parts) { return; }
    var most = 0i;
    let end = min((id.x + 1u) * params.part, params.words);
    for (var i = id.x * params.part; i < end; i++) { most = max(most, abs(x[i])); }
    output[id.x] = most;
}
