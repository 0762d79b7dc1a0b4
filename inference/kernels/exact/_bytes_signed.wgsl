// Weights of 8 bits times bytes. Low bytes are unsigned and so must weights be: sum q·l = sum (q + 128)·l - 128 sum l.

fn packed(x: vec4<i32>, y: vec4<i32>) -> vec4<u32> {
    return bytes_of(x, y);
}

// 8 products with high bytes, |.| <= 2^17, and with low ones of q + 128, below 2^19.
fn eighth(first: u32, second: u32, x: vec4<u32>) -> vec2<i32> {
    return vec2<i32>(dot4I8Packed(first, x.x) + dot4I8Packed(second, x.y),
                     i32(dot4U8Packed(first ^ 0x80808080u, x.z) + dot4U8Packed(second ^ 0x80808080u, x.w)));
}
