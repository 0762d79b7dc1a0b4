// Convolution on a GPU. A workgroup makes 32 channels of 32 pixels through its memory, an invocation 4 of 4; 16 channels
// of a tap at a time.
// x (height, width, channels); weight [32 outputs][tap][4 channels][output] of 4 numbers; bias (N); output (H, W, N).
struct Params {
    height: u32,
    lines: u32,   // of y
    width: u32,
    channels: u32,
    outputs: u32, // N
    taps: u32,    // 1 or 9
    stride: u32,
    above: u32,   // lines of x before those of y
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;
const SIDE = 32u;
const STEP = 4u; // vectors of four channels
var<workgroup> pixels: array<vec4<f32>, 128>; // [vector][pixel]
var<workgroup> weights: array<vec4<f32>, 128>; // [vector][row]

// Four channels of a pixel; 0 beyond the last and in the padding.
fn loaded(pixel: u32, tap: u32, four: u32) -> vec4<f32> {
    let across = (params.width + params.stride - 1u) / params.stride;
    let border = select(0u, 1u, params.taps == 9u);
    let line = pixel / across * params.stride + params.above + tap / 3u - border; // wraps in the padding
    let column = pixel % across * params.stride + tap % 3u - border;
    let c = four * 4u;
    if (line >= params.height || column >= params.width || c >= params.channels) { return vec4<f32>(0.0); }
    let at = (line * params.width + column) * params.channels + c;
    let left = params.channels - c;
    var z = vec4<f32>(x[at], 0.0, 0.0, 0.0);
    if (left > 1u) { z.y = x[at + 1u]; }
    if (left > 2u) { z.z = x[at + 2u]; }
    if (left > 3u) { z.w = x[at + 3u]; }
    return z;
}

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let size = vec2<u32>(params.lines, (params.width + params.stride - 1u) / params.stride);
    let fours = (params.channels + 3u) / 4u;
    let mine = vec2<u32>(lane % 8u, lane / 8u); // the first pixel and the first row, of four, 8 apart
    var acc = array<vec4<f32>, 4>(); // by row; components are pixels
    for (var tap = 0u; tap < params.taps; tap++) {
        for (var first = 0u; first < fours; first += STEP) {
            for (var i = lane; i < STEP * SIDE; i += 64u) {
                let four = first + i / SIDE;
                weights[i] = weight[(group.y * params.taps + tap) * fours * SIDE + min(four, fours - 1u) * SIDE + i % SIDE];
                pixels[i] = loaded(min(group.x * SIDE + i % SIDE, size.x * size.y - 1u), tap, four);
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
                    acc[r] += vec4<f32>(dot(q, t), dot(q, u), dot(q, v), dot(q, w));
                }
            }
            workgroupBarrier();
        }
    }
    for (var r = 0u; r < 4u; r++) {
        let k = group.y * SIDE + mine.y + 8u * r;
        if (k < params.outputs) {
            for (var i = 0u; i < 4u; i++) {
                let pixel = group.x * SIDE + mine.x + 8u * i;
                if (pixel < size.x * size.y) { output[pixel * params.outputs + k] = acc[r][i] + bias[k]; }
            }
        }
    }
}
