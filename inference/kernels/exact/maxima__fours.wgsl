// The largest |x| of every part of a tensor whose parts are whole vectors: the same bits as maxima.
struct Params {
    words: u32, // of x
    part: u32,
    parts: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.parts) { return; }
    var most = vec4<i32>(0i);
    let end = min((id.x + 1u) * params.part, params.words) / 4u;
    for (var i = id.x * params.part / 4u; i < end; i++) { most = max(most, abs(x[i])); }
    output[id.x] = max(max(most.x, most.y), max(most.z, most.w));
}
