// What attention binds.
// q (T, columns); cache (sequences·capacity, keys and then values); places (T) of sequence and position; exponential (256);
// output (T, columns).
struct Params {
    tokens: u32,     // T
    first: u32,      // of this dispatch
    head_width: u32,
    heads: u32,
    kv_heads: u32,
    group: u32,      // heads that share a key head
    sequences: u32,
    capacity: u32,   // positions a sequence has
    fours: u32,      // of them, an even number, for the workspace
    window: u32,     // of them a token sees the last; 0: all
    mantissa: i32,   // log2(e) / sqrt(head width), to 8 fraction bits
    shift: i32,
    value_shift: i32,
    low: u32,        // last bits of values that are summed apart; 0: none
    short: u32,      // 1: keys and values have 16 bits, two a word
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> cache: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read> places: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read> exponential: array<u32>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<i32>>;
override lanes: u32 = 64u;
const LEAST = -2147483647i;

// A vector of keys or values.
fn cached(i: u32, short: bool) -> vec4<i32> {
    if (short) { return (cache[i].xxyy << vec4<u32>(16u, 0u, 16u, 0u)) >> vec4<u32>(16u); }
    return vec4<i32>(cache[2u * i], cache[2u * i + 1u]);
}

// The first position that is seen, of `seen` up to a token's own.
fn first_of(seen: u32) -> u32 {
    return select(0u, seen - params.window, params.window > 0u && seen > params.window);
}

fn reciprocal_of(total: u32) -> i32 {
    return i32(min((1073741824u + total / 2u) / total, 32767u));
}

fn scaled(mixed: vec4<i32>, reciprocal: i32) -> vec4<i32> {
    var y = mixed;
    for (var c = 0u; c < 4u; c++) { y[c] = round_shift(multiply_shift(y[c], reciprocal, 16u), params.value_shift); }
    return y;
}

// The same of values without their last bits, and of those.
fn scaled_halves(high: vec4<i32>, low: vec4<i32>, reciprocal: i32) -> vec4<i32> {
    var y = multiply_shift4(high, reciprocal, 16u) + (multiply_shift4(low, reciprocal, 16u) >> vec4<u32>(params.low));
    for (var c = 0u; c < 4u; c++) { y[c] = round_shift(y[c], params.value_shift); }
    return y;
}
