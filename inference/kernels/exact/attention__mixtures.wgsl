// requires: fixed_point, attention, attention_spans, attention_positions
// The third of the dispatches that split attention over positions: weights in 16 bits, their sum and their mixture of values in a span.

var<workgroup> narrow: atomic<u32>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let h = head_of(group.y, group.z);
    let s = spans_of(group.y, group.z, h.seen);
    let j = group.x * lanes + lane;
    begin(lane);
    if (lane == 0u) { atomicStore(&narrow, 0u); }
    for (var i = lane; i < s.count; i += lanes) { atomicAdd(&total, bitcast<u32>(workspace[s.sums + i])); }
    workgroupBarrier();
    if (j >= h.first && j < h.seen) {
        let p = narrowed_weight(bitcast<u32>(workspace[s.scores + j]), atomicLoad(&total));
        workspace[s.scores + j] = p;
        atomicAdd(&narrow, u32(p));
    }
    workgroupBarrier();
    storageBarrier();
    mix(h, s.scores, max(group.x * lanes, h.first), min(group.x * lanes + lanes, h.seen), lane, WHOLE);
    if (group.x < s.count) {
        if (lane == 0u) { workspace[s.narrow + group.x] = i32(atomicLoad(&narrow)); }
        for (var i = lane; i < params.head_width; i += lanes) {
            workspace[s.mixtures + group.x * params.head_width + i] = atomicLoad(&mixed[i]);
        }
    }
}
