// Activations of one token, which all lanes of a subgroup want: read, and measured, by the first eight together.

// The exponent that they share.
fn exponent(id: vec3<u32>) -> i32 {
    if (params.bits == 0u) { return 0i; }
    let together = eight_lanes();
    let vectors = params.columns / 4u;
    let step = select(1u, 8u, together);
    var largest = vec4<u32>(0u);
    for (var i = lane_of_eight() % step; i < vectors; i += step) {
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
