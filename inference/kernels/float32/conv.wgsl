// y = sum over taps of W_tap x_tap + bias; formula in ops/conv.py.
// x (height, width, channels); weight [32 outputs][tap][4 channels][output] of 4 numbers; bias (N); output (H, W, N).
// An invocation makes 16 channels of 4 pixels that follow one another.
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
const ROWS = 16u; // of y that an invocation makes, two of which share a group of weights
const GROUP = 32u;
alias Sums = array<vec4<f32>, ROWS>;

// Four channels of a pixel; 0 beyond the last and in the padding.
fn loaded(at: u32, left: u32, inside: bool) -> vec4<f32> {
    if (!inside) { return vec4<f32>(0.0); }
    if (left >= 4u) { return vec4<f32>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]); }
    var z = vec4<f32>(x[at], 0.0, 0.0, 0.0);
    if (left > 1u) { z.y = x[at + 1u]; }
    if (left > 2u) { z.z = x[at + 2u]; }
    return z;
}

// Where a tap reads for a pixel of y: its first word, and whether it lies inside.
fn read_at(pixel: u32, size: vec2<u32>, tap: u32) -> vec2<u32> {
    let border = select(0i, 1i, params.taps == 9u);
    let p = min(pixel, size.x * size.y - 1u);
    let line = i32(p / size.y * params.stride + params.above + tap / 3u) - border;
    let column = i32(p % size.y * params.stride + tap % 3u) - border;
    let inside = line >= 0i && line < i32(params.height) && column >= 0i && column < i32(params.width);
    let at = (u32(max(line, 0i)) * params.width + u32(max(column, 0i))) * params.channels;
    return vec2<u32>(select(0u, at, inside), u32(inside));
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = vec2<u32>(params.lines, (params.width + params.stride - 1u) / params.stride);
    let first = id.x * 4u;
    if (first >= size.x * size.y) { return; }
    var at = id.y * ROWS / GROUP * params.taps * ((params.channels + 3u) / 4u) * GROUP + id.y * ROWS % GROUP;
    var acc: Sums;
    for (var tap = 0u; tap < params.taps; tap++) {
        let t = read_at(first, size, tap);
        let u = read_at(first + 1u, size, tap);
        let v = read_at(first + 2u, size, tap);
        let w = read_at(first + 3u, size, tap);
        for (var c = 0u; c < params.channels; c += 4u) {
            let left = params.channels - c;
            let p = transpose(mat4x4<f32>(loaded(t.x + c, left, t.y == 1u), loaded(u.x + c, left, u.y == 1u),
                                          loaded(v.x + c, left, v.y == 1u), loaded(w.x + c, left, w.y == 1u)));
            for (var r = 0u; r < ROWS; r++) {
                let q = weight[at + r];
                acc[r] += p[0] * q.x + p[1] * q.y + p[2] * q.z + p[3] * q.w;
            }
            at += GROUP;
        }
    }
    for (var r = 0u; r < ROWS; r++) {
        let k = id.y * ROWS + r;
        if (k < params.outputs) {
            for (var i = 0u; i < 4u && first + i < size.x * size.y; i++) {
                output[(first + i) * params.outputs + k] = acc[r][i] + bias[k];
            }
        }
    }
}
