// matmul_q4 where subgroups have 8 lanes or more: the same bits. A lane loads 4 activations of a block and the others read them
// from it.
// a (T, K); q [tile of 8 rows][block][lane] of 32 nibbles;
// blocks [tile][block][lane], D low and M high; rows (N, 2); residual and output (T, N).
// Products are f32 and exact: sums of |q·a| over a block stay below 2^24, so neither order nor fusion matters.
// An invocation makes 4 rows of y, 8 apart, of one token: activations are read once for the four.
// A gate: rows in pairs of 8 gates and their 8 ups; output (T, N / 2) of silu(gate)·up.
// Heads: rows 2i and 2i + 1 rotated by the token's position; output (T, N), and rows of a cache: sequence·capacity + position.
struct Params {
    columns: u32,        // K
    outputs: u32,        // N
    bits: u32,           // to which rows of a are narrowed; 0: they are as they are
    residual_shift: i32,
    fraction: u32,       // of gate and up, in bits
    turned: u32,         // rows of heads, which are rotated; the rest are copied
    head_width: u32,
    capacity: u32,       // positions a sequence has in the cache; 0: there is none
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> q: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> blocks: array<u32>;
@group(0) @binding(4) var<storage, read> rows: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> residual: array<i32>;
@group(0) @binding(6) var<storage, read_write> output: array<i32>;
@group(0) @binding(7) var<storage, read> curve: array<i32>;
@group(0) @binding(8) var<storage, read> table: array<vec2<i32>>;
@group(0) @binding(9) var<storage, read> places: array<vec2<u32>>;
@group(0) @binding(10) var<storage, read_write> state: array<i32>;
override lanes: u32 = 64u;

fn nibbles(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4<i32>(bitcast<i32>(word)) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<i32>(15i));
}

// One block of one row: x its activations, total their sum.
fn term(weights: vec4<u32>, step: u32, x: array<vec4<f32>, 8>, total: i32) -> i32 {
    let first = dot(nibbles(weights.x), x[0]) + dot(nibbles(weights.x >> 16u), x[1]);
    let second = dot(nibbles(weights.y), x[2]) + dot(nibbles(weights.y >> 16u), x[3]);
    let third = dot(nibbles(weights.z), x[4]) + dot(nibbles(weights.z >> 16u), x[5]);
    let fourth = dot(nibbles(weights.w), x[6]) + dot(nibbles(weights.w >> 16u), x[7]);
    let products = whole(first) + whole(second) + whole(third) + whole(fourth);
    return multiply_shift(products, bitcast<i32>(step << 16u) >> 16u, 15u) + multiply_shift(total, bitcast<i32>(step) >> 16u, 11u);
}

// The exponent that the activations of a token share.
fn exponent(id: vec3<u32>, part: u32) -> i32 {
    if (params.bits == 0u) { return 0i; }
    let vectors = params.columns / 4u;
    var largest = vec4<u32>(0u);
    for (var i = part; i < vectors; i += 8u) { largest = max(largest, vec4<u32>(abs(a[id.y * vectors + i]))); }
    return shared_exponent(subgroupMax(largest), params.bits);
}

// The accumulators of the four rows.
fn accumulate(id: vec3<u32>, part: u32, e: i32) -> vec4<i32> {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    let lane = id.x % 8u;
    let tile = vec4<u32>(id.x / 8u * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    // Tiles beyond the last read the last and write nothing.
    var at = min(tile, vec4<u32>(last)) * count * 8u + lane;
    var from_ = id.y * (params.columns / 4u);
    var acc = vec4<i32>(0i);
    for (var block = 0u; block < count; block++) {
        let mine = vec4<f32>(narrowed(a[from_ + part], e, params.bits));
        let x = array<vec4<f32>, 8>(subgroupBroadcast(mine, 0u), subgroupBroadcast(mine, 1u),
                                    subgroupBroadcast(mine, 2u), subgroupBroadcast(mine, 3u),
                                    subgroupBroadcast(mine, 4u), subgroupBroadcast(mine, 5u),
                                    subgroupBroadcast(mine, 6u), subgroupBroadcast(mine, 7u));
        let total = whole(dot(x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7], vec4<f32>(1.0)));
        acc += vec4<i32>(term(q[at.x], blocks[at.x], x, total), term(q[at.y], blocks[at.y], x, total),
                         term(q[at.z], blocks[at.z], x, total), term(q[at.w], blocks[at.w], x, total));
        at += vec4<u32>(8u);
        from_ += 8u;
    }
    return acc;
}

// Put out a row of a head, rotated with the one beside it, or another row as it is.
fn put(mine: i32, other: i32, n: u32, token: u32, place: vec2<u32>) {
    var y = mine;
    if (n < params.turned) {
        y = rotated(mine, other, n, table[place.y * (params.head_width / 2u) + n % params.head_width / 2u]);
    }
    output[token * params.outputs + n] = y;
    if (params.capacity > 0u) { state[(place.x * params.capacity + place.y) * params.outputs + n] = y; }
}

@compute @workgroup_size(lanes)
fn product(@builtin(global_invocation_id) id: vec3<u32>, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
    let e = exponent(id, subgroup_lane % 8u);
    let acc = accumulate(id, subgroup_lane % 8u, e);
    for (var r = 0u; r < 4u; r++) {
        let n = (id.x / 8u * 4u + r) * 8u + id.x % 8u;
        if (n < params.outputs) { output[id.y * params.outputs + n] = requantise(acc[r], rows[n], e); }
    }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(global_invocation_id) id: vec3<u32>, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
    let e = exponent(id, subgroup_lane % 8u);
    let acc = accumulate(id, subgroup_lane % 8u, e);
    for (var r = 0u; r < 4u; r++) {
        let n = (id.x / 8u * 4u + r) * 8u + id.x % 8u;
        if (n < params.outputs) {
            let y = id.y * params.outputs + n;
            output[y] = requantise(acc[r], rows[n], e) + round_shift(residual[y], params.residual_shift);
        }
    }
}

@compute @workgroup_size(lanes)
fn product_and_gate(@builtin(global_invocation_id) id: vec3<u32>, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
    let e = exponent(id, subgroup_lane % 8u);
    let acc = accumulate(id, subgroup_lane % 8u, e);
    for (var r = 0u; r < 4u; r += 2u) {
        let n = (id.x / 8u * 4u + r) * 8u + id.x % 8u;
        if (n < params.outputs) {
            let g = requantise(acc[r], rows[n], e);
            let u = requantise(acc[r + 1u], rows[n + 8u], e);
            let i = curve_place(g, params.fraction);
            output[id.y * (params.outputs / 2u) + n / 16u * 8u + n % 8u] =
                gated(g, u, curve[i], curve[min(i + 1u, 256u)], params.fraction);
        }
    }
}

@compute @workgroup_size(lanes)
fn product_and_rotation(@builtin(global_invocation_id) id: vec3<u32>, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
    let e = exponent(id, subgroup_lane % 8u);
    let acc = accumulate(id, subgroup_lane % 8u, e);
    let place = places[id.y];
    for (var r = 0u; r < 4u; r++) {
        let n = (id.x / 8u * 4u + r) * 8u + id.x % 8u;
        let y = requantise(acc[r], rows[min(n, params.outputs - 1u)], e);
        let other = subgroupShuffle(y, subgroup_lane ^ 1u);
        if (n < params.outputs) { put(y, other, n, id.y, place); }
    }
}
