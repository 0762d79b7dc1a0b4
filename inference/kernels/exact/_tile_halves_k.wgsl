// A block's terms of four rows of 8-bit weights and four tokens, half by half, from half words: four products at a time are exact in f32.

// The first 8 weights of a half of a row, or the others.
fn quarter(row: u32, second: bool, t: Tokens) -> vec4<i32> {
    let words = select(staged_q[row].xy, staged_q[row].zw, second);
    return vec4<i32>(vec4<f32>(bytes(words.x)) * t.low) + vec4<i32>(vec4<f32>(bytes(words.y)) * t.high);
}

fn added(acc: Four, at: Place) -> Four {
    let total = vec4<i32>(sums[at.x], sums[at.x + ACROSS], sums[at.x + 2u * ACROSS], sums[at.x + 3u * ACROSS]);
    let m = 2u * SIDE + at.n;
    var y = Four(acc[0] + multiply_shift4(total, staged_step[m], 11u), acc[1] + multiply_shift4(total, staged_step[m + 1u], 11u),
                 acc[2] + multiply_shift4(total, staged_step[m + 8u], 11u), acc[3] + multiply_shift4(total, staged_step[m + 9u], 11u));
    for (var half = 0u; half < 2u; half++) {
        let n = half * SIDE + at.n;
        var p = Four();
        for (var i = 0u; i < 2u; i++) {
            let t = tokens_at(2u * half + i, at.x);
            p[0] += quarter(n, i == 1u, t);
            p[1] += quarter(n + 1u, i == 1u, t);
            p[2] += quarter(n + 8u, i == 1u, t);
            p[3] += quarter(n + 9u, i == 1u, t);
        }
        y[0] += multiply_shift4(p[0], staged_step[n], 15u);
        y[1] += multiply_shift4(p[1], staged_step[n + 1u], 15u);
        y[2] += multiply_shift4(p[2], staged_step[n + 8u], 15u);
        y[3] += multiply_shift4(p[3], staged_step[n + 9u], 15u);
    }
    return y;
}
