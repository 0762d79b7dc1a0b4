// requires: fixed_point, q4, placed_q4, rows, rows_q4, eight_lanes, rows_subgroup
// matmul_q4 where subgroups have 8 lanes or more: the same bits. A lane loads 4 activations of a block and the others read them
// from it.

// The accumulators of the four rows.
fn accumulate(id: vec3<u32>, e: i32, together: bool, part: u32) -> vec4<i32> {
    var at = begins(id);
    var from_ = id.y * (params.columns / 4u);
    var acc = vec4<i32>(0i);
    for (var block = 0u; block < params.columns / 32u; block++) {
        acc += terms(at, activations(from_, e, together, part));
        at += vec4<u32>(8u);
        from_ += 8u;
    }
    return acc;
}
