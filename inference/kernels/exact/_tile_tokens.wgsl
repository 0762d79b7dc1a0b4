// Activations of four tokens from half words in the workgroup's memory, a quarter of a block at a time, or they would take 128 registers.

// Eight activations of four tokens, the first four and the others, a column a token.
struct Tokens {
    low: mat4x4<f32>,
    high: mat4x4<f32>,
}

fn tokens_at(i: u32, token: u32) -> Tokens {
    let a = x[i * SIDE + token];
    let b = x[i * SIDE + token + ACROSS];
    let c = x[i * SIDE + token + 2u * ACROSS];
    let d = x[i * SIDE + token + 3u * ACROSS];
    return Tokens(mat4x4<f32>(low_halves(a), low_halves(b), low_halves(c), low_halves(d)),
                  mat4x4<f32>(high_halves(a), high_halves(b), high_halves(c), high_halves(d)));
}
