// Products of few tokens, by a kernel's exponent(id) and accumulate(id, e): an invocation makes 4 rows of y of one token, for which
// it reads the activations once. They are two neighbours in each of two tiles: a head's pair and a gate with its up are in one
// invocation, and none needs what another made.

// The activations of a block.
fn block_at(from_: u32, e: i32) -> Block {
    return Block(loaded(from_, e), loaded(from_ + 1u, e), loaded(from_ + 2u, e), loaded(from_ + 3u, e),
                 loaded(from_ + 4u, e), loaded(from_ + 5u, e), loaded(from_ + 6u, e), loaded(from_ + 7u, e));
}

fn rows_of(id: vec3<u32>) -> vec4<u32> {
    return vec4<u32>(id.x / 4u * 16u + id.x % 4u * 2u) + vec4<u32>(0u, 1u, 8u, 9u);
}

// The tiles they lie in; those beyond the last read the last and write nothing.
fn tiles_of(id: vec3<u32>) -> vec4<u32> {
    return min(rows_of(id) / 8u, vec4<u32>((params.outputs - 1u) / 8u));
}

@compute @workgroup_size(lanes)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
    let e = exponent(id);
    let acc = accumulate(id, e);
    let n = rows_of(id);
    for (var r = 0u; r < 4u; r++) {
        if (n[r] < params.outputs) { output[id.y * params.outputs + n[r]] = requantise(acc[r], rows[n[r]], e); }
    }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(global_invocation_id) id: vec3<u32>) {
    let e = exponent(id);
    let acc = accumulate(id, e);
    let n = rows_of(id);
    for (var r = 0u; r < 4u; r++) {
        if (n[r] < params.outputs) {
            let y = id.y * params.outputs + n[r];
            output[y] = requantise(acc[r], rows[n[r]], e) + round_shift(residual[y], params.residual_shift);
        }
    }
}
