// requires: fixed_point, scaled, eight_lanes
// Convolution on processors whose subgroups have 8 lanes or more: the same bits as conv. An invocation makes 32 channels
// of 8 pixels of a line from what conv__narrow made; a lane loads a row's weights and the others read them from it. Rows and their
// sums are written out, since an index that a compiler does not know would move all of them out of registers.
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
@group(0) @binding(2) var<storage, read> weight: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> bias: array<i32>;
@group(0) @binding(4) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> rows: array<vec2<i32>>;
@group(0) @binding(6) var<storage, read_write> output: array<i32>;
@group(0) @binding(11) var<storage, read> workspace: array<vec2<u32>>;
override lanes: u32 = 64u;
const GROUP = 32u;
const SPAN = 256u; // vectors of four channels
alias Four = array<vec4<i32>, 4>;  // by channel; components are pixels
alias Rows = array<vec4<i32>, 16>; // two vectors of pixels a row

// Four int16.
fn halves(two: vec2<u32>) -> vec4<i32> {
    let z = vec2<i32>(two);
    return vec4<i32>(z << vec2<u32>(16u), z).xzyw >> vec4<u32>(16u);
}

// Four channels of four pixels, which are some words apart.
fn turned(at: u32, apart: u32) -> Four {
    let t = halves(workspace[at]);
    let u = halves(workspace[at + apart]);
    let v = halves(workspace[at + 2u * apart]);
    let w = halves(workspace[at + 3u * apart]);
    return Four(vec4<i32>(t.x, u.x, v.x, w.x), vec4<i32>(t.y, u.y, v.y, w.y), vec4<i32>(t.z, u.z, v.z, w.z), vec4<i32>(t.w, u.w, v.w, w.w));
}

fn times(q: vec4<i32>, c: Four) -> vec4<i32> {
    return c[0] * q.x + c[1] * q.y + c[2] * q.z + c[3] * q.w;
}

// Adds the products of four channels with eight rows.
fn eight(acc: ptr<function, Rows>, mine: vec2<u32>, a: Four, b: Four) {
    let q0 = halves(subgroupShuffle(mine, 0u));
    (*acc)[0] += times(q0, a);
    (*acc)[1] += times(q0, b);
    let q1 = halves(subgroupShuffle(mine, 1u));
    (*acc)[2] += times(q1, a);
    (*acc)[3] += times(q1, b);
    let q2 = halves(subgroupShuffle(mine, 2u));
    (*acc)[4] += times(q2, a);
    (*acc)[5] += times(q2, b);
    let q3 = halves(subgroupShuffle(mine, 3u));
    (*acc)[6] += times(q3, a);
    (*acc)[7] += times(q3, b);
    let q4 = halves(subgroupShuffle(mine, 4u));
    (*acc)[8] += times(q4, a);
    (*acc)[9] += times(q4, b);
    let q5 = halves(subgroupShuffle(mine, 5u));
    (*acc)[10] += times(q5, a);
    (*acc)[11] += times(q5, b);
    let q6 = halves(subgroupShuffle(mine, 6u));
    (*acc)[12] += times(q6, a);
    (*acc)[13] += times(q6, b);
    let q7 = halves(subgroupShuffle(mine, 7u));
    (*acc)[14] += times(q7, a);
    (*acc)[15] += times(q7, b);
}

struct Place {
    line: u32,
    column: u32,
    group: u32, // of rows
    outside: bool,
    part: u32,  // of a group of eight rows, that this lane loads
    size: vec2<u32>, // of y
}

fn place_of(id: vec3<u32>) -> Place {
    let size = vec2<u32>(params.lines, (params.width + params.stride - 1u) / params.stride);
    let eights = (size.y + 7u) / 8u;
    return Place(min(id.x / eights, size.x - 1u), id.x % eights * 8u, id.y, id.x >= eights * size.x, lane_of_eight(), size);
}

// Of what a tap reads.
fn first_pixel(place: Place, tap: u32) -> u32 {
    let at = select(vec2<u32>(1u), vec2<u32>(tap / 3u, tap % 3u), params.taps == 9u);
    let across = (place.size.y + 7u) / 8u * 8u * params.stride + 2u;
    return (place.line * params.stride + params.above + at.x) * across + place.column * params.stride + at.y;
}

// Adds the products of a tap from one vector of channels to another.
fn add(s: ptr<function, Rows>, t: ptr<function, Rows>, u: ptr<function, Rows>, v: ptr<function, Rows>, place: Place, tap: u32, begin: u32, end: u32) {
    let fours = (params.channels + 3u) / 4u;
    let from_ = first_pixel(place, tap) * fours;
    let at = (place.group * params.taps + tap) * fours * GROUP + place.part;
    for (var c = begin; c < end; c++) {
        let a = turned(from_ + c, fours * params.stride);
        let b = turned(from_ + c + 4u * fours * params.stride, fours * params.stride);
        eight(s, weight[at + c * GROUP], a, b);
        eight(t, weight[at + c * GROUP + 8u], a, b);
        eight(u, weight[at + c * GROUP + 16u], a, b);
        eight(v, weight[at + c * GROUP + 24u], a, b);
    }
}

// What turns sums of one row into words of y.
struct Scaling { row: vec2<i32>, bias: i32, shift: i32 }

fn scaling(k: u32) -> Scaling {
    let exponent = scale[0].y + narrowing(scale[0], 14i) + params.unit;
    let at = max(exponent, params.floor);
    let row = rows[k];
    return Scaling(row, round_shift(bias[k], min(at - params.floor, 30i)), min(row.y + at - exponent, 30i));
}

fn put(acc: i32, by: Scaling, at: u32) {
    output[at] = round_shift(multiply_shift(acc, by.row.x, 16u), by.shift) + by.bias;
}

fn finish(acc: ptr<function, Rows>, place: Place, first: u32) {
    let left = select(place.size.y - place.column, 0u, place.outside);
    for (var r = 0u; r < 8u; r++) {
        let k = place.group * GROUP + first + r;
        if (k < params.outputs) {
            let by = scaling(k);
            let at = (place.line * place.size.y + place.column) * params.outputs + k;
            for (var i = 0u; i < min(left, 4u); i++) { put((*acc)[2u * r][i], by, at + i * params.outputs); }
            for (var i = 4u; i < min(left, 8u); i++) { put((*acc)[2u * r + 1u][i - 4u], by, at + i * params.outputs); }
        }
    }
}

// Where lanes are missing: word by word.
fn alone(place: Place) {
    if (place.outside) { return; }
    let fours = (params.channels + 3u) / 4u;
    for (var k = place.group * GROUP; k < min((place.group + 1u) * GROUP, params.outputs); k++) {
        for (var i = 0u; i < min(place.size.y - place.column, 8u); i++) {
            var total = 0i;
            for (var tap = 0u; tap < params.taps; tap++) {
                let from_ = (first_pixel(place, tap) + i * params.stride) * fours;
                let at = (place.group * params.taps + tap) * fours * GROUP + k % GROUP;
                for (var begin = 0u; begin < fours; begin += SPAN) {
                    var acc = 0i;
                    for (var c = begin; c < min(begin + SPAN, fours); c++) {
                        acc += dot(halves(workspace[from_ + c]), halves(weight[at + c * GROUP]));
                    }
                    total += round_shift(acc, i32(params.span_shift));
                }
            }
            put(total, scaling(k), (place.line * place.size.y + place.column + i) * params.outputs + k);
        }
    }
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let place = place_of(id);
    if (!eight_lanes()) {
        alone(place);
        return;
    }
    var s: Rows;
    var t: Rows;
    var u: Rows;
    var v: Rows;
    for (var tap = 0u; tap < params.taps; tap++) { add(&s, &t, &u, &v, place, tap, 0u, (params.channels + 3u) / 4u); }
    finish(&s, place, 0u);
    finish(&t, place, 8u);
    finish(&u, place, 16u);
    finish(&v, place, 24u);
}

// Adds what a span has summed, shifted.
fn shifted(total: ptr<function, Rows>, acc: ptr<function, Rows>) {
    let half = vec4<i32>((1i << params.span_shift) >> 1u);
    for (var i = 0u; i < 16u; i++) { (*total)[i] += ((*acc)[i] + half) >> vec4<u32>(params.span_shift); }
}

@compute @workgroup_size(lanes)
fn spans(@builtin(global_invocation_id) id: vec3<u32>) {
    let place = place_of(id);
    if (!eight_lanes()) {
        alone(place);
        return;
    }
    let fours = (params.channels + 3u) / 4u;
    var s: Rows;
    var t: Rows;
    var u: Rows;
    var v: Rows;
    for (var tap = 0u; tap < params.taps; tap++) {
        for (var begin = 0u; begin < fours; begin += SPAN) {
            var of_s = Rows();
            var of_t = Rows();
            var of_u = Rows();
            var of_v = Rows();
            add(&of_s, &of_t, &of_u, &of_v, place, tap, begin, min(begin + SPAN, fours));
            shifted(&s, &of_s);
            shifted(&t, &of_t);
            shifted(&u, &of_u);
            shifted(&v, &of_v);
        }
    }
    finish(&s, place, 0u);
    finish(&t, place, 8u);
    finish(&u, place, 16u);
    finish(&v, place, 24u);
}
