// requires: fixed_point, scaled
// Channels side by side; formula in ops/concatenate.py. x (.., channels); z (.., channels_z); one invocation 32 pixels of a channel.
struct Params {
    pixels: u32,
    channels: u32,
    channels_z: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> z: array<i32>;
@group(0) @binding(3) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(4) var<storage, read> scale_z: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

const RUN = 32u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let both = params.channels + params.channels_z;
    if (id.x >= both) { return; }
    let n = vec2<i32>(narrowing(scale[0], 29i), narrowing(scale_z[0], 29i));
    let at = vec2<i32>(scale[0].y, scale_z[0].y) + n;
    let to = max(at.x, at.y);
    for (var pixel = id.y * RUN; pixel < min((id.y + 1u) * RUN, params.pixels); pixel++) {
        let i = pixel * both + id.x;
        if (id.x < params.channels) {
            output[i] = moved(narrow(x[pixel * params.channels + id.x], n.x, 29u), to - at.x);
        } else {
            output[i] = moved(narrow(z[pixel * params.channels_z + id.x - params.channels], n.y, 29u), to - at.y);
        }
    }
}
