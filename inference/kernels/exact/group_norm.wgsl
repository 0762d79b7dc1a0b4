// requires: fixed_point, scaled, curved
// A group norm's last pass; formula and bounds in ops/group_norm.py.
// x (.., channels); mean (groups); roots (2, groups); affine (2, channels); scales: largest, exponent; curve (257); output as x.
struct Params {
    pixels: u32,
    channels: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> mean: array<i32>;
@group(0) @binding(3) var<storage, read> roots: array<i32>;
@group(0) @binding(4) var<storage, read> affine: array<i32>;
@group(0) @binding(5) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(6) var<storage, read> affine_scale: array<vec2<i32>>;
@group(0) @binding(7) var<storage, read> curve: array<i32>;
@group(0) @binding(8) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

const RUN = 32u; // pixels of an invocation, all in one channel

// What all words of a channel have in common; gain and bias are at exponent.
struct Channel { mean: i32, root: i32, shift: i32, gain: i32, bias: i32, exponent: i32, n: i32 }

fn channel(c: u32) -> Channel {
    let group = c / (params.channels / params.groups);
    let m = narrowing(affine_scale[0], 15i);
    return Channel(mean[group], roots[group], 19i + roots[group + params.groups], narrow(affine[c], m, 15u),
                   narrow(affine[c + params.channels], m, 15u) << 10u, affine_scale[0].y + m - 10i, narrowing(scale[0], 29i));
}

// A word before an activation.
fn transformed(word: i32, of_channel: Channel) -> i32 {
    let d = narrow(word, of_channel.n, 29u) - of_channel.mean;
    let y = clamp(moved(multiply_shift(d, of_channel.root, 16u), of_channel.shift), -32767i, 32767i);
    return y * of_channel.gain + of_channel.bias;
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.channels) { return; }
    let own = channel(id.x);
    for (var pixel = id.y * RUN; pixel < min((id.y + 1u) * RUN, params.pixels); pixel++) {
        let i = pixel * params.channels + id.x;
        output[i] = transformed(x[i], own);
    }
}

@compute @workgroup_size(lanes)
fn with_silu(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.channels) { return; }
    let own = channel(id.x);
    for (var pixel = id.y * RUN; pixel < min((id.y + 1u) * RUN, params.pixels); pixel++) {
        let i = pixel * params.channels + id.x;
        output[i] = curved(transformed(x[i], own), own.exponent);
    }
}
