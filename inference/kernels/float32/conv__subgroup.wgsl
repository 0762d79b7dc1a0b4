// requires: eight_lanes
// Convolution on processors whose subgroups have 8 lanes or more. An invocation makes 32 channels of 8 pixels of a line
// from what conv__border made; a lane loads a row's weights and the others read them from it. Rows and their sums are
// written out, since an index that a compiler does not know would move all of them out of registers.
struct Params {
    lines: u32,   // of y
    width: u32,
    channels: u32,
    outputs: u32, // N
    taps: u32,    // 1 or 9
    stride: u32,
    above: u32,   // lines of x before those of y
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@group(0) @binding(11) var<storage, read> workspace: array<vec4<f32>>;
override lanes: u32 = 64u;
const GROUP = 32u;
alias Rows = array<vec4<f32>, 16>; // two vectors of pixels a row

// Four channels of four pixels, which are some words apart: by channel; components are pixels.
fn turned(at: u32, apart: u32) -> mat4x4<f32> {
    return transpose(mat4x4<f32>(workspace[at], workspace[at + apart], workspace[at + 2u * apart], workspace[at + 3u * apart]));
}

// Adds the products of four channels with eight rows.
fn eight(acc: ptr<function, Rows>, mine: vec4<f32>, a: mat4x4<f32>, b: mat4x4<f32>) {
    let q0 = subgroupShuffle(mine, 0u);
    (*acc)[0] += a * q0;
    (*acc)[1] += b * q0;
    let q1 = subgroupShuffle(mine, 1u);
    (*acc)[2] += a * q1;
    (*acc)[3] += b * q1;
    let q2 = subgroupShuffle(mine, 2u);
    (*acc)[4] += a * q2;
    (*acc)[5] += b * q2;
    let q3 = subgroupShuffle(mine, 3u);
    (*acc)[6] += a * q3;
    (*acc)[7] += b * q3;
    let q4 = subgroupShuffle(mine, 4u);
    (*acc)[8] += a * q4;
    (*acc)[9] += b * q4;
    let q5 = subgroupShuffle(mine, 5u);
    (*acc)[10] += a * q5;
    (*acc)[11] += b * q5;
    let q6 = subgroupShuffle(mine, 6u);
    (*acc)[12] += a * q6;
    (*acc)[13] += b * q6;
    let q7 = subgroupShuffle(mine, 7u);
    (*acc)[14] += a * q7;
    (*acc)[15] += b * q7;
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

fn finish(acc: ptr<function, Rows>, place: Place, first: u32) {
    let left = select(place.size.y - place.column, 0u, place.outside);
    for (var r = 0u; r < 8u; r++) {
        let k = place.group * GROUP + first + r;
        if (k < params.outputs) {
            let at = (place.line * place.size.y + place.column) * params.outputs + k;
            for (var i = 0u; i < min(left, 4u); i++) { output[at + i * params.outputs] = (*acc)[2u * r][i] + bias[k]; }
            for (var i = 4u; i < min(left, 8u); i++) { output[at + i * params.outputs] = (*acc)[2u * r + 1u][i - 4u] + bias[k]; }
        }
    }
}

// Where lanes are missing: word by word.
fn alone(place: Place) {
    if (place.outside) { return; }
    let fours = (params.channels + 3u) / 4u;
    for (var k = place.group * GROUP; k < min((place.group + 1u) * GROUP, params.outputs); k++) {
        for (var i = 0u; i < min(place.size.y - place.column, 8u); i++) {
            var total = 0.0;
            for (var tap = 0u; tap < params.taps; tap++) {
                let from_ = (first_pixel(place, tap) + i * params.stride) * fours;
                let at = (place.group * params.taps + tap) * fours * GROUP + k % GROUP;
                for (var c = 0u; c < fours; c++) { total += dot(workspace[from_ + c], weight[at + c * GROUP]); }
            }
            output[(place.line * place.size.y + place.column + i) * params.outputs + k] = total + bias[k];
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
    let fours = (params.channels + 3u) / 4u;
    let apart = fours * params.stride;
    var s: Rows;
    var t: Rows;
    var u: Rows;
    var v: Rows;
    for (var tap = 0u; tap < params.taps; tap++) {
        let from_ = first_pixel(place, tap) * fours;
        let at = (place.group * params.taps + tap) * fours * GROUP + place.part;
        for (var c = 0u; c < fours; c++) {
            let a = turned(from_ + c, apart);
            let b = turned(from_ + c + 4u * apart, apart);
            eight(&s, weight[at + c * GROUP], a, b);
            eight(&t, weight[at + c * GROUP + 8u], a, b);
            eight(&u, weight[at + c * GROUP + 16u], a, b);
            eight(&v, weight[at + c * GROUP + 24u], a, b);
        }
    }
    finish(&s, place, 0u);
    finish(&t, place, 8u);
    finish(&u, place, 16u);
    finish(&v, place, 24u);
}
