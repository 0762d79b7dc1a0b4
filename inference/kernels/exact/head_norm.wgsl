// requires: fixed_point
// RMSNorm of heads in integers, as rms_norm of rows; what is copied is in whole heads too.
// x (T, W), heads from column `offset` on; gain (head); output (T, width). One workgroup a head and row.
struct Params {
    columns: u32,      // W
    offset: u32,
    width: u32,        // columns of the output
    head_width: u32,
    heads: u32,        // normed; those after them are copied
    square_shift: u32, // bits taken from every square
    constant: u32,     // sqrt(head / 2^square_shift) · 2^c
    epsilon: u32,      // epsilon·head in the units of x, squared
    root_shift: i32,
    gain_shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> gain: array<i32>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;
var<workgroup> largest: atomic<u32>;
var<workgroup> total: atomic<u32>;

// floor(sqrt(s)), s >= 2^30: 16 bits, one at a time.
fn square_root(s: u32) -> u32 {
    var root = 0u;
    for (var bit = 32768u; bit > 0u; bit >>= 1u) {
        let trial = root | bit;
        if (trial * trial <= s) { root = trial; }
    }
    return root;
}

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // Set by hand: zero-initialisation was seen to fail from the second workgroup on (wgpu-native on lavapipe 25).
    if (lane == 0u) {
        atomicStore(&largest, 0u);
        atomicStore(&total, 0u);
    }
    workgroupBarrier();
    let row = group.y * params.columns + params.offset + group.x * params.head_width;
    let to = group.y * params.width + group.x * params.head_width;
    var most = 0u;
    for (var i = lane; i < params.head_width; i += lanes) { most = max(most, u32(abs(x[row + i]))); }
    atomicMax(&largest, most);
    workgroupBarrier();

    let n = max(bit_length(atomicLoad(&largest)), 11i);
    let s = n - 15i;
    var sum = 0u;
    for (var i = lane; i < params.head_width; i += lanes) {
        let short = select(x[row + i] << u32(max(-s, 0i)), x[row + i] >> u32(max(s, 0i)), s >= 0i);
        sum += (u32(short * short) + (1u << (params.square_shift - 1u))) >> params.square_shift;
    }
    atomicAdd(&total, sum);
    workgroupBarrier();

    let squares = max(atomicLoad(&total) + (params.epsilon >> u32(min(2i * s + i32(params.square_shift), 31i))), 1u);
    let k = countLeadingZeros(squares) & ~1u;
    let root = square_root(squares << k);
    let inverse = i32((params.constant + (root >> 1u)) / root);
    let shift = params.root_shift - i32(k / 2u);
    for (var i = lane; i < params.head_width; i += lanes) {
        let aligned = select(x[row + i] >> 1u, x[row + i] << u32(max(30i - n, 0i)), n <= 30i);
        let y = round_shift(multiply_shift(aligned, inverse, 16u), shift);
        output[to + i] = select(x[row + i], round_shift(y * gain[i], params.gain_shift), group.x < params.heads);
    }
}
