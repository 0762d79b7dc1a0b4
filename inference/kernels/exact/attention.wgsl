// Causal attention of grouped heads over a cache; formula and bounds in ops/attention.py.
// q (T, columns); cache (sequences·capacity, keys and then values); places (T) of sequence and position; exponential (256);
// output (T, columns); workspace (T, heads, capacity): scores, then weights. One workgroup a head and token.
struct Params {
    columns: u32,
    head_width: u32,
    heads: u32,
    kv_heads: u32,
    group: u32,      // heads that share a key head
    capacity: u32,   // positions a sequence has
    places: u32,     // of them in fours, for the workspace
    mantissa: i32,   // log2(e) / sqrt(head width), to 8 fraction bits
    shift: i32,
    value_shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> cache: array<vec4<i32>>;
@group(0) @binding(3) var<storage, read> places: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read> exponential: array<u32>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<i32>>;
@group(0) @binding(6) var<storage, read_write> workspace: array<vec4<i32>>;
override lanes: u32 = 64u;
var<workgroup> peak: atomic<i32>;
var<workgroup> denominator: atomic<u32>;
var<workgroup> weight: atomic<u32>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.y;
    let vectors = params.head_width / 4u;
    let queries = (t * params.heads + group.x) * vectors;
    let place = places[t];
    let seen = place.y + 1u;
    let stride = 2u * params.kv_heads * vectors;
    let keys = place.x * params.capacity * stride + group.x / params.group * vectors;
    let values = keys + params.kv_heads * vectors;
    let scores = (t * params.heads + group.x) * params.places;

    // Set by hand: zero-initialisation was seen to fail from the second workgroup on (wgpu-native on lavapipe 25).
    if (lane == 0u) {
        atomicStore(&peak, -2147483647i);
        atomicStore(&denominator, 0u);
        atomicStore(&weight, 0u);
    }
    workgroupBarrier();
    var most = -2147483647i;
    for (var j = lane * 4u; j < seen; j += lanes * 4u) {
        // Four positions for one read of the query; those beyond the last read the last and are not kept.
        let key = keys + min(vec4<u32>(j) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(place.y)) * stride;
        var score = vec4<i32>(0i);
        for (var i = 0u; i < vectors; i++) {
            let x = q[queries + i];
            score += vec4<i32>(dot(x, cache[key.x + i]), dot(x, cache[key.y + i]), dot(x, cache[key.z + i]), dot(x, cache[key.w + i]));
        }
        workspace[scores + j / 4u] = score;
        most = max(most, max(max(score.x, score.y), max(score.z, score.w)));
    }
    atomicMax(&peak, most);
    workgroupBarrier();

    let top = atomicLoad(&peak);
    var sum = 0u;
    for (var j = lane * 4u; j < seen; j += lanes * 4u) {
        let distance = vec4<i32>(top) - workspace[scores + j / 4u];
        var p = vec4<u32>(0u);
        for (var c = 0u; c < 4u && j + c < seen; c++) {
            let u = u32(round_shift(multiply_shift(distance[c], params.mantissa, 16u), params.shift));
            p[c] = exponential[u & 255u] >> min(u >> 8u, 31u);
        }
        workspace[scores + j / 4u] = vec4<i32>(p);
        sum += p.x + p.y + p.z + p.w;
    }
    atomicAdd(&denominator, sum);
    workgroupBarrier();

    let narrow = u32(bit_length(atomicLoad(&denominator)) - 16i); // at least 3
    sum = 0u;
    for (var j = lane * 4u; j < seen; j += lanes * 4u) {
        let p = (workspace[scores + j / 4u] + vec4<i32>(1i << (narrow - 1u))) >> vec4<u32>(narrow);
        workspace[scores + j / 4u] = p;
        sum += u32(p.x + p.y + p.z + p.w);
    }
    atomicAdd(&weight, sum);
    workgroupBarrier();
    storageBarrier();

    let total = atomicLoad(&weight);
    let reciprocal = i32(min((1073741824u + total / 2u) / total, 32767u));
    for (var i = lane; i < vectors; i += lanes) {
        var mixed = vec4<i32>(0i);
        for (var j = 0u; j < seen; j += 4u) {
            let p = workspace[scores + j / 4u]; // 0 beyond the last position
            let value = values + min(vec4<u32>(j) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(place.y)) * stride + i;
            mixed += p.x * cache[value.x] + p.y * cache[value.y] + p.z * cache[value.z] + p.w * cache[value.w];
        }
        for (var c = 0u; c < 4u; c++) {
            mixed[c] = round_shift(multiply_shift(mixed[c], reciprocal, 16u), params.value_shift);
        }
        output[queries + i] = mixed;
    }
}
