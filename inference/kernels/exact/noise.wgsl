// requires: word, noise
// The table's words as they are, in units of 2^-12.
fn sample(word: i32) -> Word {
    return word;
}
