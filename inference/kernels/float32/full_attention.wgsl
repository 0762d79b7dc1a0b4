// Attention without a cache: y = sum_j softmax(q·k_j / sqrt(w))_j v_j.
// q (T, heads · w); k, v (S, heads · w); output (T, heads · w); workspace (heads, S, T). One invocation a query and head.
struct Params {
    queries: u32, // T
    keys: u32,    // S
    heads: u32,
    head_width: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> workspace: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.queries) { return; }
    let fours = params.head_width / 4u;
    let stride = params.heads * fours;
    let own = id.x * stride + id.y * fours;
    let first = id.y * params.keys * params.queries + id.x;

    for (var j = 0u; j < params.keys; j++) { workspace[first + j * params.queries] = 0.0; }
    for (var part = 0u; part < fours; part++) {
        let x = q[own + part];
        for (var j = 0u; j < params.keys; j++) {
            workspace[first + j * params.queries] += dot(x, k[j * stride + id.y * fours + part]);
        }
    }
    let scale = inverseSqrt(f32(params.head_width));
    var largest = workspace[first];
    for (var j = 0u; j < params.keys; j++) { largest = max(largest, workspace[first + j * params.queries]); }
    var total = 0.0;
    for (var j = 0u; j < params.keys; j++) {
        let p = exp((workspace[first + j * params.queries] - largest) * scale);
        workspace[first + j * params.queries] = p;
        total += p;
    }
    for (var part = 0u; part < fours; part++) {
        var mixed = vec4<f32>(0.0);
        for (var j = 0u; j < params.keys; j++) {
            mixed += workspace[first + j * params.queries] * v[j * stride + id.y * fours + part];
        }
        output[own + part] = mixed / total;
    }
}
