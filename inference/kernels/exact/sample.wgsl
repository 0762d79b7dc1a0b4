// requires: fixed_point, draw
// The smallest id whose inclusive prefix sum of weights exceeds floor(draw · total / 2^32); bounds in ops/sample.py.
// logits (T, columns); maxima (T, spans) of logit and id; sums (T, spans); draws (T); exponential (256); output (T).
// One invocation a token.
struct Params {
    tokens: u32,
    columns: u32,
    spans: u32,    // ceil(columns / 1024)
    mantissa: i32, // log2(e) / temperature, to 8 fraction bits
    shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<i32>;
@group(0) @binding(2) var<storage, read> maxima: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read> sums: array<u32>;
@group(0) @binding(4) var<storage, read> draws: array<u32>;
@group(0) @binding(5) var<storage, read> exponential: array<u32>;
@group(0) @binding(6) var<storage, read_write> output: array<u32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.tokens) { return; }
    let first = id.x * params.spans;
    var top = maxima[first].x;
    var total = 0u;
    for (var i = 0u; i < params.spans; i++) {
        top = max(top, maxima[first + i].x);
        total += sums[first + i];
    }
    var left = portion(total, draws[id.x]);
    var span = 0u;
    while (sums[first + span] <= left) {
        left -= sums[first + span];
        span++;
    }
    let row = id.x * params.columns;
    let drop = u32(max(bit_length(params.columns) - 14i, 3i));
    var token = span * 1024u;
    loop {
        let u = halvings(top - logits[row + token], params.mantissa, params.shift);
        let p = (exponential[u & 255u] >> drop) >> min(u >> 8u, 31u);
        if (p > left) { break; }
        left -= p;
        token++;
    }
    output[id.x] = token;
}
