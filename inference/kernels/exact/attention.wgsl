// requires: fixed_point, attention, attention_fours
// Causal attention of grouped heads over a cache; formula and bounds in ops/attention.py.
// One workgroup a key head and token; three of the heads that share it read keys and values once.
const HEADS = 3u; // together; beyond the last of a group its last again, and nothing kept
alias Each = array<vec4<i32>, HEADS>;
var<workgroup> peak: array<atomic<i32>, HEADS>;
var<workgroup> denominator: array<atomic<u32>, HEADS>;
var<workgroup> weight: array<atomic<u32>, HEADS>;

alias Four = array<vec4<i32>, 4>;

fn four(at: vec4<u32>, short: bool) -> Four {
    return Four(cached(at.x, short), cached(at.y, short), cached(at.z, short), cached(at.w, short));
}

fn products(k: Four, x: vec4<i32>) -> vec4<i32> {
    return vec4<i32>(dot(x, k[0]), dot(x, k[1]), dot(x, k[2]), dot(x, k[3]));
}

fn combined(v: Four, p: vec4<i32>) -> vec4<i32> {
    return p.x * v[0] + p.y * v[1] + p.z * v[2] + p.w * v[3];
}

fn without_last(v: Four) -> Four {
    let low = vec4<u32>(params.low);
    return Four(v[0] >> low, v[1] >> low, v[2] >> low, v[3] >> low);
}

fn last_of(v: Four) -> Four {
    let mask = vec4<i32>((1i << params.low) - 1i);
    return Four(v[0] & mask, v[1] & mask, v[2] & mask, v[3] & mask);
}

fn attend(group: vec3<u32>, lane: u32, halved: bool, short: bool) {
    let t = params.first + group.y;
    if (t >= params.tokens) { return; }
    let vectors = params.head_width / 4u;
    let place = places[t];
    let seen = place.y + 1u;
    let begin = first_of(seen);
    let aligned = begin & ~3u; // positions are taken by fours
    let stride = 2u * params.kv_heads * vectors;
    let keys = place.x * params.capacity * stride + group.x * vectors;
    let values = keys + params.kv_heads * vectors;

    for (var first = 0u; first < params.group; first += HEADS) {
        let head = t * params.heads + group.x * params.group + min(vec3<u32>(first) + vec3<u32>(0u, 1u, 2u), vec3<u32>(params.group - 1u));
        let count = min(HEADS, params.group - first);
        let queries = head * vectors;
        let scores = (head - vec3<u32>(params.first * params.heads)) * params.fours;

        // Set by hand: zero-initialisation was seen to fail from the second workgroup on (wgpu-native on lavapipe 25).
        if (lane < HEADS) {
            atomicStore(&peak[lane], LEAST);
            atomicStore(&denominator[lane], 0u);
            atomicStore(&weight[lane], 0u);
        }
        workgroupBarrier();
        var most = vec3<i32>(LEAST);
        for (var j = aligned + lane * 4u; j < seen; j += lanes * 4u) {
            // Four positions for one read of the queries; those outside read the nearest inside and are not kept.
            let key = keys + clamp(vec4<u32>(j) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(begin), vec4<u32>(place.y)) * stride;
            var score = Each();
            for (var i = 0u; i < vectors; i++) {
                let k = four(key + i, short);
                score[0] += products(k, q[queries.x + i]);
                score[1] += products(k, q[queries.y + i]);
                score[2] += products(k, q[queries.z + i]);
            }
            workspace[scores.x + j / 4u] = score[0];
            workspace[scores.y + j / 4u] = score[1]; // the same again where there are fewer heads
            workspace[scores.z + j / 4u] = score[2];
            most = max(most, vec3<i32>(largest(score[0]), largest(score[1]), largest(score[2])));
        }
        for (var h = 0u; h < count; h++) { atomicMax(&peak[h], most[h]); }
        workgroupBarrier();

        for (var h = 0u; h < count; h++) {
            let top = atomicLoad(&peak[h]);
            var sum = 0u;
            for (var j = aligned + lane * 4u; j < seen; j += lanes * 4u) {
                let p = weights_of(workspace[scores[h] + j / 4u], top, seen - j, max(begin, j) - j);
                workspace[scores[h] + j / 4u] = vec4<i32>(p);
                sum += p.x + p.y + p.z + p.w;
            }
            atomicAdd(&denominator[h], sum);
        }
        workgroupBarrier();

        for (var h = 0u; h < count; h++) {
            let den = atomicLoad(&denominator[h]);
            var sum = 0u;
            for (var j = aligned + lane * 4u; j < seen; j += lanes * 4u) {
                let p = narrowed_weights(workspace[scores[h] + j / 4u], den);
                workspace[scores[h] + j / 4u] = p;
                sum += u32(p.x + p.y + p.z + p.w);
            }
            atomicAdd(&weight[h], sum);
        }
        workgroupBarrier();
        storageBarrier();

        for (var i = lane; i < vectors; i += lanes) {
            var mixed = Each();
            var rest = Each();
            for (var j = aligned; j < seen; j += 4u) {
                // Weights are 0 outside.
                let value = values + min(vec4<u32>(j) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(place.y)) * stride + i;
                var v = four(value, short);
                if (halved) {
                    let low = last_of(v);
                    rest[0] += combined(low, workspace[scores.x + j / 4u]);
                    rest[1] += combined(low, workspace[scores.y + j / 4u]);
                    rest[2] += combined(low, workspace[scores.z + j / 4u]);
                    v = without_last(v);
                }
                mixed[0] += combined(v, workspace[scores.x + j / 4u]);
                mixed[1] += combined(v, workspace[scores.y + j / 4u]);
                mixed[2] += combined(v, workspace[scores.z + j / 4u]);
            }
            for (var h = 0u; h < count; h++) {
                let reciprocal = reciprocal_of(atomicLoad(&weight[h]));
                if (halved) {
                    output[queries[h] + i] = scaled_halves(mixed[h], rest[h], reciprocal);
                } else {
                    output[queries[h] + i] = scaled(mixed[h], reciprocal);
                }
            }
        }
        workgroupBarrier();
    }
}

// Each way has loops of its own, in which `halved` and `short` are constants.
@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    attend(group, lane, false, false);
}

@compute @workgroup_size(lanes)
fn halves(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    attend(group, lane, true, false);
}

@compute @workgroup_size(lanes)
fn short(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    attend(group, lane, false, true);
}
