// requires: fixed_point, k, activations, tokens, tokens_bytes
// matmul_k for many tokens: the same bits.

// One block of one row for four tokens, its steps lying at `at`, `total` the sums of the activations.
fn term(low: vec4<u32>, high: vec4<u32>, at: u32, total: vec4<i32>, x0: Turned, x1: Turned, x2: Turned, x3: Turned,
        x4: Turned, x5: Turned, x6: Turned, x7: Turned) -> vec4<i32> {
    let first = quarter(low.x, x0) + quarter(low.y, x1) + quarter(low.z, x2) + quarter(low.w, x3);
    let second = quarter(high.x, x4) + quarter(high.y, x5) + quarter(high.z, x6) + quarter(high.w, x7);
    let steps = steps_at(at);
    return multiply_shift4(first, steps.x, 15u) + multiply_shift4(second, steps.y, 15u) + multiply_shift4(total, steps.z, 11u);
}
