// requires: fixed_point, attention, attention_spans, attention_positions
// The last of the dispatches that split attention over positions: mixtures of all spans merged.

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let h = head_of(group.x, group.y);
    let s = spans_of(group.x, group.y, h.seen);
    begin(lane);
    for (var i = lane; i < s.count; i += lanes) { atomicAdd(&total, u32(workspace[s.narrow + i])); }
    workgroupBarrier();
    let reciprocal = reciprocal_of(atomicLoad(&total));
    for (var i = lane; i < params.head_width / 4u; i += lanes) {
        var y = vec4<i32>(0i);
        for (var n = 0u; n < s.count; n++) {
            let at = s.mixtures + n * params.head_width + 4u * i;
            y += vec4<i32>(workspace[at], workspace[at + 1u], workspace[at + 2u], workspace[at + 3u]);
        }
        output[h.q + i] = scaled(y, reciprocal);
    }
}
