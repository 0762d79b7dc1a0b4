// A block's term of a row of 8-bit weights with a step of each half, for one token.

fn term(w: Weights, a: Activations) -> i32 {
    let first = eighth(w.low.x, w.low.y, a.x[0]) + eighth(w.low.z, w.low.w, a.x[1]);
    let second = eighth(w.high.x, w.high.y, a.x[2]) + eighth(w.high.z, w.high.w, a.x[3]);
    return weighted(first, second, a.sum, w.steps);
}
