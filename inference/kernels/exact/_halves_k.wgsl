// sum q·a of half a block, from half words.

fn half_of(words: vec4<u32>, x: vec4<u32>, y: vec4<u32>) -> i32 {
    return eighth(words.x, words.y, x) + eighth(words.z, words.w, y);
}
