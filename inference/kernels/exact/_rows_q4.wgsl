// Rows of 4 bits times one token's activations, gates and heads among them.
// Products are f32 and exact, of a weight at its place and an activation over it: sums of |q·a| over a block stay below 2^24, so
// neither order nor fusion matters.

alias Block = array<vec4<f32>, 8>;

// Where the four rows' first blocks lie; the next are 8 further.
fn begins(id: vec3<u32>) -> vec4<u32> {
    return (tiles_of(id) * (params.columns / 32u) * 8u) + rows_of(id) % 8u;
}

// One block of one row: x its activations, total their sum.
fn term(weights: vec4<u32>, step: u32, x: Block, total: i32) -> i32 {
    let first = dot(placed(weights.x), x[0]) + dot(placed(weights.x >> 16u), x[1]);
    let second = dot(placed(weights.y), x[2]) + dot(placed(weights.y >> 16u), x[3]);
    let third = dot(placed(weights.z), x[4]) + dot(placed(weights.z >> 16u), x[5]);
    let fourth = dot(placed(weights.w), x[6]) + dot(placed(weights.w >> 16u), x[7]);
    let products = whole(first) + whole(second) + whole(third) + whole(fourth);
    return multiply_shift(products, bitcast<i32>(step << 16u) >> 16u, 15u) + multiply_shift(total, bitcast<i32>(step) >> 16u, 11u);
}

// One block of the four rows.
fn terms(at: vec4<u32>, x: Block) -> vec4<i32> {
    let total = whole(dot(x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7], PLACES));
    return vec4<i32>(term(q[at.x], blocks[at.x], x, total), term(q[at.y], blocks[at.y], x, total),
                     term(q[at.z], blocks[at.z], x, total), term(q[at.w], blocks[at.w], x, total));
}

@compute @workgroup_size(lanes)
fn product_and_gate(@builtin(global_invocation_id) id: vec3<u32>) {
    let y = four_rows(id);
    let n = rows_of(id);
    for (var r = 0u; r < 2u; r++) {
        if (n[r] < params.outputs) { put_gate(y[r], y[r + 2u], n[r], id.y); }
    }
}

@compute @workgroup_size(lanes)
fn product_and_rotation(@builtin(global_invocation_id) id: vec3<u32>) {
    let y = four_rows(id);
    let n = rows_of(id);
    for (var r = 0u; r < 4u; r += 2u) {
        if (n[r] < params.outputs) {
            put_pair(y[r], y[r + 1u], n[r], id.y, places[id.y]);
        }
    }
}
