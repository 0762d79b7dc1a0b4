// requires: fixed_point, attention, attention_fours, eight_lanes
// attention for many tokens where subgroups have 8 lanes or more: the same bits. An invocation takes one token and three of the
// heads that share a key head; a lane loads one of eight keys or values and the others read it from there.

// Eight scores, or eight weights.
struct Eight {
    low: vec4<i32>,
    high: vec4<i32>,
}
alias Keys = array<vec4<i32>, 8>;
alias Sums = array<vec4<i32>, 4>;

// Vector i of eight keys or values from position j on: from the first eight lanes if they are together, this one `part` of them. Those
// beyond the last are the last.
fn eight(first: u32, j: u32, end: u32, i: u32, together: bool, part: u32, short: bool) -> Keys {
    let stride = params.kv_heads * params.head_width / 2u;
    if (together) {
        let x = cached(first + min(j + part, end - 1u) * stride + i, short);
        return Keys(subgroupShuffle(x, 0u), subgroupShuffle(x, 1u), subgroupShuffle(x, 2u), subgroupShuffle(x, 3u),
                    subgroupShuffle(x, 4u), subgroupShuffle(x, 5u), subgroupShuffle(x, 6u), subgroupShuffle(x, 7u));
    }
    var k = Keys();
    for (var n = 0u; n < 8u; n++) { k[n] = cached(first + min(j + n, end - 1u) * stride + i, short); }
    return k;
}

fn add_products(sum: ptr<function, Eight>, x: vec4<i32>, k: Keys) {
    (*sum).low += vec4<i32>(dot(x, k[0]), dot(x, k[1]), dot(x, k[2]), dot(x, k[3]));
    (*sum).high += vec4<i32>(dot(x, k[4]), dot(x, k[5]), dot(x, k[6]), dot(x, k[7]));
}

fn combined(p: Eight, v: Keys) -> vec4<i32> {
    return p.low.x * v[0] + p.low.y * v[1] + p.low.z * v[2] + p.low.w * v[3]
         + p.high.x * v[4] + p.high.y * v[5] + p.high.z * v[6] + p.high.w * v[7];
}

// Which positions a token sees.
fn seen(positions: vec4<u32>, place: vec2<u32>) -> vec4<bool> {
    return positions == clamp(positions, vec4<u32>(first_of(place.y + 1u)), vec4<u32>(place.y));
}

// Eight scores from position j on, written; the largest of those that the token sees.
fn keep(at: u32, j: u32, place: vec2<u32>, score: Eight) -> i32 {
    workspace[at + j / 4u] = score.low;
    workspace[at + j / 4u + 1u] = score.high;
    let low = seen(vec4<u32>(j) + vec4<u32>(0u, 1u, 2u, 3u), place);
    let high = seen(vec4<u32>(j) + vec4<u32>(4u, 5u, 6u, 7u), place);
    return max(largest(select(vec4<i32>(LEAST), score.low, low)), largest(select(vec4<i32>(LEAST), score.high, high)));
}

// Scores to weights in 16 bits, 0 outside the positions that the token sees, to a whole eight of them; their reciprocal.
fn weigh(at: u32, top: i32, place: vec2<u32>, eights: u32) -> i32 {
    let end = eights * 8u;
    let begin = first_of(place.y + 1u);
    var den = 0u;
    for (var j = 0u; j < end; j += 4u) {
        let p = weights_of(workspace[at + j / 4u], top, max(place.y + 1u, j) - j, max(begin, j) - j);
        workspace[at + j / 4u] = vec4<i32>(p);
        den += p.x + p.y + p.z + p.w;
    }
    var total = 0u;
    for (var j = 0u; j < end; j += 4u) {
        let p = narrowed_weights(workspace[at + j / 4u], den);
        workspace[at + j / 4u] = p;
        total += u32(p.x + p.y + p.z + p.w);
    }
    return reciprocal_of(total);
}

// Eight weights, or zeros.
fn weights(at: u32, j: u32, used: bool) -> Eight {
    let mask = vec4<i32>(-i32(used));
    return Eight(workspace[at + j / 4u] & mask, workspace[at + j / 4u + 1u] & mask);
}

fn write(at: u32, i: u32, vectors: u32, mixed: Sums, reciprocal: i32) {
    for (var n = 0u; n < 4u && i + n < vectors; n++) { output[at + i + n] = scaled(mixed[n], reciprocal); }
}

fn attend(group: vec3<u32>, lane: u32, together: bool, part: u32, short: bool) {
    let first = params.first + group.y * lanes;
    // Beyond the last token the last again: in rows of the workspace that are there for it, and nothing is put out.
    let row = first + lane;
    let t = min(row, params.tokens - 1u);
    let place = places[t];
    let vectors = params.head_width / 4u;
    let stride = 2u * params.kv_heads * vectors;
    let count = params.group;
    let each = min(group.z * 3u + vec3<u32>(0u, 1u, 2u), vec3<u32>(count - 1u)); // beyond a group its last again
    let head = vec3<u32>(t * params.heads + group.x * count) + each;
    let queries = head * vectors;
    let threes = ((row - params.first) * params.kv_heads + group.x) * ((count + 2u) / 3u) + group.z;
    let scores = (threes * 3u + vec3<u32>(0u, 1u, 2u)) * params.fours;
    var end = 0u; // beyond the last position that one of these tokens sees
    for (var n = 0u; n < lanes; n++) {
        end = max(end, places[min(first + n, params.tokens - 1u)].y + 1u);
    }

    var most = vec3<i32>(LEAST);
    for (var s = 0u; s < params.sequences; s++) {
        let mine = place.x == s;
        let keys = s * params.capacity * stride + group.x * vectors;
        for (var j = 0u; j < end; j += 8u) {
            var one = Eight();
            var two = Eight();
            var three = Eight();
            for (var i = 0u; i < vectors; i++) {
                let k = eight(keys, j, end, i, together, part, short);
                add_products(&one, q[queries.x + i], k);
                add_products(&two, q[queries.y + i], k);
                add_products(&three, q[queries.z + i], k);
            }
            if (mine) {
                most = max(most, vec3<i32>(keep(scores.x, j, place, one), keep(scores.y, j, place, two),
                                           keep(scores.z, j, place, three)));
            }
        }
    }

    let eights = (end + 7u) / 8u;
    let reciprocal = vec3<i32>(weigh(scores.x, most.x, place, eights), weigh(scores.y, most.y, place, eights),
                               weigh(scores.z, most.z, place, eights));

    for (var i = 0u; i < vectors; i += 4u) {
        var one = Sums();
        var two = Sums();
        var three = Sums();
        for (var s = 0u; s < params.sequences; s++) {
            let mine = place.x == s;
            let values = (s * params.capacity * stride) + (group.x + params.kv_heads) * vectors;
            for (var j = 0u; j < end; j += 8u) {
                let p = weights(scores.x, j, mine);
                let r = weights(scores.y, j, mine);
                let w = weights(scores.z, j, mine);
                for (var n = 0u; n < 4u; n++) {
                    let v = eight(values, j, end, min(i + n, vectors - 1u), together, part, short);
                    one[n] += combined(p, v);
                    two[n] += combined(r, v);
                    three[n] += combined(w, v);
                }
            }
        }
        if (row < params.tokens) {
            write(queries.x, i, vectors, one, reciprocal.x);
            if (each.y > each.x) { write(queries.y, i, vectors, two, reciprocal.y); }
            if (each.z > each.y) { write(queries.z, i, vectors, three, reciprocal.z); }
        }
    }
}

// Each way has loops of its own, in which `together` and `short` are constants.
@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (eight_lanes()) { attend(group, lane, true, lane_of_eight(), false); } else { attend(group, lane, false, 0u, false); }
}

@compute @workgroup_size(lanes)
fn short(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (eight_lanes()) { attend(group, lane, true, lane_of_eight(), true); } else { attend(group, lane, false, 0u, true); }
}
