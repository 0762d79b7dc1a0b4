// Terms of a row of 8-bit weights for four tokens, from bytes.

fn staged(row: u32) -> Weights {
    return Weights(staged_low[row], staged_high[row], staged_step[row]);
}

fn terms(w: Weights, a: array<Activations, 4>) -> vec4<i32> {
    let p = vec4<i32>(products(w.low, w.high, a[0]), products(w.low, w.high, a[1]), products(w.low, w.high, a[2]), products(w.low, w.high, a[3]));
    return multiply_shift4(p, w.step, 16u);
}
