// Attention without a cache: y = sum_j softmax(q·k_j / sqrt(w))_j v_j.
// q (T, heads · w); k, v (S, heads · w); output (T, heads · w); workspace (heads, S, quads) of four. One invocation four queries
// and a head: those beyond the last are the last again, and nothing is kept.
struct Params {
    queries: u32, // T
    first: u32,   // of this dispatch
    quads: u32,   // fours of queries of a dispatch, at most
    keys: u32,    // S
    heads: u32,
    head_width: u32,
    causal: u32,  // 1 where a query sees the keys up to its own place
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> workspace: array<vec4<f32>>;
override lanes: u32 = 64u;

// Which of four queries do not see key j.
fn unseen(query: vec4<u32>, j: u32) -> vec4<bool> {
    return vec4<bool>(params.causal == 1u) & (vec4<u32>(j) > query);
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let quads = params.quads;
    if (id.x >= quads || params.first + 4u * id.x >= params.queries) { return; }
    let fours = params.head_width / 4u;
    let stride = params.heads * fours;
    let query = min(vec4<u32>(params.first + id.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.queries - 1u));
    let keys = select(params.keys, query.w + 1u, params.causal == 1u); // that one of the four sees
    let own = query * stride + id.y * fours;
    let first = id.y * params.keys * quads + id.x;

    var largest = vec4<f32>(0.0);
    for (var part = 0u; part < fours; part++) {
        let x = q[own.x + part];
        let y = q[own.y + part];
        let z = q[own.z + part];
        let w = q[own.w + part];
        for (var j = 0u; j < keys; j++) {
            let key = k[j * stride + id.y * fours + part];
            var s = vec4<f32>(dot(x, key), dot(y, key), dot(z, key), dot(w, key));
            let at = first + j * quads;
            if (part > 0u) { s += workspace[at]; }
            workspace[at] = s;
            if (part + 1u == fours) { largest = select(select(max(largest, s), largest, unseen(query, j)), s, vec4<bool>(j == 0u)); }
        }
    }
    let scale = inverseSqrt(f32(params.head_width));
    var total = vec4<f32>(0.0);
    for (var j = 0u; j < keys; j++) {
        let d = min(workspace[first + j * quads] - largest, vec4<f32>(0.0));
        let p = select(exp(d * scale), vec4<f32>(0.0), unseen(query, j));
        workspace[first + j * quads] = p;
        total += p;
    }
    for (var part = 0u; part < fours; part++) {
        var x = vec4<f32>(0.0);
        var y = vec4<f32>(0.0);
        var z = vec4<f32>(0.0);
        var w = vec4<f32>(0.0);
        for (var j = 0u; j < keys; j++) {
            let value = v[j * stride + id.y * fours + part];
            let p = workspace[first + j * quads];
            x += p.x * value;
            y += p.y * value;
            z += p.z * value;
            w += p.w * value;
        }
        output[own.x + part] = x / total.x;
        output[own.y + part] = y / total.y;
        output[own.z + part] = z / total.z;
        output[own.w + part] = w / total.w;
    }
}
