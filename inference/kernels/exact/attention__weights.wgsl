// requires: fixed_point, attention, attention_spans, attention_positions
// The second of the dispatches that split attention over positions: weights by the largest score of all spans, and their sum in one.

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let h = head_of(group.y, group.z);
    let s = spans_of(group.y, group.z, h.seen);
    let j = group.x * lanes + lane;
    begin(lane);
    for (var i = lane; i < s.count; i += lanes) { atomicMax(&peak, workspace[s.largest + i]); }
    workgroupBarrier();
    if (j >= h.first && j < h.seen) {
        let p = weight_of(workspace[s.scores + j], atomicLoad(&peak));
        workspace[s.scores + j] = i32(p);
        atomicAdd(&total, p);
    }
    workgroupBarrier();
    if (lane == 0u && group.x < s.count) { workspace[s.sums + group.x] = i32(atomicLoad(&total)); }
}
