// matmul_q4 for many tokens: the same bits. Activations are held as f32: q·a summed over a block stays below 2^24, so every
// product and sum is exact in any order, fused or not.
// a (T, K), after each row 4 words where it is scaled, the first its exponent; q [tile of 8 rows][block][lane] of 32 nibbles;
// blocks [tile][block][lane], D low and M high; rows (N, 2); residual and output (T, N).
// An invocation makes 64 rows of y for 4 tokens; invocations of neighbouring tokens are neighbours.
struct Params {
    tokens: u32,         // T
    quads: u32,          // ceil(T / 4)
    stride: u32,         // of a, in vectors of 4
    columns: u32,        // K
    outputs: u32,        // N
    scaled: u32,         // 1 where a carries exponents
    residual_shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> q: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> blocks: array<u32>;
@group(0) @binding(4) var<storage, read> rows: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> residual: array<i32>;
@group(0) @binding(6) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;
const ROWS = 64u;

// Four activations of each of four tokens, token by token, turned to a vector of tokens each.
fn turned(x: vec4<u32>) -> mat4x4<f32> {
    return transpose(mat4x4<f32>(vec4<f32>(a[x.x]), vec4<f32>(a[x.y]), vec4<f32>(a[x.z]), vec4<f32>(a[x.w])));
}

// Half a word's weights, 4 of 4 bits, times 4 activations of each token.
fn quarter(word: u32, x: mat4x4<f32>) -> vec4<f32> {
    return x * vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u));
}

fn multiply_shift4(a: vec4<i32>, m: i32, bits: u32) -> vec4<i32> {
    return (a >> vec4<u32>(bits)) * m + (((a & vec4<i32>((1i << bits) - 1i)) * m) >> vec4<u32>(bits));
}

// One block of one row for four tokens: x their activations, sums the sums of those.
fn term(w: vec4<u32>, scales: u32, sums: vec4<i32>, x0: mat4x4<f32>, x1: mat4x4<f32>, x2: mat4x4<f32>, x3: mat4x4<f32>,
        x4: mat4x4<f32>, x5: mat4x4<f32>, x6: mat4x4<f32>, x7: mat4x4<f32>) -> vec4<i32> {
    let step = bitcast<i32>(scales);
    let p = quarter(w.x, x0) + quarter(w.x >> 16u, x1) + quarter(w.y, x2) + quarter(w.y >> 16u, x3)
          + quarter(w.z, x4) + quarter(w.z >> 16u, x5) + quarter(w.w, x6) + quarter(w.w >> 16u, x7);
    return multiply_shift4(vec4<i32>(p), (step << 16u) >> 16u, 15u) + multiply_shift4(sums, step >> 16u, 11u);
}

// The accumulators of 64 rows from `row` on and the four tokens from `token` on.
fn accumulate(token: u32, row: u32, acc: ptr<function, array<vec4<i32>, ROWS>>) {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    // Tokens and tiles beyond the last read the last and write nothing.
    var at = min(vec4<u32>(token) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.tokens - 1u)) * params.stride;
    for (var block = 0u; block < count; block += 2u) {
        // Two blocks at a time; where the last has no second, zeros take its place.
        let second = f32(block + 1u < count);
        let after = select(at, at + 8u, vec4<bool>(block + 1u < count));
        let x0 = turned(at + 0u);
        let x1 = turned(at + 1u);
        let x2 = turned(at + 2u);
        let x3 = turned(at + 3u);
        let x4 = turned(at + 4u);
        let x5 = turned(at + 5u);
        let x6 = turned(at + 6u);
        let x7 = turned(at + 7u);
        let y0 = turned(after + 0u) * second;
        let y1 = turned(after + 1u) * second;
        let y2 = turned(after + 2u) * second;
        let y3 = turned(after + 3u) * second;
        let y4 = turned(after + 4u) * second;
        let y5 = turned(after + 5u) * second;
        let y6 = turned(after + 6u) * second;
        let y7 = turned(after + 7u) * second;
        // Sums of 32 activations stay below 2^20.
        let x_sums = vec4<i32>((x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7) * vec4<f32>(1.0));
        let y_sums = vec4<i32>((y0 + y1 + y2 + y3 + y4 + y5 + y6 + y7) * vec4<f32>(1.0));
        for (var r = 0u; r < ROWS; r++) {
            let tile = min((row + r) / 8u, last) * count;
            let place = (tile + block) * 8u + r % 8u;
            let next = (tile + min(block + 1u, count - 1u)) * 8u + r % 8u;
            (*acc)[r] += term(q[place], blocks[place], x_sums, x0, x1, x2, x3, x4, x5, x6, x7)
                       + term(q[next], blocks[next], y_sums, y0, y1, y2, y3, y4, y5, y6, y7);
        }
        at += vec4<u32>(16u);
    }
}

fn exponent(token: u32) -> i32 {
    if (params.scaled == 0u) { return 0i; }
    return a[token * params.stride + params.columns / 4u].x;
}

@compute @workgroup_size(lanes)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x % params.quads * 4u;
    let row = id.x / params.quads * ROWS;
    var acc: array<vec4<i32>, ROWS>;
    accumulate(token, row, &acc);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS && row + r < params.outputs; r++) {
            let y = (token + c) * params.outputs + row + r;
            output[y] = requantise(acc[r][c], rows[row + r], exponent(token + c));
        }
    }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x % params.quads * 4u;
    let row = id.x / params.quads * ROWS;
    var acc: array<vec4<i32>, ROWS>;
    accumulate(token, row, &acc);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS && row + r < params.outputs; r++) {
            let y = (token + c) * params.outputs + row + r;
            output[y] = requantise(acc[r][c], rows[row + r], exponent(token + c)) + round_shift(residual[y], params.residual_shift);
        }
    }
}
