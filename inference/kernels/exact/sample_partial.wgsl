// requires: fixed_point
// The sum of p = EXP(max - logit) over each 1,024 tokens; formula and bounds in ops/sample_partial.py.
// logits (T, columns); maxima (T, spans) of logit and id; exponential (256); output (T, spans). One workgroup a span and token.
struct Params {
    columns: u32,
    spans: u32,    // ceil(columns / 1024)
    mantissa: i32, // log2(e) / temperature, to 8 fraction bits
    shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<i32>;
@group(0) @binding(2) var<storage, read> maxima: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read> exponential: array<u32>;
@group(0) @binding(4) var<storage, read_write> output: array<u32>;
override lanes: u32 = 64u;
var<workgroup> total: atomic<u32>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (lane == 0u) { atomicStore(&total, 0u); }
    workgroupBarrier();
    var top = maxima[group.y * params.spans].x;
    for (var i = 1u; i < params.spans; i++) { top = max(top, maxima[group.y * params.spans + i].x); }
    let row = group.y * params.columns;
    let drop = u32(max(bit_length(params.columns) - 14i, 3i));
    let end = min(group.x * 1024u + 1024u, params.columns);
    var sum = 0u;
    for (var i = group.x * 1024u + lane; i < end; i += lanes) {
        let u = halvings(top - logits[row + i], params.mantissa, params.shift);
        sum += (exponential[u & 255u] >> drop) >> min(u >> 8u, 31u);
    }
    atomicAdd(&total, sum);
    workgroupBarrier();
    if (lane == 0u) { output[group.y * params.spans + group.x] = atomicLoad(&total); }
}
