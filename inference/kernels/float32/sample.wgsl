// The smallest id whose inclusive prefix sum of weights exceeds draw / 2^32 of their total.
// logits (T, columns); maxima (T, spans) of the logit's bits and id; sums (T, spans); draws (T); output (T).
// One invocation a token.
struct Params {
    tokens: u32,
    columns: u32,
    spans: u32, // ceil(columns / 1024)
    scale: f32, // 1 / temperature
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> maxima: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read> sums: array<f32>;
@group(0) @binding(4) var<storage, read> draws: array<u32>;
@group(0) @binding(5) var<storage, read_write> output: array<u32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.tokens) { return; }
    let first = id.x * params.spans;
    var top = bitcast<f32>(maxima[first].x);
    var total = 0.0;
    for (var i = 0u; i < params.spans; i++) {
        top = max(top, bitcast<f32>(maxima[first + i].x));
        total += sums[first + i];
    }
    let threshold = f32(draws[id.x]) / 4294967296.0 * total;
    var span = 0u;
    var before = 0.0;
    while (span + 1u < params.spans && before + sums[first + span] <= threshold) {
        before += sums[first + span];
        span++;
    }
    let row = id.x * params.columns;
    let last = min(span * 1024u + 1024u, params.columns) - 1u;
    var token = span * 1024u;
    while (token < last) {
        before += exp((logits[row + token] - top) * params.scale);
        if (before > threshold) { break; }
        token++;
    }
    output[id.x] = token;
}
