// requires: fixed_point
// Rotary embedding: y[2i] = x[2i]·cos - x[2i+1]·sin, y[2i+1] = x[2i]·sin + x[2i+1]·cos, in 14 fraction bits.
// x (T, W), heads from column `offset` on; table (positions, head / 2) of cos and sin; places (T) of sequence and position;
// output (T, width), and where there is a cache its rows sequence·capacity + position. One invocation a value.
struct Params {
    columns: u32,    // W
    offset: u32,
    width: u32,      // columns of the output
    turned: u32,     // of them rotated, the rest copied
    head_width: u32,
    capacity: u32,   // positions a sequence has in the cache; 0: there is none
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> table: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read> places: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> output: array<i32>;
@group(0) @binding(5) var<storage, read_write> state: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.width) { return; }
    let t = id.y;
    let column = id.x;
    let at = t * params.columns + params.offset + column;
    let place = places[t];
    var value = x[at];
    if (column < params.turned) {
        let turn = table[place.y * (params.head_width / 2u) + (column % params.head_width) / 2u];
        value = rotated(value, x[select(at + 1u, at - 1u, column % 2u == 1u)], column, turn);
    }
    output[t * params.width + column] = value;
    if (params.capacity > 0u) { state[(place.x * params.capacity + place.y) * params.width + column] = value; }
}
