// Tensors of words with one exponent; the same as arithmetic/scaled.py. After _fixed_point.wgsl.

// What narrows a tensor to `bits` bits; scale = (largest, exponent). What it gives is at exponent scale.y + this.
fn narrowing(scale: vec2<i32>, bits: i32) -> i32 {
    return bit_length(u32(scale.x)) - bits;
}

fn narrow(z: i32, n: i32, bits: u32) -> i32 {
    let most = (1i << bits) - 1i;
    let right = u32(max(n, 0i));
    let down = clamp((z + ((1i << right) >> 1u)) >> right, -most, most);
    return select(z << u32(max(-n, 0i)), down, n > 0i);
}

// x / 2^shift, halves upwards; where the shift is negative x · 2^-shift kept to 2^30 - 1.
fn moved(x: i32, shift: i32) -> i32 {
    if (shift > 0i) { return round_shift(x, min(shift, 30i)); }
    let left = u32(min(-shift, 30i));
    let most = 1073741823i >> left;
    return clamp(x, -most, most) << left;
}
