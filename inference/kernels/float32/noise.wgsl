// requires: word, noise
// The table's words are in units of 2^-12.
fn sample(word: i32) -> Word {
    return f32(word) * 0.000244140625;
}
