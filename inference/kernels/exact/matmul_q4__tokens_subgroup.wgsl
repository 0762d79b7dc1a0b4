// matmul_q4 for many tokens where subgroups have 8 lanes or more: the same bits. A lane loads one row's weights of a block and the
// others read them from it. Activations are held as f32: q·a summed over 8 weights stays below 2^22, so every product and sum is
// exact in any order, fused or not.
// a (T, K); q [tile of 8 rows][block][lane] of 32 nibbles;
// blocks [tile][block][lane], D low and M high; rows (N, 2); residual and output (T, N).
// An invocation makes 96 rows of y for 4 tokens, three blocks at a time; a workgroup's invocations share the rows.
// A gate: rows in pairs of 8 gates and their 8 ups; output (T, N / 2) of silu(gate)·up.
// Heads: rows 2i and 2i + 1 rotated by the token's position; output (T, N), and rows of a cache: sequence·capacity + position.
struct Params {
    tokens: u32,         // T
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
const ROWS = 96u;

// A block's activations: 4 by 4, a row a token, and their sums, below 2^20.
struct Block {
    x: array<mat4x4<f32>, 8>,
    sums: vec4<i32>,
}

fn loaded(at: u32, e: i32) -> vec4<f32> {
    return vec4<f32>(narrowed(a[at], e, params.bits));
}

// Four activations of each of four tokens, token by token, turned to a vector of tokens each.
fn turned(at: vec4<u32>, e: vec4<i32>, factor: f32) -> mat4x4<f32> {
    return transpose(mat4x4<f32>(loaded(at.x, e.x), loaded(at.y, e.y), loaded(at.z, e.z), loaded(at.w, e.w))) * factor;
}

// The activations of a block, or zeros beyond the last.
fn activations(from_: vec4<u32>, e: vec4<i32>, block: u32, count: u32) -> Block {
    let at = from_ + vec4<u32>(min(block, count - 1u) * 8u);
    let factor = f32(block < count);
    let x = array<mat4x4<f32>, 8>(turned(at, e, factor), turned(at + 1u, e, factor), turned(at + 2u, e, factor), turned(at + 3u, e, factor),
                                  turned(at + 4u, e, factor), turned(at + 5u, e, factor), turned(at + 6u, e, factor), turned(at + 7u, e, factor));
    let sums = (x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7]) * vec4<f32>(1.0);
    return Block(x, whole4(sums));
}

// Half a word's weights, 4 of 4 bits, times 4 activations of each token.
fn quarter(word: u32, x: mat4x4<f32>) -> vec4<f32> {
    return x * vec4<f32>((vec4<i32>(bitcast<i32>(word)) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<i32>(15i));
}

fn eighth(word: u32, x: mat4x4<f32>, y: mat4x4<f32>) -> vec4<i32> {
    return whole4(quarter(word, x) + quarter(word >> 16u, y));
}

fn multiply_shift4(a: vec4<i32>, m: i32, bits: u32) -> vec4<i32> {
    return (a >> vec4<u32>(bits)) * m + (((a & vec4<i32>((1i << bits) - 1i)) * m) >> vec4<u32>(bits));
}

// One block of one row for four tokens: the weights and scales that `lane` loaded.
fn term(weights: vec4<u32>, scales: u32, lane: u32, block: Block) -> vec4<i32> {
    let w = subgroupShuffle(weights, lane);
    let step = bitcast<i32>(subgroupShuffle(scales, lane));
    let p = eighth(w.x, block.x[0], block.x[1]) + eighth(w.y, block.x[2], block.x[3])
          + eighth(w.z, block.x[4], block.x[5]) + eighth(w.w, block.x[6], block.x[7]);
    return multiply_shift4(p, (step << 16u) >> 16u, 15u) + multiply_shift4(block.sums, step >> 16u, 11u);
}

// Where four tokens' activations begin; tokens beyond the last read the last and write nothing.
fn begins(token: u32) -> vec4<u32> {
    return min(vec4<u32>(token) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.tokens - 1u)) * (params.columns / 4u);
}

// The exponents that the activations of each token share.
fn exponents(token: u32) -> vec4<i32> {
    if (params.bits == 0u) { return vec4<i32>(0i); }
    let from_ = begins(token);
    var t = vec4<u32>(0u);
    var u = vec4<u32>(0u);
    var v = vec4<u32>(0u);
    var w = vec4<u32>(0u);
    for (var i = 0u; i < params.columns / 4u; i++) {
        t = max(t, vec4<u32>(abs(a[from_.x + i])));
        u = max(u, vec4<u32>(abs(a[from_.y + i])));
        v = max(v, vec4<u32>(abs(a[from_.z + i])));
        w = max(w, vec4<u32>(abs(a[from_.w + i])));
    }
    return vec4<i32>(shared_exponent(t, params.bits), shared_exponent(u, params.bits),
                     shared_exponent(v, params.bits), shared_exponent(w, params.bits));
}

// The accumulators of 96 rows from `row` on and the four tokens from `token` on.
fn accumulate(token: u32, row: u32, lane: u32, e: vec4<i32>, acc: ptr<function, array<vec4<i32>, ROWS>>) {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    // Tiles beyond the last read the last and write nothing.
    let from_ = begins(token);
    for (var block = 0u; block < count; block += 3u) {
        let x = activations(from_, e, block, count);
        let y = activations(from_, e, block + 1u, count);
        let z = activations(from_, e, block + 2u, count);
        for (var tile = 0u; tile < ROWS / 8u; tile++) {
            let place = min(row / 8u + tile, last) * count;
            let at = (vec3<u32>(place) + min(vec3<u32>(block) + vec3<u32>(0u, 1u, 2u), vec3<u32>(count - 1u))) * 8u + lane;
            let weights = array<vec4<u32>, 3>(q[at.x], q[at.y], q[at.z]);
            let scales = vec3<u32>(blocks[at.x], blocks[at.y], blocks[at.z]);
            for (var r = 0u; r < 8u; r++) {
                (*acc)[tile * 8u + r] += term(weights[0], scales.x, r, x) + term(weights[1], scales.y, r, y)
                                       + term(weights[2], scales.z, r, z);
            }
        }
    }
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
    let token = id.x * 4u;
    let row = id.y * ROWS;
    var acc: array<vec4<i32>, ROWS>;
    let e = exponents(token);
    accumulate(token, row, subgroup_lane % 8u, e, &acc);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS && row + r < params.outputs; r++) {
            let y = (token + c) * params.outputs + row + r;
            output[y] = requantise(acc[r][c], rows[row + r], e[c]);
        }
    }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(global_invocation_id) id: vec3<u32>, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
    let token = id.x * 4u;
    let row = id.y * ROWS;
    var acc: array<vec4<i32>, ROWS>;
    let e = exponents(token);
    accumulate(token, row, subgroup_lane % 8u, e, &acc);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS && row + r < params.outputs; r++) {
            let y = (token + c) * params.outputs + row + r;
            output[y] = requantise(acc[r][c], rows[row + r], e[c]) + round_shift(residual[y], params.residual_shift);
        }
    }
}

@compute @workgroup_size(lanes)
fn product_and_gate(@builtin(global_invocation_id) id: vec3<u32>, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
    let token = id.x * 4u;
    let row = id.y * ROWS;
    var acc: array<vec4<i32>, ROWS>;
    let e = exponents(token);
    accumulate(token, row, subgroup_lane % 8u, e, &acc);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS / 2u; r++) {
            let pair = r / 8u * 16u + r % 8u;
            let n = row + pair;
            if (n < params.outputs) {
                let g = requantise(acc[pair][c], rows[n], e[c]);
                let u = requantise(acc[pair + 8u][c], rows[n + 8u], e[c]);
                let i = curve_place(g, params.fraction);
                output[(token + c) * (params.outputs / 2u) + row / 2u + r] =
                    gated(g, u, curve[i], curve[min(i + 1u, 256u)], params.fraction);
            }
        }
    }
}

@compute @workgroup_size(lanes)
fn product_and_rotation(@builtin(global_invocation_id) id: vec3<u32>, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
    let token = id.x * 4u;
    let row = id.y * ROWS;
    var acc: array<vec4<i32>, ROWS>;
    let e = exponents(token);
    accumulate(token, row, subgroup_lane % 8u, e, &acc);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        let place = places[token + c];
        for (var r = 0u; r < ROWS && row + r < params.outputs; r += 2u) {
            let n = row + r;
            let x = requantise(acc[r][c], rows[n], e[c]);
            let y = requantise(acc[r + 1u][c], rows[n + 1u], e[c]);
            put(x, y, n, token + c, place);
            put(y, x, n + 1u, token + c, place);
        }
    }
}
