// Terms of a row of 4-bit weights for four tokens, from half words: exact in f32 over a whole block.
alias Partial = vec4<f32>;

fn quarter(row: u32, i: u32, t: Tokens) -> Partial {
    let word = staged_q[row][i];
    return nibbles(word) * t.low + nibbles(word >> 16u) * t.high;
}

fn scaled(row: u32, p: Partial, total: vec4<i32>) -> vec4<i32> {
    return scaled_by(bitcast<i32>(staged_step[row]), vec4<i32>(p), total);
}
