// Rows of 8 bits block by block, by a kernel's terms(block, lane, x).

// The accumulators of the four rows.
fn accumulate(id: vec3<u32>, e: i32) -> vec4<i32> {
    let count = params.columns / 32u;
    let lane = rows_of(id) % 8u;
    var block = tiles_of(id) * count;
    var from_ = id.y * (params.columns / 4u);
    var acc = vec4<i32>(0i);
    for (var i = 0u; i < count; i++) {
        acc += terms(block, lane, block_at(from_, e));
        block += vec4<u32>(1u);
        from_ += 8u;
    }
    return acc;
}
