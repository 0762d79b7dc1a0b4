// Four words / 2^shift, as moved (_scaled.wgsl).
fn moved4(x: vec4<i32>, shift: i32) -> vec4<i32> {
    if (shift > 0i) {
        let right = u32(min(shift, 30i));
        return (x + vec4<i32>(1i << (right - 1u))) >> vec4<u32>(right);
    }
    let left = u32(min(-shift, 30i));
    let most = vec4<i32>(1073741823i >> left);
    return clamp(x, -most, most) << vec4<u32>(left);
}
