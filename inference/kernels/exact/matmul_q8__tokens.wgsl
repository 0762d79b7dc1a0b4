// requires: fixed_point, q8, activations, tokens, tokens_bytes
// matmul_q8 for many tokens: the same bits.

// One block of one row for four tokens, its step lying at `at`.
fn term(low: vec4<u32>, high: vec4<u32>, at: u32, total: vec4<i32>, x0: Turned, x1: Turned, x2: Turned, x3: Turned,
        x4: Turned, x5: Turned, x6: Turned, x7: Turned) -> vec4<i32> {
    let p = quarter(low.x, x0) + quarter(low.y, x1) + quarter(low.z, x2) + quarter(low.w, x3)
          + quarter(high.x, x4) + quarter(high.y, x5) + quarter(high.z, x6) + quarter(high.w, x7);
    return multiply_shift4(p, blocks[at], 16u);
}
