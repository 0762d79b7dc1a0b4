// requires: fixed_point, scaled
// Convolution in integers; formula and bounds in ops/conv.py.
// x (height, width, channels); weight [32 outputs][tap][4 channels][output] of 4 int16; bias (N); scale: largest, exponent;
// rows (N) of mantissa and shift; output (H, W, N). An invocation makes 16 channels of 4 pixels that follow one another.
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
const ROWS = 16u; // of y that an invocation makes, two of which share a group of weights
const GROUP = 32u;
const SPAN = 256u; // vectors of four channels
alias Sums = array<vec4<i32>, ROWS>;

// Four channels of a pixel, narrowed; 0 beyond the last and in the padding.
fn loaded(at: u32, left: u32, inside: bool, n: i32) -> vec4<i32> {
    if (!inside) { return vec4<i32>(0i); }
    var z = vec4<i32>(x[at], 0i, 0i, 0i);
    if (left >= 4u) {
        z = vec4<i32>(z.x, x[at + 1u], x[at + 2u], x[at + 3u]);
    } else {
        if (left > 1u) { z.y = x[at + 1u]; }
        if (left > 2u) { z.z = x[at + 2u]; }
    }
    let most = vec4<i32>((1i << 14u) - 1i);
    let right = vec4<u32>(u32(max(n, 0i)));
    let down = clamp((z + vec4<i32>((1i << right.x) >> 1u)) >> right, -most, most);
    return select(z << vec4<u32>(u32(max(-n, 0i))), down, n > 0i);
}

// Adds the products of four channels.
fn add(acc: ptr<function, Sums>, at: u32, t: vec4<i32>, u: vec4<i32>, v: vec4<i32>, w: vec4<i32>) {
    let c0 = vec4<i32>(t.x, u.x, v.x, w.x);
    let c1 = vec4<i32>(t.y, u.y, v.y, w.y);
    let c2 = vec4<i32>(t.z, u.z, v.z, w.z);
    let c3 = vec4<i32>(t.w, u.w, v.w, w.w);
    for (var r = 0u; r < ROWS; r++) {
        let two = vec2<i32>(weight[at + r]);
        let q = vec4<i32>(two << vec2<u32>(16u), two).xzyw >> vec4<u32>(16u);
        (*acc)[r] += c0 * q.x + c1 * q.y + c2 * q.z + c3 * q.w;
    }
}

struct Place { first: u32, group: u32, outside: bool, size: vec2<u32> }

fn place_of(id: vec3<u32>) -> Place {
    let size = vec2<u32>(params.lines, (params.width + params.stride - 1u) / params.stride);
    return Place(id.x * 4u, id.y, id.x * 4u >= size.x * size.y, size);
}

fn first_weight(place: Place, fours: u32) -> u32 {
    return place.group * ROWS / GROUP * params.taps * fours * GROUP + place.group * ROWS % GROUP;
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

fn finish(place: Place, acc: ptr<function, Sums>, n: i32) {
    let exponent = scale[0].y + n + params.unit;
    let at = max(exponent, params.floor);
    for (var r = 0u; r < ROWS; r++) {
        let k = place.group * ROWS + r;
        if (k < params.outputs) {
            let row = rows[k];
            let b = round_shift(bias[k], min(at - params.floor, 30i));
            let shift = min(row.y + at - exponent, 30i);
            for (var i = 0u; i < 4u && place.first + i < place.size.x * place.size.y; i++) {
                output[(place.first + i) * params.outputs + k] = round_shift(multiply_shift((*acc)[r][i], row.x, 16u), shift) + b;
            }
        }
    }
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let place = place_of(id);
    if (place.outside) { return; }
    let n = narrowing(scale[0], 14i);
    let fours = (params.channels + 3u) / 4u;
    var at = first_weight(place, fours);
    var acc: Sums;
    for (var tap = 0u; tap < params.taps; tap++) {
        let t = read_at(place.first, place.size, tap);
        let u = read_at(place.first + 1u, place.size, tap);
        let v = read_at(place.first + 2u, place.size, tap);
        let w = read_at(place.first + 3u, place.size, tap);
        for (var c = 0u; c < params.channels; c += 4u) {
            let left = params.channels - c;
            add(&acc, at, loaded(t.x + c, left, t.y == 1u, n), loaded(u.x + c, left, u.y == 1u, n),
                loaded(v.x + c, left, v.y == 1u, n), loaded(w.x + c, left, w.y == 1u, n));
            at += GROUP;
        }
    }
    finish(place, &acc, n);
}

@compute @workgroup_size(lanes)
fn spans(@builtin(global_invocation_id) id: vec3<u32>) {
    let place = place_of(id);
    if (place.outside) { return; }
    let n = narrowing(scale[0], 14i);
    let half = vec4<i32>((1i << params.span_shift) >> 1u);
    var at = first_weight(place, (params.channels + 3u) / 4u);
    var total: Sums;
    for (var tap = 0u; tap < params.taps; tap++) {
        let t = read_at(place.first, place.size, tap);
        let u = read_at(place.first + 1u, place.size, tap);
        let v = read_at(place.first + 2u, place.size, tap);
        let w = read_at(place.first + 3u, place.size, tap);
        for (var span = 0u; span < params.channels; span += 4u * SPAN) {
            var acc: Sums;
            for (var r = 0u; r < ROWS; r++) { acc[r] = vec4<i32>(0i); }
            for (var c = span; c < min(span + 4u * SPAN, params.channels); c += 4u) {
                let left = params.channels - c;
                add(&acc, at, loaded(t.x + c, left, t.y == 1u, n), loaded(u.x + c, left, u.y == 1u, n),
                    loaded(v.x + c, left, v.y == 1u, n), loaded(w.x + c, left, w.y == 1u, n));
                at += GROUP;
            }
            for (var r = 0u; r < ROWS; r++) { total[r] += (acc[r] + half) >> vec4<u32>(params.span_shift); }
        }
    }
    finish(place, &total, n);
}
