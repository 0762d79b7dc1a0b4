// Weights of 8 bits times bytes, half a block at a time: the low ones are summed as often as they are read.

fn counted(x: vec4<i32>) -> vec4<i32> {
    return x;
}

fn low_sum(x: vec4<u32>) -> u32 {
    return dot4U8Packed(0x01010101u, x.z) + dot4U8Packed(0x01010101u, x.w);
}

// sum q·a of half a block.
fn half_of(words: vec4<u32>, x: vec4<u32>, y: vec4<u32>) -> i32 {
    let p = eighth(words.x, words.y, x) + eighth(words.z, words.w, y);
    return p.x * 256i + p.y - 128i * i32(low_sum(x) + low_sum(y));
}
