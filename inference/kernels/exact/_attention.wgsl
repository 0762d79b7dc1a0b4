// What attention binds.
// q (T, columns); cache (sequences·capacity, keys and then values); places (T) of sequence and position; exponential (256);
// output (T, columns); workspace (T, heads, capacity): scores, then weights.
struct Params {
    tokens: u32,     // T
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
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> cache: array<vec4<i32>>;
@group(0) @binding(3) var<storage, read> places: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read> exponential: array<u32>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<i32>>;
@group(0) @binding(6) var<storage, read_write> workspace: array<vec4<i32>>;
override lanes: u32 = 64u;
const LEAST = -2147483647i;

fn largest(x: vec4<i32>) -> i32 {
    return max(max(x.x, x.y), max(x.z, x.w));
}

// The first position that is seen, of `seen` up to a token's own.
fn first_of(seen: u32) -> u32 {
    return select(0u, seen - params.window, params.window > 0u && seen > params.window);
}

// The weights of four scores, of which the first `count` are seen, but for `hidden` before them; the others weigh 0.
fn weights_of(scores: vec4<i32>, top: i32, count: u32, hidden: u32) -> vec4<u32> {
    let distance = vec4<i32>(top) - scores;
    var p = vec4<u32>(0u);
    for (var c = hidden; c < min(count, 4u); c++) {
        let u = halvings(distance[c], params.mantissa, params.shift);
        p[c] = exponential[u & 255u] >> min(u >> 8u, 31u);
    }
    return p;
}

// Weights that sum to `den`, to 16 bits.
fn narrowed_weights(p: vec4<i32>, den: u32) -> vec4<i32> {
    let narrow = u32(bit_length(den) - 16i); // at least 3
    return (p + vec4<i32>(1i << (narrow - 1u))) >> vec4<u32>(narrow);
}

fn reciprocal_of(total: u32) -> i32 {
    return i32(min((1073741824u + total / 2u) / total, 32767u));
}

fn scaled(mixed: vec4<i32>, reciprocal: i32) -> vec4<i32> {
    var y = mixed;
    for (var c = 0u; c < 4u; c++) { y[c] = round_shift(multiply_shift(y[c], reciprocal, 16u), params.value_shift); }
    return y;
}
