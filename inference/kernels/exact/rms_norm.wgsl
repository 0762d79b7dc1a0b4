// requires: fixed_point
// RMSNorm in integers; formula and bounds in ops/rms_norm.py.
// x (T, K) from row `first` on; gain (K); a (T, read); output (T - first, K). One workgroup a row; max and sum do not depend on order.
struct Params {
    columns: u32,      // K
    first: u32,        // row of x that row 0 of the output is
    square_shift: u32, // bits taken from every square
    constant: u32,     // sqrt(K / 2^square_shift) · 2^c
    epsilon: u32,      // epsilon·K in the residual's units, squared
    root_shift: i32,
    gain_shift: i32,
    read: u32,         // columns of a
    bits: u32,         // to which the product that gave x has narrowed rows of a
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> gain: array<i32>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;
@group(0) @binding(4) var<storage, read> a: array<i32>;
override lanes: u32 = 64u;
var<workgroup> largest: atomic<u32>;
var<workgroup> total: atomic<u32>;
var<workgroup> most: atomic<u32>;

// floor(sqrt(s)), s >= 2^30: 16 bits, one at a time.
fn square_root(s: u32) -> u32 {
    var root = 0u;
    for (var bit = 32768u; bit > 0u; bit >>= 1u) {
        let trial = root | bit;
        if (trial * trial <= s) { root = trial; }
    }
    return root;
}

// A row, in units of 2^exponent of those that epsilon is for.
fn normalise(group: vec3<u32>, lane: u32, exponent: i32) {
    // Set by hand: zero-initialisation was seen to fail from the second workgroup on (wgpu-native on lavapipe 25).
    if (lane == 0u) {
        atomicStore(&largest, 0u);
        atomicStore(&total, 0u);
    }
    workgroupBarrier();
    let row = (group.x + params.first) * params.columns;
    var high = 0u;
    for (var i = lane; i < params.columns; i += lanes) { high = max(high, u32(abs(x[row + i]))); }
    atomicMax(&largest, high);
    workgroupBarrier();

    let n = max(bit_length(atomicLoad(&largest)), 11i);
    let s = n - 15i;
    var sum = 0u;
    for (var i = lane; i < params.columns; i += lanes) {
        let short = select(x[row + i] << u32(max(-s, 0i)), x[row + i] >> u32(max(s, 0i)), s >= 0i);
        sum += (u32(short * short) + (1u << (params.square_shift - 1u))) >> params.square_shift;
    }
    atomicAdd(&total, sum);
    workgroupBarrier();

    let squares = max(atomicLoad(&total) + (params.epsilon >> u32(min(2i * (s + exponent) + i32(params.square_shift), 31i))), 1u);
    let k = countLeadingZeros(squares) & ~1u;
    let root = square_root(squares << k);
    let inverse = i32((params.constant + (root >> 1u)) / root);
    let shift = params.root_shift - i32(k / 2u);
    for (var i = lane; i < params.columns; i += lanes) {
        let aligned = select(x[row + i] >> 1u, x[row + i] << u32(max(30i - n, 0i)), n <= 30i);
        let y = round_shift(multiply_shift(aligned, inverse, 16u), shift);
        output[group.x * params.columns + i] = round_shift(y * gain[i], params.gain_shift);
    }
}

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    normalise(group, lane, 0i);
}

// x is a product of rows of a, left at the exponents that they share.
@compute @workgroup_size(lanes)
fn of_unscaled(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (lane == 0u) { atomicStore(&most, 0u); }
    workgroupBarrier();
    let row = (group.x + params.first) * params.read;
    var high = 0u;
    for (var i = lane; i < params.read; i += lanes) { high = max(high, u32(abs(a[row + i]))); }
    atomicMax(&most, high);
    workgroupBarrier();
    normalise(group, lane, shared_exponent(vec4<u32>(atomicLoad(&most)), params.bits));
}
