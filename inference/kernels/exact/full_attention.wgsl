// requires: fixed_point, scaled, narrow4
// Attention without a cache; formula and bounds in ops/full_attention.py.
// q (T, heads · w); k, v (S, heads · w); scales: largest, exponent; exponential (256); output (T, heads · w);
// workspace (heads, S, quads) of four scores and then weights, and after them the narrowed keys. One invocation four queries
// and a head: those beyond the last are the last again, and nothing is kept. Of queries and values eight channels at a time.
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
@group(0) @binding(3) var<storage, read> v: array<vec4<i32>>;
@group(0) @binding(4) var<storage, read> scale_q: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> scale_k: array<vec2<i32>>;
@group(0) @binding(6) var<storage, read> exponential: array<u32>;
@group(0) @binding(7) var<storage, read_write> output: array<vec4<i32>>;
@group(0) @binding(8) var<storage, read_write> workspace: array<vec4<i32>>;
override lanes: u32 = 64u;

// Four channels of a query; 0 beyond the last.
fn query4(at: u32, part: u32, fours: u32, n: i32) -> vec4<i32> {
    return select(vec4<i32>(0i), narrow4(q[at + min(part, fours - 1u)], n, params.bits), part < fours);
}

// Which of four queries do not see key j.
fn unseen(query: vec4<u32>, j: u32) -> vec4<bool> {
    return vec4<bool>(params.causal == 1u) & (vec4<u32>(j) > query);
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let quads = params.quads;
    if (id.x >= quads || params.first + 4u * id.x >= params.queries) { return; }
    let fours = params.head_width / 4u;
    let stride = params.heads * fours;
    let query = min(vec4<u32>(params.first + id.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.queries - 1u));
    let keys = select(params.keys, query.w + 1u, params.causal == 1u); // that one of the four sees
    let own = query * stride + group.y * fours;
    let first = group.y * params.keys * quads + id.x;
    let n = narrowing(scale_q[0], params.bits);
    let m = narrowing(scale_k[0], params.bits);

    var largest = vec4<i32>(-2147483647i);
    let narrowed = params.heads * params.keys * quads + group.y * fours;
    for (var part = 0u; part < fours; part += 4u) {
        let x0 = query4(own.x, part, fours, n);
        let y0 = query4(own.y, part, fours, n);
        let z0 = query4(own.z, part, fours, n);
        let w0 = query4(own.w, part, fours, n);
        let x1 = query4(own.x, part + 1u, fours, n);
        let y1 = query4(own.y, part + 1u, fours, n);
        let z1 = query4(own.z, part + 1u, fours, n);
        let w1 = query4(own.w, part + 1u, fours, n);
        let x2 = query4(own.x, part + 2u, fours, n);
        let y2 = query4(own.y, part + 2u, fours, n);
        let z2 = query4(own.z, part + 2u, fours, n);
        let w2 = query4(own.w, part + 2u, fours, n);
        let x3 = query4(own.x, part + 3u, fours, n);
        let y3 = query4(own.y, part + 3u, fours, n);
        let z3 = query4(own.z, part + 3u, fours, n);
        let w3 = query4(own.w, part + 3u, fours, n);
        let at1 = min(part + 1u, fours - 1u);
        let at2 = min(part + 2u, fours - 1u);
        let at3 = min(part + 3u, fours - 1u);
        for (var j = 0u; j < keys; j++) {
            let row = narrowed + j * stride;
            let k0 = workspace[row + part];
            let k1 = workspace[row + at1];
            let k2 = workspace[row + at2];
            let k3 = workspace[row + at3];
            var s = vec4<i32>(0i);
            s += vec4<i32>(dot(x0, k0), dot(y0, k0), dot(z0, k0), dot(w0, k0));
            s += vec4<i32>(dot(x1, k1), dot(y1, k1), dot(z1, k1), dot(w1, k1));
            s += vec4<i32>(dot(x2, k2), dot(y2, k2), dot(z2, k2), dot(w2, k2));
            s += vec4<i32>(dot(x3, k3), dot(y3, k3), dot(z3, k3), dot(w3, k3));
            let at = first + j * quads;
            if (part > 0u) { s += workspace[at]; }
            workspace[at] = s;
            if (part + 4u >= fours) { largest = select(max(largest, s), largest, unseen(query, j)); }
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
    var reciprocal = vec4<i32>(0i);
    for (var part = 0u; part < fours; part += 4u) {
        var x0 = vec4<i32>(0i);
        var y0 = vec4<i32>(0i);
        var z0 = vec4<i32>(0i);
        var w0 = vec4<i32>(0i);
        var x1 = vec4<i32>(0i);
        var y1 = vec4<i32>(0i);
        var z1 = vec4<i32>(0i);
        var w1 = vec4<i32>(0i);
        var x2 = vec4<i32>(0i);
        var y2 = vec4<i32>(0i);
        var z2 = vec4<i32>(0i);
        var w2 = vec4<i32>(0i);
        var x3 = vec4<i32>(0i);
        var y3 = vec4<i32>(0i);
        var z3 = vec4<i32>(0i);
        var w3 = vec4<i32>(0i);
        let at1 = min(part + 1u, fours - 1u);
        let at2 = min(part + 2u, fours - 1u);
        let at3 = min(part + 3u, fours - 1u);
        for (var j = 0u; j < keys; j++) {
            let at = first + j * quads;
            let row = j * stride + group.y * fours;
            let v0 = v[row + part];
            let v1 = v[row + at1];
            let v2 = v[row + at2];
            let v3 = v[row + at3];
            var p = workspace[at];
            if (part == 0u) {
                let u = (vec4<u32>(p) + half) >> by;
                p = vec4<i32>(u);
                workspace[at] = p;
                weight += u;
            }
            x0 += p.x * v0;
            y0 += p.y * v0;
            z0 += p.z * v0;
            w0 += p.w * v0;
            x1 += p.x * v1;
            y1 += p.y * v1;
            z1 += p.z * v1;
            w1 += p.w * v1;
            x2 += p.x * v2;
            y2 += p.y * v2;
            z2 += p.z * v2;
            w2 += p.w * v2;
            x3 += p.x * v3;
            y3 += p.y * v3;
            z3 += p.z * v3;
            w3 += p.w * v3;
        }
        if (part == 0u) {
            reciprocal = vec4<i32>(min((vec4<u32>(1073741824u) + (weight >> vec4<u32>(1u))) / weight, vec4<u32>(32767u)));
        }
        output[own.x + part] = multiply_shift4(x0, reciprocal.x, 16u);
        output[own.y + part] = multiply_shift4(y0, reciprocal.y, 16u);
        output[own.z + part] = multiply_shift4(z0, reciprocal.z, 16u);
        output[own.w + part] = multiply_shift4(w0, reciprocal.w, 16u);
        output[own.x + at1] = multiply_shift4(x1, reciprocal.x, 16u);
        output[own.y + at1] = multiply_shift4(y1, reciprocal.y, 16u);
        output[own.z + at1] = multiply_shift4(z1, reciprocal.z, 16u);
        output[own.w + at1] = multiply_shift4(w1, reciprocal.w, 16u);
        output[own.x + at2] = multiply_shift4(x2, reciprocal.x, 16u);
        output[own.y + at2] = multiply_shift4(y2, reciprocal.y, 16u);
        output[own.z + at2] = multiply_shift4(z2, reciprocal.z, 16u);
        output[own.w + at2] = multiply_shift4(w2, reciprocal.w, 16u);
        output[own.x + at3] = multiply_shift4(x3, reciprocal.x, 16u);
        output[own.y + at3] = multiply_shift4(y3, reciprocal.y, 16u);
        output[own.z + at3] = multiply_shift4(z3, reciprocal.z, 16u);
        output[own.w + at3] = multiply_shift4(w3, reciprocal.w, 16u);
    }
}
