// requires: fixed_point, scaled
// Gains and biases that a condition scales and shifts; formula and bounds in ops/modulate.py.
// modulation (2, channels); affine (2, channels); scale: largest, exponent; output (2, channels). One invocation a channel.
struct Params {
    channels: u32,
    fraction: i32, // of affine
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> modulation: array<i32>;
@group(0) @binding(2) var<storage, read> affine: array<i32>;
@group(0) @binding(3) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(4) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    let j = i + params.channels;
    if (i >= params.channels) { return; }
    let exponent = scale[0].y;
    let read = exponent + narrowing(scale[0], 29i);
    let at = max(read, -29i);
    let one = select(0i, 1i << u32(max(-at, 0i)), at <= 0i);
    let m = moved(modulation[i], at - exponent) + one;
    let unit = at + 15i - params.fraction;
    let to = max(unit, read);
    output[i] = moved(multiply_shift(m, affine[i], 15u), to - unit);
    output[j] = moved(multiply_shift(m, affine[j], 15u), to - unit) + moved(modulation[j], to - exponent);
}
