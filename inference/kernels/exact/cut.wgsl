// requires: fixed_point, draw
// The last of the likeliest tokens, digit by digit of distance and id; formula and bounds in ops/cut.py.
// logits (T, columns); maxima (T, spans) of logit and id; exponential (256); output (T) of logit and id. One workgroup a token.
struct Params {
    columns: u32,
    spans: u32,    // ceil(columns / 1024)
    count: u32,    // tokens, or 0
    share: u32,    // of all weights, in 2^-32
    mantissa: i32, // log2(e) / temperature, to 8 fraction bits
    shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<i32>;
@group(0) @binding(2) var<storage, read> maxima: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read> exponential: array<u32>;
@group(0) @binding(4) var<storage, read_write> output: array<vec2<i32>>;
override lanes: u32 = 64u;
var<workgroup> bins: array<atomic<u32>, 1024>;
var<workgroup> left: u32;
var<workgroup> distance: u32; // of the logit from 2^30, as far as it is found
var<workgroup> rank: u32;     // the id, likewise

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var top = maxima[group.x * params.spans].x;
    for (var i = 1u; i < params.spans; i++) { top = max(top, maxima[group.x * params.spans + i].x); }
    let row = group.x * params.columns;
    let drop = u32(max(bit_length(params.columns) - 14i, 3i));
    for (var level = 0u; level < 6u; level++) {
        let of_id = level > 3u;
        let shift = select(24u - 8u * level, 50u - 10u * level, of_id);
        let width = select(8u, 10u, of_id);
        for (var i = lane; i < 1024u; i += lanes) { atomicStore(&bins[i], 0u); }
        workgroupBarrier();
        for (var i = lane; i < params.columns; i += lanes) {
            let x = logits[row + i];
            let away = bitcast<u32>(1073741824i - x);
            let key = select(away, i, of_id);
            if (of_id && away != distance) { continue; }
            if (level > 0u && ((key ^ select(distance, rank, of_id)) >> shift) >> width != 0u) { continue; }
            var p = 1u;
            if (params.count == 0u) {
                let u = halvings(top - x, params.mantissa, params.shift);
                p = (exponential[u & 255u] >> drop) >> min(u >> 8u, 31u);
            }
            atomicAdd(&bins[(key >> shift) & ((1u << width) - 1u)], p);
        }
        workgroupBarrier();
        if (lane == 0u) {
            if (level == 0u) {
                var total = 0u;
                for (var i = 0u; i < 256u; i++) { total += atomicLoad(&bins[i]); }
                left = select(portion(total, params.share) + 1u, min(params.count, total), params.count > 0u);
                distance = 0u;
                rank = 0u;
            }
            var at = 0u;
            var rest = left;
            var here = atomicLoad(&bins[0]);
            while (here < rest) {
                rest -= here;
                at++;
                here = atomicLoad(&bins[at]);
            }
            left = rest;
            if (of_id) { rank += at << shift; } else { distance += at << shift; }
        }
        workgroupBarrier();
    }
    if (lane == 0u) { output[group.x] = vec2<i32>(1073741824i - bitcast<i32>(distance), i32(rank)); }
}
