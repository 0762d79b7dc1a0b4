// A block's term of a row of 4-bit weights for one token.

fn term(w: Weights, a: Activations) -> i32 {
    let step = bitcast<i32>(w.step);
    return multiply_shift(products(w.q, a), (step << 16u) >> 16u, 15u) + multiply_shift(a.sum, step >> 16u, 11u);
}
