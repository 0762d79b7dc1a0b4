// Gates and heads among the rows of 4 bits of many tokens.

fn put_gates(g: vec4<i32>, u: vec4<i32>, row: u32, token: u32) {
    if (row >= params.outputs) { return; }
    for (var c = 0u; c < 4u; c++) {
        if (token + c * ACROSS < params.tokens) { put_gate(g[c], u[c], row, token + c * ACROSS); }
    }
}

fn put_pairs(y: vec4<i32>, z: vec4<i32>, row: u32, token: u32) {
    if (row >= params.outputs) { return; }
    for (var c = 0u; c < 4u; c++) {
        let t = token + c * ACROSS;
        if (t < params.tokens) {
            put_pair(y[c], z[c], row, t, places[t]);
        }
    }
}

@compute @workgroup_size(SIDE * SIDE / 16u)
fn product_and_gate(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let y = accumulate(group, lane);
    let at = place_of(group, lane);
    put_gates(y[0], y[2], at.row, at.token);
    put_gates(y[1], y[3], at.row + 1u, at.token);
}

@compute @workgroup_size(SIDE * SIDE / 16u)
fn product_and_rotation(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let y = accumulate(group, lane);
    let at = place_of(group, lane);
    put_pairs(y[0], y[1], at.row, at.token);
    put_pairs(y[2], y[3], at.row + 8u, at.token);
}
