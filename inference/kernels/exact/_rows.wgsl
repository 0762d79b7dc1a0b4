// Products of few tokens, by a kernel's four_rows(id): an invocation makes 4 rows of y of one token, for which it reads the
// activations once. They are two neighbours in each of two tiles: a head's pair and a gate with its up are in one
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

// Their accumulators, requantised; for rows beyond the last as for the last.
fn requantised(acc: vec4<i32>, id: vec3<u32>, found: i32) -> vec4<i32> {
    let e = select(found, 0i, params.unscaled > 0u);
    let n = min(rows_of(id), vec4<u32>(params.outputs - 1u));
    return vec4<i32>(requantise(acc.x, rows[n.x], e), requantise(acc.y, rows[n.y], e),
                     requantise(acc.z, rows[n.z], e), requantise(acc.w, rows[n.w], e));
}

@compute @workgroup_size(lanes)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
    let y = four_rows(id);
    let n = rows_of(id);
    for (var r = 0u; r < 4u; r++) {
        if (n[r] < params.outputs) { output[id.y * params.outputs + n[r]] = y[r]; }
    }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(global_invocation_id) id: vec3<u32>) {
    let y = four_rows(id);
    let n = rows_of(id);
    for (var r = 0u; r < 4u; r++) {
        if (n[r] < params.outputs) {
            let at = id.y * params.outputs + n[r];
            output[at] = y[r] + round_shift(residual[at], params.residual_shift);
        }
    }
}
