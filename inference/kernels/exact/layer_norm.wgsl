// requires: fixed_point, scaled, pairs, inverse_root
// A layer norm; formula and bounds in ops/layer_norm.py.
// x (rows, channels); affine (2, channels); scales: largest, exponent; output as x. One workgroup a row, rows beyond 65,535 folded;
// sums and maxima do not depend on order.
struct Params {
    rows: u32,
    channels: u32,
    mantissa: u32, // of epsilon
    exponent: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> affine: array<i32>;
@group(0) @binding(3) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(4) var<storage, read> affine_scale: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;
var<workgroup> parts: array<vec2<u32>, 256>;
var<workgroup> largest: atomic<u32>;

// Of all lanes; every lane has it.
fn sum_of_parts() -> vec2<u32> {
    workgroupBarrier();
    var total = vec2<u32>(0u);
    for (var i = 0u; i < min(lanes, params.channels); i++) { total = plus(total, parts[i]); }
    workgroupBarrier();
    return total;
}

// floor(|S| / channels) with the sign of S; a bit at a time: the rest stays below 2^13.
fn mean_of(sum: vec2<u32>) -> i32 {
    let negative = (sum.x >> 31u) == 1u;
    var total = sum;
    if (negative) { total = plus(vec2<u32>(~total.x, ~total.y), vec2<u32>(0u, 1u)); }
    var rest = 0u;
    var quotient = 0u;
    for (var i = 0u; i < 64u; i++) {
        rest = rest * 2u + (total.x >> 31u);
        total = vec2<u32>((total.x << 1u) | (total.y >> 31u), total.y << 1u);
        quotient *= 2u;
        if (rest >= params.channels) {
            rest -= params.channels;
            quotient++;
        }
    }
    return select(i32(quotient), -i32(quotient), negative);
}

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.y * 65535u + group.x;
    let first = min(row, params.rows - 1u) * params.channels; // beyond the last row nothing is kept
    if (lane == 0u) { atomicStore(&largest, 0u); }
    let n = narrowing(scale[0], 29i);
    var sum = vec2<u32>(0u);
    for (var i = lane; i < params.channels; i += lanes) { sum = plus(sum, pair(narrow(x[first + i], n, 29u))); }
    parts[lane] = sum;
    let mean = mean_of(sum_of_parts());
    var most = 0u;
    for (var i = lane; i < params.channels; i += lanes) { most = max(most, u32(abs(narrow(x[first + i], n, 29u) - mean))); }
    atomicMax(&largest, most);
    workgroupBarrier();
    let m = bit_length(atomicLoad(&largest)) - 29i;
    var squares = vec2<u32>(0u);
    for (var i = lane; i < params.channels; i += lanes) {
        let d = round_shift(narrow(narrow(x[first + i], n, 29u) - mean, m, 29u), 14i);
        squares = plus(squares, vec2<u32>(0u, u32(d * d)));
    }
    parts[lane] = squares;
    let exponent = params.exponent - 2i * (scale[0].y + n + m + 14i);
    let root = inverse_root(sum_of_parts(), params.channels, params.mantissa, exponent);
    if (row >= params.rows) { return; }
    let k = narrowing(affine_scale[0], 15i);
    for (var i = lane; i < params.channels; i += lanes) {
        let d = narrow(narrow(x[first + i], n, 29u) - mean, m, 29u);
        let y = clamp(moved(multiply_shift(d, root.x, 16u), 18i + root.y), -32767i, 32767i);
        output[first + i] = y * narrow(affine[i], k, 15u) + (narrow(affine[i + params.channels], k, 15u) << 10u);
    }
}
