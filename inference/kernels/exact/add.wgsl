// requires: fixed_point
// y = rs(x, shift) + rs(other, other_shift); formula and bounds in ops/add.py.
// x (T, W); other (T, W), or (W) for every row; output (T, W). One invocation a value.
struct Params {
    columns: u32, // W
    others: u32,  // values of other
    shift: i32,
    other_shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> other: array<i32>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.columns) { return; }
    let at = id.y * params.columns + id.x;
    output[at] = round_shift(x[at], params.shift) + round_shift(other[at % params.others], params.other_shift);
}
