// requires: fixed_point
// z = silu(g)·u, silu(g) = max(g, 0) - C(|g|), C from a table, linear between; formula and bounds in ops/silu_gate.py.
// x (T, 2 H), gate and then up; curve (257); output (T, H). One invocation a value.
struct Params {
    hidden: u32,   // H
    fraction: u32, // fraction bits of gate and up
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> curve: array<i32>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.hidden) { return; }
    let at = id.y * 2u * params.hidden + id.x;
    let g = x[at];
    let i = curve_place(g, params.fraction);
    output[id.y * params.hidden + id.x] =
        gated(g, x[at + params.hidden], curve[i], curve[min(i + 1u, 256u)], params.fraction);
}
