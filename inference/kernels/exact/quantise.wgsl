// a = min(round_shift(z, e), 2^bits - 1), e = max(bit length of max|z| - bits, 0), for each row.
// z (T, K); output (T, K + 4): e after the values, and zeros. One workgroup a row.
struct Params {
    columns: u32, // K
    bits: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<i32>;
@group(0) @binding(2) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;
var<workgroup> largest: atomic<u32>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // Set by hand: zero-initialisation was seen to fail from the second workgroup on (wgpu-native on lavapipe 25).
    if (lane == 0u) {
        atomicStore(&largest, 0u);
    }
    workgroupBarrier();
    let row = group.x * params.columns;
    let to = group.x * (params.columns + 4u);
    var most = 0u;
    for (var i = lane; i < params.columns; i += lanes) { most = max(most, u32(abs(z[row + i]))); }
    atomicMax(&largest, most);
    workgroupBarrier();
    let exponent = max(bit_length(atomicLoad(&largest)) - i32(params.bits), 0i);
    for (var i = lane; i < params.columns; i += lanes) {
        output[to + i] = min(round_shift(z[row + i], exponent), (1i << params.bits) - 1i);
    }
    for (var i = lane; i < 4u; i += lanes) { output[to + params.columns + i] = select(0i, exponent, i == 0u); }
}
