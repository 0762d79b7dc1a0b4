// The largest |x| of every part of a tensor; one workgroup a part. The max does not depend on order.
struct Params {
    words: u32, // of x
    part: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;
var<workgroup> largest: atomic<i32>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // Set by hand: zero-initialisation was seen to fail from the second workgroup on (wgpu-native on lavapipe 25).
    if (lane == 0u) { atomicStore(&largest, 0i); }
    workgroupBarrier();
    var most = 0i;
    let end = min((group.x + 1u) * params.part, params.words);
    for (var i = group.x * params.part + lane; i < end; i += lanes) { most = max(most, abs(x[i])); }
    atomicMax(&largest, most);
    workgroupBarrier();
    if (lane == 0u) { output[group.x] = atomicLoad(&largest); }
}
