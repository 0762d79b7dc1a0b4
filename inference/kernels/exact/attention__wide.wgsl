// requires: fixed_point, attention, attention_positions
// attention on GPUs, a workgroup a head and token from scores to output: the same bits, as sums are integers.
// workspace (T, heads, capacity): scores, then weights.
@group(0) @binding(6) var<storage, read_write> workspace: array<i32>;

fn attend(group: vec3<u32>, lane: u32, halved: bool) {
    let t = params.first + group.y;
    if (t >= params.tokens) { return; }
    let h = head_of(group.x, t);
    let scores = (group.y * params.heads + group.x) * params.fours * 4u;
    begin(lane);
    var most = LEAST;
    for (var j = h.first + lane; j < h.seen; j += lanes) {
        let score = score_of(h, j);
        workspace[scores + j] = score;
        most = max(most, score);
    }
    atomicMax(&peak, most);
    workgroupBarrier();
    let top = atomicLoad(&peak);
    var sum = 0u;
    for (var j = h.first + lane; j < h.seen; j += lanes) {
        let p = weight_of(workspace[scores + j], top);
        workspace[scores + j] = i32(p);
        sum += p;
    }
    atomicAdd(&total, sum);
    workgroupBarrier();
    let den = atomicLoad(&total);
    workgroupBarrier();
    if (lane == 0u) { atomicStore(&total, 0u); }
    workgroupBarrier();
    sum = 0u;
    for (var j = h.first + lane; j < h.seen; j += lanes) {
        let p = narrowed_weight(u32(workspace[scores + j]), den);
        workspace[scores + j] = p;
        sum += u32(p);
    }
    atomicAdd(&total, sum);
    workgroupBarrier();
    storageBarrier();
    let reciprocal = reciprocal_of(atomicLoad(&total));
    let vectors = params.head_width / 4u;
    if (!halved) {
        mix(h, scores, h.first, h.seen, lane, WHOLE);
        for (var i = lane; i < vectors; i += lanes) { output[h.q + i] = scaled(mixed_vector(i), reciprocal); }
        return;
    }
    mix(h, scores, h.first, h.seen, lane, LOW);
    for (var i = lane; i < vectors; i += lanes) { output[h.q + i] = mixed_vector(i); }
    workgroupBarrier();
    for (var i = lane; i < params.head_width; i += lanes) { atomicStore(&mixed[i], 0i); }
    workgroupBarrier();
    mix(h, scores, h.first, h.seen, lane, HIGH);
    for (var i = lane; i < vectors; i += lanes) { output[h.q + i] = scaled_halves(mixed_vector(i), output[h.q + i], reciprocal); }
}

// Either way has loops of its own, in which `halved` is a constant.
@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    attend(group, lane, false);
}

@compute @workgroup_size(lanes)
fn halves(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    attend(group, lane, true);
}
