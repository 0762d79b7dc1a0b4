// requires: fixed_point, scaled
// Attention without a cache; formula and bounds in ops/full_attention.py.
// q (T, heads · w); k, v (S, heads · w); scales: largest, exponent; exponential (256); output (T, heads · w);
// workspace (heads, S, T) of scores and then weights. One invocation a query and head.
struct Params {
    queries: u32, // T
    keys: u32,    // S
    heads: u32,
    head_width: u32,
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
@group(0) @binding(6) var<storage, read> scale_v: array<vec2<i32>>;
@group(0) @binding(7) var<storage, read> exponential: array<u32>;
@group(0) @binding(8) var<storage, read_write> output: array<vec4<i32>>;
@group(0) @binding(9) var<storage, read_write> workspace: array<i32>;
override lanes: u32 = 64u;

fn narrow4(z: vec4<i32>, n: i32, bits: i32) -> vec4<i32> {
    let most = vec4<i32>((1i << u32(bits)) - 1i);
    let right = vec4<u32>(u32(max(n, 0i)));
    let down = clamp((z + vec4<i32>((1i << right.x) >> 1u)) >> right, -most, most);
    return select(z << vec4<u32>(u32(max(-n, 0i))), down, n > 0i);
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.queries) { return; }
    let fours = params.head_width / 4u;
    let stride = params.heads * fours;
    let own = id.x * stride + id.y * fours;
    let first = id.y * params.keys * params.queries + id.x;
    let n = narrowing(scale_q[0], params.bits);
    let m = narrowing(scale_k[0], params.bits);
    let o = narrowing(scale_v[0], 14i);

    var largest = -2147483647i;
    for (var j = 0u; j < params.keys; j++) { workspace[first + j * params.queries] = 0i; }
    for (var part = 0u; part < fours; part++) {
        let x = narrow4(q[own + part], n, params.bits);
        for (var j = 0u; j < params.keys; j++) {
            workspace[first + j * params.queries] += dot(x, narrow4(k[j * stride + id.y * fours + part], m, params.bits));
        }
    }
    for (var j = 0u; j < params.keys; j++) { largest = max(largest, workspace[first + j * params.queries]); }

    let shift = params.shift - (scale_q[0].y + n) - (scale_k[0].y + m);
    var total = 0u;
    for (var j = 0u; j < params.keys; j++) {
        let at = first + j * params.queries;
        let u = u32(moved(multiply_shift(largest - workspace[at], params.mantissa, 16u), shift));
        let p = exponential[u & 255u] >> min((u >> 8u) + params.drop, 31u);
        workspace[at] = i32(p);
        total += p;
    }
    let by = bit_length(total) - 16i;
    var weight = 0u;
    for (var j = 0u; j < params.keys; j++) {
        let at = first + j * params.queries;
        let p = round_shift(workspace[at], by);
        workspace[at] = p;
        weight += u32(p);
    }
    let reciprocal = i32(min((1073741824u + (weight >> 1u)) / weight, 32767u));
    for (var part = 0u; part < fours; part++) {
        var mixed = vec4<i32>(0i);
        for (var j = 0u; j < params.keys; j++) {
            mixed += workspace[first + j * params.queries] * narrow4(v[j * stride + id.y * fours + part], o, 14i);
        }
        output[own + part] = multiply_shift4(mixed, reciprocal, 16u);
    }
}
