// Activations as signed high and unsigned low bytes, a = 256 h + l, for dot4I8Packed and dot4U8Packed.

fn low_bytes(x: vec4<i32>) -> u32 {
    let b = bitcast<vec4<u32>>(x) & vec4<u32>(255u);
    return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}

fn bytes_of(first: vec4<i32>, second: vec4<i32>) -> vec4<u32> {
    return vec4<u32>(low_bytes(first >> vec4<u32>(8u)), low_bytes(second >> vec4<u32>(8u)), low_bytes(first), low_bytes(second));
}
