// Terms of a row of 8-bit weights with a step of each half for four tokens, from bytes.

fn staged(row: u32) -> Weights {
    let steps = vec3<i32>(staged_step[row], staged_step[SIDE + row], staged_step[2u * SIDE + row]);
    return Weights(staged_q[row], staged_q[SIDE + row], steps);
}

fn terms(w: Weights, a: array<Activations, 4>) -> vec4<i32> {
    return vec4<i32>(term(w, a[0]), term(w, a[1]), term(w, a[2]), term(w, a[3]));
}
