// Blocks of 4-bit weights in the workgroup's memory, and their scales.
var<workgroup> staged_q: array<vec4<u32>, SIDE>;
var<workgroup> staged_step: array<u32, SIDE>;

fn stage(row: u32, w: Weights) {
    staged_q[row] = w.q;
    staged_step[row] = w.step;
}

// floor(a·m / 2^bits), |a| < 2^24, |m| <= 2^15, bits >= 11: of a + 2^24 and m + 2^15, which are not negative, so that a GPU may multiply
// in 24 bits.
fn multiply_shift24(a: vec4<i32>, m: i32, bits: u32) -> vec4<i32> {
    let u = bitcast<vec4<u32>>(a + vec4<i32>(16777216i));
    let n = bitcast<u32>(m + 32768i) & 65535u;
    let top = (u >> vec4<u32>(bits)) & vec4<u32>(16383u);
    let low = u & vec4<u32>((1u << bits) - 1u);
    return bitcast<vec4<i32>>(top * n - (top << vec4<u32>(15u)))
         + (bitcast<vec4<i32>>(low * n - (low << vec4<u32>(15u))) >> vec4<u32>(bits)) - vec4<i32>(m << (24u - bits));
}

// Of four tokens, p their products and `total` their sums.
fn scaled_by(step: i32, p: vec4<i32>, total: vec4<i32>) -> vec4<i32> {
    return multiply_shift24(p, (step << 16u) >> 16u, 15u) + multiply_shift24(total, step >> 16u, 11u);
}
