// Weights of 4 bits: what every matmul_q4 binds, and what it puts out of heads.
// a (T, K); q [tile of 8 rows][block][lane] of 32 nibbles; blocks [tile][block][lane], D low and M high; rows (N, 2);
// residual and output (T, N).
// A gate: rows in pairs of 8 gates and their 8 ups; output (T, N / 2) of silu(gate)·up.
// Heads: rows 2i and 2i + 1 rotated by the token's position; output (T, N), and rows of a cache: sequence·capacity + position.
struct Params {
    tokens: u32,         // T
    columns: u32,        // K
    outputs: u32,        // N
    bits: u32,           // to which rows of a are narrowed; 0: they are as they are
    unscaled: u32,       // 1: y stays at the exponent of its row of a
    residual_shift: i32,
    fraction: u32,       // of gate and up, in bits
    turned: u32,         // rows of heads, which are rotated; the rest are copied
    head_width: u32,
    capacity: u32,       // positions a sequence has in the cache; 0: there is none
    short: u32,          // 1: heads are put out in 16 bits, which share a word of the cache by twos
}
@group(0) @binding(0) var<uniform> params: Params;
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

// Four weights: the nibbles of half a word, the lowest first.
fn nibbles(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4<i32>(bitcast<i32>(word)) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<i32>(15i));
}

// Put out gate n and its up, of rows n and n + 8.
fn put_gate(g: i32, u: i32, n: u32, token: u32) {
    let i = curve_place(g, params.fraction);
    output[token * (params.outputs / 2u) + n / 16u * 8u + n % 8u] =
        gated(g, u, curve[i], curve[min(i + 1u, 256u)], params.fraction);
}

// Put out rows n and n + 1, two of a head, rotated, or others as they are.
fn put_pair(first: i32, second: i32, n: u32, token: u32, place: vec2<u32>) {
    var y = vec2<i32>(first, second);
    if (n < params.turned) {
        let turn = table[place.y * (params.head_width / 2u) + n % params.head_width / 2u];
        y = vec2<i32>(rotated(first, second, n, turn), rotated(second, first, n + 1u, turn));
    }
    if (params.short > 0u) { y = last_16_bits(y); }
    let at = token * params.outputs + n;
    output[at] = y.x;
    output[at + 1u] = y.y;
    if (params.capacity == 0u) { return; }
    let row = (place.x * params.capacity + place.y) * params.outputs + n;
    if (params.short > 0u) {
        state[row / 2u] = two_of_16_bits(y);
    } else {
        state[row] = y.x;
        state[row + 1u] = y.y;
    }
}
