// requires: fixed_point, attention, attention_positions
// attention where a token may see more positions than a block has, a workgroup a head and token: weights are narrowed block by block,
// and what the blocks sum to is merged; formula in ops/attention.py.
// workspace (T, heads, capacity): scores, then weights.
@group(0) @binding(6) var<storage, read_write> workspace: array<i32>;
const BLOCK = 8192u;
const BLOCKS = 16u; // at most
const WHOLE_SUM = 69632i; // the most that narrowed weights of one block sum to
var<workgroup> sums: array<atomic<u32>, BLOCKS>;
var<workgroup> narrow: array<atomic<u32>, BLOCKS>;
var<workgroup> merged: array<vec4<i32>, 64>;
var<workgroup> merged_low: array<vec4<i32>, 64>;

fn end_of(h: Head, block: u32) -> u32 {
    return min(h.first + (block + 1u) * BLOCK, h.seen);
}

// The sum of the blocks' narrowed weights at one scale: `top` the largest narrowing, `more` bits narrower.
fn total_weight(blocks: u32, top: i32, more: i32) -> i32 {
    var sum = 0i;
    for (var b = 0u; b < blocks; b++) {
        sum += round_shift(i32(atomicLoad(&narrow[b])), top - narrowing_of(atomicLoad(&sums[b])) + more);
    }
    return sum;
}

// Values of a block, or a half of each, weighted and summed.
fn mix_block(h: Head, scores: u32, block: u32, lane: u32, half: u32) {
    mix(h, scores, h.first + block * BLOCK, end_of(h, block), lane, half);
}

// What a block's mixture adds at the scale of all; the next one begins with zeros.
fn taken(i: u32, shift: i32) -> vec4<i32> {
    let y = mixed_vector(i);
    for (var c = 0u; c < 4u; c++) { atomicStore(&mixed[4u * i + c], 0i); }
    return vec4<i32>(round_shift(y.x, shift), round_shift(y.y, shift), round_shift(y.z, shift), round_shift(y.w, shift));
}

fn attend(group: vec3<u32>, lane: u32, halved: bool) {
    let t = params.first + group.y;
    if (t >= params.tokens) { return; }
    let h = head_of(group.x, t);
    let scores = (group.y * params.heads + group.x) * params.fours * 4u;
    let blocks = (h.seen - h.first + BLOCK - 1u) / BLOCK;
    let vectors = params.head_width / 4u;
    for (var b = lane; b < BLOCKS; b += lanes) {
        atomicStore(&sums[b], 0u);
        atomicStore(&narrow[b], 0u);
    }
    for (var i = lane; i < vectors; i += lanes) {
        merged[i] = vec4<i32>(0i);
        merged_low[i] = vec4<i32>(0i);
    }
    begin(lane);
    var most = LEAST;
    for (var j = h.first + lane; j < h.seen; j += lanes) {
        let score = score_of(h, j);
        workspace[scores + j] = score;
        most = max(most, score);
    }
    atomicMax(&peak, most);
    workgroupBarrier();
    for (var b = 0u; b < blocks; b++) {
        var sum = 0u;
        for (var j = h.first + b * BLOCK + lane; j < end_of(h, b); j += lanes) {
            let p = weight_of(workspace[scores + j], atomicLoad(&peak));
            workspace[scores + j] = i32(p);
            sum += p;
        }
        atomicAdd(&sums[b], sum);
    }
    workgroupBarrier();
    for (var b = 0u; b < blocks; b++) {
        let den = atomicLoad(&sums[b]);
        var sum = 0u;
        for (var j = h.first + b * BLOCK + lane; j < end_of(h, b); j += lanes) {
            let p = narrowed_weight(u32(workspace[scores + j]), den);
            workspace[scores + j] = p;
            sum += u32(p);
        }
        atomicAdd(&narrow[b], sum);
    }
    workgroupBarrier();
    storageBarrier();
    var top = 0i;
    for (var b = 0u; b < blocks; b++) { top = max(top, narrowing_of(atomicLoad(&sums[b]))); }
    let sum = total_weight(blocks, top, 0i);
    let more = select(bit_length(u32(sum)) - 16i, 0i, sum <= WHOLE_SUM);
    let reciprocal = reciprocal_of(u32(total_weight(blocks, top, more)));
    for (var b = 0u; b < blocks; b++) {
        let shift = top - narrowing_of(atomicLoad(&sums[b])) + more;
        mix_block(h, scores, b, lane, select(WHOLE, HIGH, halved));
        for (var i = lane; i < vectors; i += lanes) { merged[i] += taken(i, shift); }
        workgroupBarrier();
        if (halved) {
            mix_block(h, scores, b, lane, LOW);
            for (var i = lane; i < vectors; i += lanes) { merged_low[i] += taken(i, shift); }
            workgroupBarrier();
        }
    }
    for (var i = lane; i < vectors; i += lanes) {
        if (halved) { output[h.q + i] = scaled_halves(merged[i], merged_low[i], reciprocal); } else { output[h.q + i] = scaled(merged[i], reciprocal); }
    }
}

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    attend(group, lane, false);
}

@compute @workgroup_size(lanes)
fn halves(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    attend(group, lane, true);
}
