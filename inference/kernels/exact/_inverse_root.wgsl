// The inverse deviation of a sum of squares; formula in ops/group_roots.py.

// floor(sqrt(s)), s >= 2^30: 16 bits, one at a time.
fn square_root(s: u32) -> u32 {
    var root = 0u;
    for (var bit = 32768u; bit > 0u; bit >>= 1u) {
        let trial = root | bit;
        if (trial * trial <= s) { root = trial; }
    }
    return root;
}

// v and h of a pair over count < 2^24; epsilon = mantissa · 2^exponent in the pair's unit.
fn inverse_root(sum: vec2<u32>, count: u32, mantissa: u32, exponent: i32) -> vec2<i32> {
    // Long division, a bit at a time, until the quotient has 31: the rest stays below 2^25.
    var total = sum;
    var e = exponent;
    var quotient = 0u;
    if ((total.x | total.y) != 0u) {
        var rest = 0u;
        var bit = 0i;
        while (bit < 64i || (quotient < 1073741824u && bit < 128i)) {
            rest = rest * 2u + (total.x >> 31u);
            total = vec2<u32>((total.x << 1u) | (total.y >> 31u), total.y << 1u);
            quotient *= 2u;
            if (rest >= count) {
                rest -= count;
                quotient++;
            }
            bit++;
        }
        e = 64i - bit;
    }
    var f = max(e, exponent);
    var w = (quotient >> u32(min(f - e, 31i))) + (mantissa >> u32(min(f - exponent, 31i)));
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
    return vec2<i32>(i32(min((1073741824u + (r >> 1u)) / r, 32767u)), f >> 1u);
}
