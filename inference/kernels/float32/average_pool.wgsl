// requires: word, average_pool
fn mean(four: vec4<Word>) -> Word {
    return 0.25 * (four.x + four.y + four.z + four.w);
}
