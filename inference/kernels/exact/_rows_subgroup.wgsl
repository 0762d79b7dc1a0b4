// Activations of one token, which all lanes of a subgroup want: read, and measured, by the first eight together.

// The exponent that they share.
fn exponent(id: vec3<u32>, together: bool, part: u32) -> i32 {
    if (params.bits == 0u) { return 0i; }
    let vectors = params.columns / 4u;
    let step = select(1u, 8u, together);
    var largest = vec4<u32>(0u);
    for (var i = part; i < vectors; i += step) {
        largest = max(largest, vec4<u32>(abs(a[id.y * vectors + i])));
    }
    return shared_exponent(subgroupMax(largest), params.bits);
}

// The activations of a block: from the first eight lanes if they are together, this one `part` of them.
fn activations(from_: u32, e: i32, together: bool, part: u32) -> Block {
    if (together) {
        let mine = loaded(from_ + part, e);
        return Block(subgroupBroadcast(mine, 0u), subgroupBroadcast(mine, 1u), subgroupBroadcast(mine, 2u), subgroupBroadcast(mine, 3u),
                     subgroupBroadcast(mine, 4u), subgroupBroadcast(mine, 5u), subgroupBroadcast(mine, 6u), subgroupBroadcast(mine, 7u));
    }
    return block_at(from_, e);
}

fn four_rows_by(id: vec3<u32>, together: bool, part: u32) -> vec4<i32> {
    let e = exponent(id, together, part);
    return requantised(accumulate(id, e, together, part), id, e);
}

// Either way has loops of its own, in which `together` is a constant: a branch within costs rasterisers a tenth.
fn four_rows(id: vec3<u32>) -> vec4<i32> {
    if (eight_lanes()) { return four_rows_by(id, true, lane_of_eight()); }
    return four_rows_by(id, false, 0u);
}
