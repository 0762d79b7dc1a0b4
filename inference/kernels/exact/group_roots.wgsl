// requires: fixed_point, scaled, pairs
// The inverse deviations of groups; formula in ops/group_roots.py.
// squares (height, 2 groups); scale: largest, exponent; output (2, groups). One invocation a group.
struct Params {
    height: u32,
    groups: u32,
    count: u32,    // terms of a group, below 2^24
    mantissa: u32, // of epsilon
    exponent: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> squares: array<u32>;
@group(0) @binding(2) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

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
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.groups) { return; }
    var total = vec2<u32>(0u);
    for (var line = 0u; line < params.height; line++) {
        let at = line * 2u * params.groups + id.x;
        total = plus(total, vec2<u32>(squares[at], squares[at + params.groups]));
    }
    let epsilon = params.exponent - 2i * (scale[0].y + narrowing(scale[0], 29i) + 15i);
    // Long division, a bit at a time, until the quotient has 31: the rest stays below 2^25. A sum beyond its terms ends too.
    var e = epsilon;
    var quotient = 0u;
    if ((total.x | total.y) != 0u) {
        var rest = 0u;
        var bit = 0i;
        while (bit < 64i || (quotient < 1073741824u && bit < 128i)) {
            rest = rest * 2u + (total.x >> 31u);
            total = vec2<u32>((total.x << 1u) | (total.y >> 31u), total.y << 1u);
            quotient *= 2u;
            if (rest >= params.count) {
                rest -= params.count;
                quotient++;
            }
            bit++;
        }
        e = 64i - bit;
    }
    var f = max(e, epsilon);
    var w = (quotient >> u32(min(f - e, 31i))) + (params.mantissa >> u32(min(f - epsilon, 31i)));
    if ((f & 1i) == 1i) {
        if (w < 2147483648u) {
            w <<= 1u;
            f -= 1i;
        } else {
            w >>= 1u;
            f += 1i;
        }
    }
    let r = square_root(w);
    output[id.x] = i32(min((1073741824u + (r >> 1u)) / r, 32767u));
    output[id.x + params.groups] = f >> 1u;
}
