// Weights of 8 bits times bytes. Low bytes are unsigned and so must weights be: sum q·l = sum (q + 128)·l - 128 sum l.

fn packed(x: vec4<i32>, y: vec4<i32>) -> vec4<u32> {
    return bytes_of(x, y);
}

fn counted(x: vec4<i32>) -> vec4<i32> {
    return x & vec4<i32>(255i);
}

// 8 products with high bytes, |.| <= 2^17, and with low ones of q + 128, below 2^19.
fn eighth(first: u32, second: u32, x: vec4<u32>) -> vec2<i32> {
    return vec2<i32>(dot4I8Packed(first, x.x) + dot4I8Packed(second, x.y),
                     i32(dot4U8Packed(first ^ 0x80808080u, x.z) + dot4U8Packed(second ^ 0x80808080u, x.w)));
}

// sum q·a of a block.
fn products(low: vec4<u32>, high: vec4<u32>, a: Activations) -> i32 {
    let p = eighth(low.x, low.y, a.x[0]) + eighth(low.z, low.w, a.x[1]) + eighth(high.x, high.y, a.x[2]) + eighth(high.z, high.w, a.x[3]);
    return p.x * 256i + p.y - 128i * a.sum;
}
