// Gates and heads among the rows of 4 bits of few tokens.

@compute @workgroup_size(lanes)
fn product_and_gate(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    accumulate(group, lane, 2u);
    let at = place_of(group, lane, 2u);
    if (at.there && lane % 16u < 8u) {
        let up = Place(at.token, at.row + 8u, true);
        put_gate(y_of(lane, at), y_of(lane + 8u, up), at.row, at.token);
    }
}

@compute @workgroup_size(lanes)
fn product_and_rotation(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    accumulate(group, lane, 1u);
    let at = place_of(group, lane, 1u);
    if (at.there && at.row % 2u == 0u) {
        let second = Place(at.token, at.row + 1u, true);
        put_pair(y_of(lane, at), y_of(lane + 1u, second), at.row, at.token, places[at.token]);
    }
}
