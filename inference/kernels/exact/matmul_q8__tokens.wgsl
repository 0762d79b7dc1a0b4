// matmul_q8 for many tokens: the same bits. Sums of |q·a| over a block stay below 2^28.
// a (T, K); q [tile of 8 rows][block][half][lane] of 16 bytes;
// blocks [tile][block][lane]; rows (N, 2); residual and output (T, N).
// An invocation makes 64 rows of y for 4 tokens; invocations of neighbouring tokens are neighbours.
struct Params {
    tokens: u32,         // T
    quads: u32,          // ceil(T / 4)
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
const ROWS = 64u;

alias Turned = array<vec4<i32>, 4>;

// Four activations of each of four tokens, token by token, turned to four vectors of a token each.
fn turned(x: vec4<u32>, e: vec4<i32>) -> Turned {
    let t = narrowed(a[x.x], e.x, params.bits);
    let u = narrowed(a[x.y], e.y, params.bits);
    let v = narrowed(a[x.z], e.z, params.bits);
    let w = narrowed(a[x.w], e.w, params.bits);
    return Turned(vec4<i32>(t.x, u.x, v.x, w.x), vec4<i32>(t.y, u.y, v.y, w.y), vec4<i32>(t.z, u.z, v.z, w.z), vec4<i32>(t.w, u.w, v.w, w.w));
}

// Four weights times 4 activations of each token.
fn quarter(word: u32, x: Turned) -> vec4<i32> {
    let w = bytes(word);
    return x[0] * w.x + x[1] * w.y + x[2] * w.z + x[3] * w.w;
}

fn multiply_shift4(a: vec4<i32>, m: i32, bits: u32) -> vec4<i32> {
    return (a >> vec4<u32>(bits)) * m + (((a & vec4<i32>((1i << bits) - 1i)) * m) >> vec4<u32>(bits));
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

// The accumulators of 64 rows from `row` on and the four tokens from `token` on.
fn accumulate(token: u32, row: u32, e: vec4<i32>, acc: ptr<function, array<vec4<i32>, ROWS>>) {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    // Tiles beyond the last read the last and write nothing.
    var at = begins(token);
    for (var block = 0u; block < count; block++) {
        let x0 = turned(at, e);
        let x1 = turned(at + 1u, e);
        let x2 = turned(at + 2u, e);
        let x3 = turned(at + 3u, e);
        let x4 = turned(at + 4u, e);
        let x5 = turned(at + 5u, e);
        let x6 = turned(at + 6u, e);
        let x7 = turned(at + 7u, e);
        for (var r = 0u; r < ROWS; r++) {
            let tile = min((row + r) / 8u, last);
            let place = (tile * count + block) * 16u + r % 8u;
            let low = q[place];
            let high = q[place + 8u];
            let p = quarter(low.x, x0) + quarter(low.y, x1) + quarter(low.z, x2) + quarter(low.w, x3)
                  + quarter(high.x, x4) + quarter(high.y, x5) + quarter(high.z, x6) + quarter(high.w, x7);
            (*acc)[r] += multiply_shift4(p, blocks[(tile * count + block) * 8u + r % 8u], 16u);
        }
        at += vec4<u32>(8u);
    }
}

@compute @workgroup_size(lanes)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x % params.quads * 4u;
    let row = id.x / params.quads * ROWS;
    var acc: array<vec4<i32>, ROWS>;
    let e = exponents(token);
    accumulate(token, row, e, &acc);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS && row + r < params.outputs; r++) {
            let y = (token + c) * params.outputs + row + r;
            output[y] = requantise(acc[r][c], rows[row + r], e[c]);
        }
    }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x % params.quads * 4u;
    let row = id.x / params.quads * ROWS;
    var acc: array<vec4<i32>, ROWS>;
    let e = exponents(token);
    accumulate(token, row, e, &acc);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS && row + r < params.outputs; r++) {
            let y = (token + c) * params.outputs + row + r;
            output[y] = requantise(acc[r][c], rows[row + r], e[c]) + round_shift(residual[y], params.residual_shift);
        }
    }
}
