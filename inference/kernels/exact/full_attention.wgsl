// requires: fixed_point, scaled
// Attention without a cache; formula and bounds in ops/full_attention.py.
// q (T, heads · w); k, v (S, heads · w); scales: largest, exponent; exponential (256); output (T, heads · w);
// workspace (heads, S, quads) of four scores and then weights. One invocation four queries and a head: those beyond the last
// are the last again, and nothing is kept.
struct Params {
    queries: u32, // T
    first: u32,   // of this dispatch
    quads: u32,   // fours of queries of a dispatch, at most
    keys: u32,    // S
    heads: u32,
    head_width: u32,
    causal: u32,  // 1 where a query sees the keys up to its own place
    bits: i32,    // to which queries and keys are narrowed
    drop: u32,
    mantissa: i32,
    shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<i32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<i32>>;
@group(0) @binding(4) var<storage, read> scale_q: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> scale_k: array<vec2<i32>>;
@group(0) @binding(6) var<storage, read> exponential: array<u32>;
@group(0) @binding(7) var<storage, read_write> output: array<vec4<i32>>;
@group(0) @binding(8) var<storage, read_write> workspace: array<vec4<i32>>;
override lanes: u32 = 64u;

fn narrow4(z: vec4<i32>, n: i32, bits: i32) -> vec4<i32> {
    let most = vec4<i32>((1i << u32(bits)) - 1i);
    let right = vec4<u32>(u32(max(n, 0i)));
    let down = clamp((z + vec4<i32>((1i << right.x) >> 1u)) >> right, -most, most);
    return select(z << vec4<u32>(u32(max(-n, 0i))), down, n > 0i);
}

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
    let n = narrowing(scale_q[0], params.bits);
    let m = narrowing(scale_k[0], params.bits);

    var largest = vec4<i32>(-2147483647i);
    for (var part = 0u; part < fours; part++) {
        let x = narrow4(q[own.x + part], n, params.bits);
        let y = narrow4(q[own.y + part], n, params.bits);
        let z = narrow4(q[own.z + part], n, params.bits);
        let w = narrow4(q[own.w + part], n, params.bits);
        for (var j = 0u; j < keys; j++) {
            let key = narrow4(k[j * stride + id.y * fours + part], m, params.bits);
            var s = vec4<i32>(dot(x, key), dot(y, key), dot(z, key), dot(w, key));
            let at = first + j * quads;
            if (part > 0u) { s += workspace[at]; }
            workspace[at] = s;
            if (part + 1u == fours) { largest = select(max(largest, s), largest, unseen(query, j)); }
        }
    }

    let shift = params.shift - (scale_q[0].y + n) - (scale_k[0].y + m);
    var total = vec4<u32>(0u);
    for (var j = 0u; j < keys; j++) {
        let at = first + j * quads;
        let d = multiply_shift4(max(largest - workspace[at], vec4<i32>(0i)), params.mantissa, 16u);
        let u = vec4<u32>(vec4<i32>(moved(d.x, shift), moved(d.y, shift), moved(d.z, shift), moved(d.w, shift)));
        let place = u & vec4<u32>(255u);
        let all = vec4<u32>(exponential[place.x], exponential[place.y], exponential[place.z], exponential[place.w])
             >> min((u >> vec4<u32>(8u)) + vec4<u32>(params.drop), vec4<u32>(31u));
        let p = select(all, vec4<u32>(0u), unseen(query, j));
        workspace[at] = vec4<i32>(p);
        total += p;
    }
    let by = vec4<u32>(16u) - countLeadingZeros(total); // the bit length less 16
    let half = (vec4<u32>(1u) << by) >> vec4<u32>(1u);
    var weight = vec4<u32>(0u);
    for (var j = 0u; j < keys; j++) {
        let at = first + j * quads;
        let p = (vec4<u32>(workspace[at]) + half) >> by;
        workspace[at] = vec4<i32>(p);
        weight += p;
    }
    let reciprocal = vec4<i32>(min((vec4<u32>(1073741824u) + (weight >> vec4<u32>(1u))) / weight, vec4<u32>(32767u)));
    for (var part = 0u; part < fours; part++) {
        var x = vec4<i32>(0i);
        var y = vec4<i32>(0i);
        var z = vec4<i32>(0i);
        var w = vec4<i32>(0i);
        for (var j = 0u; j < keys; j++) {
            let value = v[j * stride + id.y * fours + part];
            let p = workspace[first + j * quads];
            x += p.x * value;
            y += p.y * value;
            z += p.z * value;
            w += p.w * value;
        }
        output[own.x + part] = multiply_shift4(x, reciprocal.x, 16u);
        output[own.y + part] = multiply_shift4(y, reciprocal.y, 16u);
        output[own.z + part] = multiply_shift4(z, reciprocal.z, 16u);
        output[own.w + part] = multiply_shift4(w, reciprocal.w, 16u);
    }
}
