// Weights of 4 bits less 8 in f32: sums of 16 products with activations stay within 2^22, exact in any order, fused or not.

alias Half = array<vec4<f32>, 4>; // of a block

fn centred(word: u32) -> vec4<f32> {
    return nibbles(word) - vec4<f32>(8.0);
}

fn half_at(words: vec2<u32>) -> Half {
    return Half(centred(words.x), centred(words.x >> 16u), centred(words.y), centred(words.y >> 16u));
}
