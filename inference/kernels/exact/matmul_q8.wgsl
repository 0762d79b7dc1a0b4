// y[t, n] = sum_k W[n, k] a[t, k] (+ residual), W in blocks of 32: per block mul16(sum q·a, D).
// a (T, K); q [tile of 8 rows][block][half][lane] of 16 bytes;
// blocks [tile][block][lane]; rows (N, 2); residual and output (T, N).
// Sums of |q·a| over a block stay below 2^28.
// An invocation makes 4 rows of y, 8 apart, of one token: activations are read once for the four.
struct Params {
    columns: u32,        // K
    outputs: u32,        // N
    bits: u32,           // to which rows of a are narrowed; 0: they are as they are
    residual_shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> q: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> blocks: array<i32>;
@group(0) @binding(4) var<storage, read> rows: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> residual: array<i32>;
@group(0) @binding(6) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;
var<workgroup> most: atomic<u32>;

// Four weights times four activations.
fn four(word: u32, x: vec4<i32>) -> i32 {
    return dot(bytes(word), x);
}

// One block of one row: x its activations.
fn term(first: vec4<u32>, second: vec4<u32>, step: i32, x: array<vec4<i32>, 8>) -> i32 {
    let low = four(first.x, x[0]) + four(first.y, x[1]) + four(first.z, x[2]) + four(first.w, x[3]);
    let high = four(second.x, x[4]) + four(second.y, x[5]) + four(second.z, x[6]) + four(second.w, x[7]);
    return multiply_shift(low + high, step, 16u);
}

// The exponent that the activations of a token share: one workgroup, one token.
fn exponent(id: vec3<u32>, lane: u32) -> i32 {
    if (params.bits == 0u) { return 0i; }
    if (lane == 0u) { atomicStore(&most, 0u); }
    workgroupBarrier();
    let vectors = params.columns / 4u;
    var largest = vec4<u32>(0u);
    for (var i = lane; i < vectors; i += lanes) { largest = max(largest, vec4<u32>(abs(a[id.y * vectors + i]))); }
    atomicMax(&most, max(max(largest.x, largest.y), max(largest.z, largest.w)));
    workgroupBarrier();
    return shared_exponent(vec4<u32>(atomicLoad(&most)), params.bits);
}

fn loaded(at: u32, e: i32) -> vec4<i32> {
    return narrowed(a[at], e, params.bits);
}

// The accumulators of the four rows.
fn accumulate(id: vec3<u32>, e: i32) -> vec4<i32> {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    let lane = id.x % 8u;
    let tile = vec4<u32>(id.x / 8u * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    // Tiles beyond the last read the last and write nothing.
    var block = min(tile, vec4<u32>(last)) * count;
    var from_ = id.y * (params.columns / 4u);
    var acc = vec4<i32>(0i);
    for (var i = 0u; i < count; i++) {
        let x = array<vec4<i32>, 8>(loaded(from_, e), loaded(from_ + 1u, e),
                                    loaded(from_ + 2u, e), loaded(from_ + 3u, e),
                                    loaded(from_ + 4u, e), loaded(from_ + 5u, e),
                                    loaded(from_ + 6u, e), loaded(from_ + 7u, e));
        let at = block * 16u + lane;
        let step = block * 8u + lane;
        acc += vec4<i32>(term(q[at.x], q[at.x + 8u], blocks[step.x], x), term(q[at.y], q[at.y + 8u], blocks[step.y], x),
                         term(q[at.z], q[at.z + 8u], blocks[step.z], x), term(q[at.w], q[at.w + 8u], blocks[step.w], x));
        block += vec4<u32>(1u);
        from_ += 8u;
    }
    return acc;
}

@compute @workgroup_size(lanes)
fn product(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let e = exponent(id, lane);
    let acc = accumulate(id, e);
    for (var r = 0u; r < 4u; r++) {
        let n = (id.x / 8u * 4u + r) * 8u + id.x % 8u;
        if (n < params.outputs) { output[id.y * params.outputs + n] = requantise(acc[r], rows[n], e); }
    }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let e = exponent(id, lane);
    let acc = accumulate(id, e);
    for (var r = 0u; r < 4u; r++) {
        let n = (id.x / 8u * 4u + r) * 8u + id.x % 8u;
        if (n < params.outputs) {
            let y = id.y * params.outputs + n;
            output[y] = requantise(acc[r], rows[n], e) + round_shift(residual[y], params.residual_shift);
        }
    }
}
