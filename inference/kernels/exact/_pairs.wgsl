// Sums of 64 bits as pairs: x the high word, y the low.

fn plus(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.y + b.y;
    return vec2<u32>(a.x + b.x + select(0u, 1u, low < a.y), low);
}

// A word with a sign as a pair.
fn pair(a: i32) -> vec2<u32> {
    return vec2<u32>(bitcast<u32>(a >> 31u), bitcast<u32>(a));
}
