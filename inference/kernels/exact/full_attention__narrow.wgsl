// requires: fixed_point, scaled, narrow4
// What goes before full_attention: the keys narrowed once, not by every four queries.
// k (S, heads · w); scale: largest, exponent; workspace: what comes after the scores (heads, S, quads) of four, as k.
struct Params {
    quads: u32,   // fours of queries of a dispatch, at most
    keys: u32,    // S
    heads: u32,
    head_width: u32,
    bits: i32,    // to which keys are narrowed
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> k: array<vec4<i32>>;
@group(0) @binding(5) var<storage, read> scale_k: array<vec2<i32>>;
@group(0) @binding(8) var<storage, read_write> workspace: array<vec4<i32>>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let m = narrowing(scale_k[0], params.bits);
    let first = params.heads * params.keys * params.quads;
    let words = params.keys * params.heads * (params.head_width / 4u);
    for (var i = id.x; i < words; i += groups.x * lanes) { workspace[first + i] = narrow4(k[i], m, params.bits); }
}
