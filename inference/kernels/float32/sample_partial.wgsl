// The sum of p = e^((logit - max)·scale) over each 1,024 tokens.
// logits (T, columns); maxima (T, spans) of the logit's bits and id; output (T, spans). One workgroup a span and token.
struct Params {
    columns: u32,
    spans: u32, // ceil(columns / 1024)
    scale: f32, // 1 / temperature
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> maxima: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;
var<workgroup> parts: array<f32, 256>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var top = bitcast<f32>(maxima[group.y * params.spans].x);
    for (var i = 1u; i < params.spans; i++) { top = max(top, bitcast<f32>(maxima[group.y * params.spans + i].x)); }
    let row = group.y * params.columns;
    let end = min(group.x * 1024u + 1024u, params.columns);
    var sum = 0.0;
    for (var i = group.x * 1024u + lane; i < end; i += lanes) { sum += exp((logits[row + i] - top) * params.scale); }
    parts[lane] = sum;
    workgroupBarrier();
    if (lane == 0u) {
        var total = 0.0;
        for (var i = 0u; i < lanes; i++) { total += parts[i]; }
        output[group.y * params.spans + group.x] = total;
    }
}
