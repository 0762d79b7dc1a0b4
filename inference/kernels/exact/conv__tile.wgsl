// requires: fixed_point, scaled
// Convolution on a GPU: the same bits as conv. A workgroup makes 32 channels of 32 pixels through its memory, an invocation 4 of 4;
// 16 channels of a tap at a time.
struct Params {
    height: u32,
    lines: u32,      // of y
    width: u32,
    channels: u32,
    outputs: u32,    // N
    taps: u32,       // 1 or 9
    stride: u32,
    above: u32,      // lines of x before those of y
    span_shift: u32, // by which each span's sum is shifted
    unit: i32,
    floor: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> weight: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> bias: array<i32>;
@group(0) @binding(4) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> rows: array<vec2<i32>>;
@group(0) @binding(6) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;
const SIDE = 32u;
const STEP = 4u;   // vectors of four channels
const SPAN = 256u; // of them
var<workgroup> pixels: array<vec4<i32>, 128>; // [vector][pixel]
var<workgroup> weights: array<vec4<i32>, 128>; // [vector][row]
alias Sums = array<vec4<i32>, 4>; // by row; components are pixels

// Four channels of a pixel, narrowed; 0 beyond the last and in the padding.
fn loaded(pixel: u32, tap: u32, four: u32, n: i32) -> vec4<i32> {
    let across = (params.width + params.stride - 1u) / params.stride;
    let border = select(0u, 1u, params.taps == 9u);
    let line = pixel / across * params.stride + params.above + tap / 3u - border; // wraps in the padding
    let column = pixel % across * params.stride + tap % 3u - border;
    let c = four * 4u;
    if (line >= params.height || column >= params.width || c >= params.channels) { return vec4<i32>(0i); }
    let at = (line * params.width + column) * params.channels + c;
    let left = params.channels - c;
    var z = vec4<i32>(narrow(x[at], n, 14u), 0i, 0i, 0i);
    if (left > 1u) { z.y = narrow(x[at + 1u], n, 14u); }
    if (left > 2u) { z.z = narrow(x[at + 2u], n, 14u); }
    if (left > 3u) { z.w = narrow(x[at + 3u], n, 14u); }
    return z;
}

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let n = narrowing(scale[0], 14i);
    let size = vec2<u32>(params.lines, (params.width + params.stride - 1u) / params.stride);
    let fours = (params.channels + 3u) / 4u;
    let half = vec4<i32>((1i << params.span_shift) >> 1u);
    let mine = vec2<u32>(lane % 8u, lane / 8u); // the first pixel and the first row, of four, 8 apart
    var total = Sums();
    for (var tap = 0u; tap < params.taps; tap++) {
        var acc = Sums();
        for (var first = 0u; first < fours; first += STEP) {
            for (var i = lane; i < STEP * SIDE; i += 64u) {
                let four = first + i / SIDE;
                let q = vec2<i32>(weight[(group.y * params.taps + tap) * fours * SIDE + min(four, fours - 1u) * SIDE + i % SIDE]);
                weights[i] = vec4<i32>(q << vec2<u32>(16u), q).xzyw >> vec4<u32>(16u);
                pixels[i] = loaded(min(group.x * SIDE + i % SIDE, size.x * size.y - 1u), tap, four, n);
            }
            workgroupBarrier();
            for (var i = 0u; i < STEP; i++) {
                let at = i * SIDE + mine.x;
                let t = pixels[at];
                let u = pixels[at + 8u];
                let v = pixels[at + 16u];
                let w = pixels[at + 24u];
                for (var r = 0u; r < 4u; r++) {
                    let q = weights[i * SIDE + mine.y + 8u * r];
                    acc[r] += vec4<i32>(dot(q, t), dot(q, u), dot(q, v), dot(q, w));
                }
            }
            workgroupBarrier();
            if ((first + STEP) % SPAN == 0u || first + STEP >= fours) {
                for (var r = 0u; r < 4u; r++) {
                    total[r] += (acc[r] + half) >> vec4<u32>(params.span_shift);
                    acc[r] = vec4<i32>(0i);
                }
            }
        }
    }
    let exponent = scale[0].y + n + params.unit;
    let to = max(exponent, params.floor);
    for (var r = 0u; r < 4u; r++) {
        let k = group.y * SIDE + mine.y + 8u * r;
        if (k < params.outputs) {
            let row = rows[k];
            let b = round_shift(bias[k], min(to - params.floor, 30i));
            let shift = min(row.y + to - exponent, 30i);
            for (var i = 0u; i < 4u; i++) {
                let pixel = group.x * SIDE + mine.x + 8u * i;
                if (pixel < size.x * size.y) {
                    output[pixel * params.outputs + k] = round_shift(multiply_shift(total[r][i], row.x, 16u), shift) + b;
                }
            }
        }
    }
}
