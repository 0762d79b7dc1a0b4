// Integer helpers; the same as arithmetic/fixed_point.py. Right shifts of i32 are arithmetic.

// floor(a·m / 2^bits); both products fit i32.
fn multiply_shift(a: i32, m: i32, bits: u32) -> i32 {
    return (a >> bits) * m + (((a & ((1i << bits) - 1i)) * m) >> bits);
}
fn multiply_shift4(a: vec4<i32>, m: i32, bits: u32) -> vec4<i32> {
    return (a >> vec4<u32>(bits)) * m + (((a & vec4<i32>((1i << bits) - 1i)) * m) >> vec4<u32>(bits));
}

// a / 2^shift, halves upwards; a·2^-shift where the shift is negative. -31 <= shift <= 30.
fn round_shift(a: i32, shift: i32) -> i32 {
    if (shift <= 0i) { return a << u32(-shift); }
    return (a + (1i << u32(shift - 1i))) >> u32(shift);
}

// Integers of a row that shares an exponent, narrowed to `bits` bits by it; 0 bits: as they are, their exponent 0.
fn narrowed(z: vec4<i32>, exponent: i32, bits: u32) -> vec4<i32> {
    let most = vec4<i32>(select(2147483647i, (1i << bits) - 1i, bits > 0u));
    return clamp((z + vec4<i32>((1i << u32(exponent)) >> 1u)) >> vec4<u32>(u32(exponent)), -most, most);
}

// The exponent of a row whose largest integer is one of these four.
fn shared_exponent(largest: vec4<u32>, bits: u32) -> i32 {
    return max(bit_length(max(max(largest.x, largest.y), max(largest.z, largest.w))) - i32(bits), 0i);
}

// Bits of x; 0 has none.
fn bit_length(x: u32) -> i32 {
    return 32i - i32(countLeadingZeros(x));
}

// acc · mantissa · 2^(exponent - 16 - shift), row = (mantissa, shift).
fn requantise(acc: i32, row: vec2<i32>, exponent: i32) -> i32 {
    return round_shift(multiply_shift(acc, row.x, 16u), row.y - exponent);
}

// How many 256ths of a halving lie between a score and the largest, `distance` below it: 0 to 2^31 - 1.
fn halvings(distance: i32, mantissa: i32, shift: i32) -> u32 {
    return u32(round_shift(multiply_shift(distance, mantissa, 16u), shift));
}

// An integer held in f32, |p| <= 2^22: 1.5·2^23 more leaves it in the low bits, whatever the rounding. i32(p) would saturate, which
// rasterisers do lane by lane.
fn whole(p: f32) -> i32 {
    return bitcast<i32>(p + 12582912.0) - 1262485504i;
}
fn whole4(p: vec4<f32>) -> vec4<i32> {
    return bitcast<vec4<i32>>(p + vec4<f32>(12582912.0)) - vec4<i32>(1262485504i);
}

// The four bytes of a word, signed, the lowest first.
fn bytes(word: u32) -> vec4<i32> {
    return (vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}

// Of each its last 16 bits, with their sign.
fn last_16_bits(y: vec2<i32>) -> vec2<i32> {
    return (y << vec2<u32>(16u)) >> vec2<u32>(16u);
}

// The last 16 bits of each in one word, the first low.
fn two_of_16_bits(y: vec2<i32>) -> i32 {
    return (y.x & 65535i) | (y.y << 16u);
}

// One of a pair of rows n, the other beside it, turned by an angle's cos and sin in 14 fraction bits (ops/rope.py).
fn rotated(mine: i32, other: i32, n: u32, turn: vec2<i32>) -> i32 {
    return round_shift(mine * turn.x + select(-other, other, n % 2u == 1u) * turn.y, 14i);
}

// Where silu's curve is read for a gate of `fraction` bits: 0 to 256, beyond which it is 0.
fn curve_place(g: i32, fraction: u32) -> u32 {
    return min(u32(abs(g)) >> (fraction - 4u), 256u);
}

// silu(g)·u in 2 fraction - 10 bits, from the curve at its place and at the next; formula and bounds in ops/silu_gate.py.
fn gated(g: i32, u: i32, low: i32, high: i32, fraction: u32) -> i32 {
    let t = u32(abs(g));
    let step = fraction - 4u;
    let part = i32(t & ((1u << step) - 1u));
    let c = select(0i, low + (((high - low) * part + (1i << (step - 1u))) >> step), (t >> step) < 256u);
    let s = max(g, 0i) - round_shift(c, 16i - i32(fraction));
    return multiply_shift(s, u, 10u);
}
