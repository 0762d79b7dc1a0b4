// The id of the largest partial maximum, ties to the lowest id: spans are in order.
// partial (T, spans) of logit and id; output (T). One invocation a token.
struct Params {
    tokens: u32,
    spans: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> maxima: array<vec2<i32>>;
@group(0) @binding(2) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.tokens) { return; }
    var best = maxima[id.x * params.spans];
    for (var i = 1u; i < params.spans; i++) {
        let other = maxima[id.x * params.spans + i];
        if (other.x > best.x) { best = other; }
    }
    output[id.x] = best.y;
}
