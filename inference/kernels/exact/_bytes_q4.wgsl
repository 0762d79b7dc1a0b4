// Weights of 4 bits times bytes: of each 8 weights, a word, the even ones and the odd ones are bytes at once.

fn packed(x: vec4<i32>, y: vec4<i32>) -> vec4<u32> {
    return bytes_of(vec4<i32>(x.x, x.z, y.x, y.z), vec4<i32>(x.y, x.w, y.y, y.w));
}

fn counted(x: vec4<i32>) -> vec4<i32> {
    return x;
}

// 8 products with high bytes, |.| < 2^14, and with low ones, below 2^15.
fn eighth(even: u32, odd: u32, x: vec4<u32>) -> vec2<i32> {
    return vec2<i32>(dot4I8Packed(even, x.x) + dot4I8Packed(odd, x.y),
                     i32(dot4U8Packed(even, x.z) + dot4U8Packed(odd, x.w)));
}

// sum q·a of a block.
fn products(q: vec4<u32>, a: Activations) -> i32 {
    let even = q & vec4<u32>(0x0f0f0f0fu);
    let odd = (q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu);
    let p = eighth(even.x, odd.x, a.x[0]) + eighth(even.y, odd.y, a.x[1]) + eighth(even.z, odd.z, a.x[2]) + eighth(even.w, odd.w, a.x[3]);
    return p.x * 256i + p.y;
}
