// requires: word, average_pool
// Without a carry: of quarters and of what is left of them; halves upwards.
fn mean(four: vec4<Word>) -> Word {
    let whole = four >> vec4<u32>(2u);
    let rest = four & vec4<i32>(3i);
    return whole.x + whole.y + whole.z + whole.w + ((rest.x + rest.y + rest.z + rest.w + 2i) >> 2u);
}
