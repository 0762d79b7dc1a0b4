// Terms of a row of 8-bit weights for four tokens, from half words: four products at a time are exact in f32.
alias Partial = vec4<i32>;

fn quarter(row: u32, i: u32, t: Tokens) -> Partial {
    let words = select(staged_low[row], staged_high[row], i > 1u);
    let first = select(words.x, words.z, i % 2u == 1u);
    let second = select(words.y, words.w, i % 2u == 1u);
    return vec4<i32>(vec4<f32>(bytes(first)) * t.low) + vec4<i32>(vec4<f32>(bytes(second)) * t.high);
}

fn scaled(row: u32, p: Partial, total: vec4<i32>) -> vec4<i32> {
    return multiply_shift4(p, staged_step[row], 16u);
}
