// z = g / (1 + e^-a) · u, a = g, or with `tanh` sqrt(8 / pi) (g + 0.044715 g³): GELU by tanh.
// x (T, 2 H), gate and then up; output (T, H). One invocation a value.
struct Params {
    hidden: u32, // H
    tanh: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.hidden) { return; }
    let at = id.y * 2u * params.hidden + id.x;
    let g = x[at];
    let a = select(g, g * (1.5957691216057308 + 0.07135481627260025 * g * g), params.tanh != 0u);
    output[id.y * params.hidden + id.x] = g / (1.0 + exp(-max(a, -80.0))) * x[at + params.hidden];
}
