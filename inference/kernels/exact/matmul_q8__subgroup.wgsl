// requires: fixed_point, q8, loaded_q8, rows, rows_q8, eight_lanes, rows_subgroup
// matmul_q8 where subgroups have 8 lanes or more: the same bits. A lane loads 4 activations of a block and the others read them
// from it.

// The accumulators of the four rows.
fn accumulate(id: vec3<u32>, e: i32, together: bool, part: u32) -> vec4<i32> {
    let count = params.columns / 32u;
    let lane = rows_of(id) % 8u;
    var block = tiles_of(id) * count;
    var from_ = id.y * (params.columns / 4u);
    var acc = vec4<i32>(0i);
    for (var i = 0u; i < count; i++) {
        acc += terms(block, lane, activations(from_, e, together, part));
        block += vec4<u32>(1u);
        from_ += 8u;
    }
    return acc;
}
