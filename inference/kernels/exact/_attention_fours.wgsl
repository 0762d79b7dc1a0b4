// Attention of a processor: scores and weights in vectors of four positions.
// workspace (T, heads, capacity): scores, then weights.
@group(0) @binding(6) var<storage, read_write> workspace: array<vec4<i32>>;

fn largest(x: vec4<i32>) -> i32 {
    return max(max(x.x, x.y), max(x.z, x.w));
}

// The weights of four scores, of which the first `count` are seen, but for `hidden` before them; the others weigh 0.
fn weights_of(scores: vec4<i32>, top: i32, count: u32, hidden: u32) -> vec4<u32> {
    let distance = vec4<i32>(top) - scores;
    var p = vec4<u32>(0u);
    for (var c = hidden; c < min(count, 4u); c++) {
        let u = halvings(distance[c], params.mantissa, params.shift);
        p[c] = exponential[u & 255u] >> min(u >> 8u, 31u);
    }
    return p;
}

// Weights that sum to `den`, to 16 bits.
fn narrowed_weights(p: vec4<i32>, den: u32) -> vec4<i32> {
    let narrow = u32(bit_length(den) - 16i); // at least 3
    return (p + vec4<i32>(1i << (narrow - 1u))) >> vec4<u32>(narrow);
}
