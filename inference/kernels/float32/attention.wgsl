// Causal attention of grouped heads over a cache: y = sum_j softmax(q·k_j / sqrt(w))_j v_j.
// q (T, columns); cache (sequences·capacity, keys and then values); places (T) of sequence and position;
// output (T, columns); workspace (T, heads, capacity): scores, then weights. One workgroup a head and token.
struct Params {
    tokens: u32,
    first: u32,      // of this dispatch
    columns: u32,
    head_width: u32, // w
    heads: u32,
    kv_heads: u32,
    group: u32,      // heads that share a key head
    capacity: u32,   // positions a sequence has
    window: u32,     // of them a token sees the last; 0: all
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> cache: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> places: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> workspace: array<f32>;
override lanes: u32 = 64u;
var<workgroup> parts: array<f32, 256>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = params.first + group.y;
    if (t >= params.tokens) { return; }
    let vectors = params.head_width / 4u;
    let queries = (t * params.heads + group.x) * vectors;
    let place = places[t];
    let seen = place.y + 1u;
    let first = select(0u, seen - params.window, params.window > 0u && seen > params.window);
    let stride = 2u * params.kv_heads * vectors;
    let keys = place.x * params.capacity * stride + group.x / params.group * vectors;
    let values = keys + params.kv_heads * vectors;
    let scores = (group.y * params.heads + group.x) * params.capacity;
    let scale = inverseSqrt(f32(params.head_width));

    var most = -3.0e38;
    for (var j = first + lane; j < seen; j += lanes) {
        var score = 0.0;
        for (var i = 0u; i < vectors; i++) { score += dot(q[queries + i], cache[keys + j * stride + i]); }
        workspace[scores + j] = score * scale;
        most = max(most, score * scale);
    }
    parts[lane] = most;
    workgroupBarrier();
    for (var i = 0u; i < lanes; i++) { most = max(most, parts[i]); }
    workgroupBarrier();

    var sum = 0.0;
    for (var j = first + lane; j < seen; j += lanes) {
        let p = exp(workspace[scores + j] - most);
        workspace[scores + j] = p;
        sum += p;
    }
    parts[lane] = sum;
    workgroupBarrier();
    storageBarrier();
    var total = 0.0;
    for (var i = 0u; i < lanes; i++) { total += parts[i]; }
    for (var i = lane; i < vectors; i += lanes) {
        var mixed = vec4<f32>(0.0);
        for (var j = first; j < seen; j++) { mixed += workspace[scores + j] * cache[values + j * stride + i]; }
        output[queries + i] = mixed / total;
    }
}
