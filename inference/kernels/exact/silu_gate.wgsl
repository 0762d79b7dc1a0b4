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
    let t = u32(abs(g));
    let step = params.fraction - 4u;
    let i = t >> step;
    var c = 0i;
    if (i < 256u) {
        let part = i32(t & ((1u << step) - 1u));
        c = curve[i] + (((curve[i + 1u] - curve[i]) * part + (1i << (step - 1u))) >> step);
    }
    let s = max(g, 0i) - round_shift(c, 16i - i32(params.fraction));
    output[id.y * params.hidden + id.x] = multiply_shift(s, x[at + params.hidden], 10u);
}
