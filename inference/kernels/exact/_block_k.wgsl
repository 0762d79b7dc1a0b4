// A block's term of a row of 8-bit weights with a step of each half, for one token, by a kernel's half_of(words, x, y).

fn term(w: Weights, a: Activations) -> i32 {
    return weighted(half_of(w.low, a.x[0], a.x[1]), half_of(w.high, a.x[2], a.x[3]), a.sum, w.steps);
}
