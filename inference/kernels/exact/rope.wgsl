// requires: fixed_point
// Rotary embedding: y[2i] = x[2i]·cos - x[2i+1]·sin, y[2i+1] = x[2i]·sin + x[2i+1]·cos, in 14 fraction bits.
// x (T, W), heads from column `offset` on; table (positions, head / 2) of cos and sin; places (T) of sequence and position;
// output (T, width), and where there is a cache its rows sequence·capacity + position.
struct Params {
    columns: u32,    // W
    offset: u32,
    width: u32,      // columns of the output
    turned: u32,     // of them rotated, the rest copied
    head_width: u32,
    capacity: u32,   // positions a sequence has in the cache; 0: there is none
    short: u32,      // 1: it is put out in 16 bits, which share a word of the cache by twos
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> table: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read> places: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> output: array<i32>;
@group(0) @binding(5) var<storage, read_write> state: array<i32>;
override lanes: u32 = 64u;

// A value, rotated where it is a head's.
fn value(t: u32, column: u32, position: u32) -> i32 {
    let at = t * params.columns + params.offset + column;
    if (column >= params.turned) { return x[at]; }
    let turn = table[position * (params.head_width / 2u) + (column % params.head_width) / 2u];
    return rotated(x[at], x[select(at + 1u, at - 1u, column % 2u == 1u)], column, turn);
}

// Two neighbours an invocation, of heads a pair.
@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.y;
    let column = 2u * id.x;
    if (column >= params.width) { return; }
    let place = places[t];
    let two = column + 1u < params.width;
    var y = vec2<i32>(value(t, column, place.y), 0i);
    if (two) { y.y = value(t, column + 1u, place.y); }
    if (params.short > 0u) { y = last_16_bits(y); }
    let at = t * params.width + column;
    output[at] = y.x;
    if (two) { output[at + 1u] = y.y; }
    if (params.capacity == 0u) { return; }
    let row = (place.x * params.capacity + place.y) * params.width + column;
    if (params.short > 0u) {
        state[row / 2u] = two_of_16_bits(y);
    } else {
        state[row] = y.x;
        if (two) { state[row + 1u] = y.y; }
    }
}
