// Four words narrowed by a shift (arithmetic/scaled.py), kept to so many bits.
fn narrow4(z: vec4<i32>, n: i32, bits: i32) -> vec4<i32> {
    let most = vec4<i32>((1i << u32(bits)) - 1i);
    let right = vec4<u32>(u32(max(n, 0i)));
    let down = clamp((z + vec4<i32>((1i << right.x) >> 1u)) >> right, -most, most);
    return select(z << vec4<u32>(u32(max(-n, 0i))), down, n > 0i);
}
