// requires: fixed_point, attention, attention_spans, attention_positions
// The first of the dispatches that split attention over positions: scores, and the largest of a span.

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let h = head_of(group.y, group.z);
    let s = spans_of(group.y, group.z, h.seen);
    let j = group.x * lanes + lane;
    begin(lane);
    if (j >= h.first && j < h.seen) {
        let score = score_of(h, j);
        workspace[s.scores + j] = score;
        atomicMax(&peak, score);
    }
    workgroupBarrier();
    if (lane == 0u && group.x < s.count) { workspace[s.largest + group.x] = atomicLoad(&peak); }
}
