// A block's term of a row of 8-bit weights for one token.

fn term(w: Weights, a: Activations) -> i32 {
    return multiply_shift(products(w.low, w.high, a), w.step, 16u);
}
