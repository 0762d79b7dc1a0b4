// Terms of a row of 4-bit weights for four tokens, from bytes.

fn staged(row: u32) -> Weights {
    return Weights(staged_q[row], staged_step[row]);
}

fn terms(w: Weights, a: array<Activations, 4>) -> vec4<i32> {
    let p = vec4<i32>(products(w.q, a[0]), products(w.q, a[1]), products(w.q, a[2]), products(w.q, a[3]));
    return scaled_by(bitcast<i32>(w.step), p, vec4<i32>(a[0].sum, a[1].sum, a[2].sum, a[3].sum));
}
