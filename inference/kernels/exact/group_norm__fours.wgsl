// requires: fixed_point, scaled, curved, narrow4
// A group norm's last pass, four channels an invocation: the same bits as group_norm.
// x (.., channels); mean (groups); roots (2, groups); affine (2, channels); scales: largest, exponent; curve (257); output as x.
struct Params {
    pixels: u32,
    channels: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> mean: array<i32>;
@group(0) @binding(3) var<storage, read> roots: array<i32>;
@group(0) @binding(4) var<storage, read> affine: array<vec4<i32>>;
@group(0) @binding(5) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(6) var<storage, read> affine_scale: array<vec2<i32>>;
@group(0) @binding(7) var<storage, read> curve: array<i32>;
@group(0) @binding(8) var<storage, read_write> output: array<vec4<i32>>;
override lanes: u32 = 64u;

const RUN = 32u; // pixels of an invocation, all in the same channels

// What all words of four channels have in common; gains and biases are at exponent.
struct Channels { mean: vec4<i32>, root: vec4<i32>, right: vec4<u32>, left: vec4<u32>, gain: vec4<i32>, bias: vec4<i32>, exponent: i32, n: i32 }

fn channels(four: u32) -> Channels {
    let g = (vec4<u32>(4u * four) + vec4<u32>(0u, 1u, 2u, 3u)) / (params.channels / params.groups);
    let m = narrowing(affine_scale[0], 15i);
    let h = g + vec4<u32>(params.groups);
    let shift = vec4<i32>(19i) + vec4<i32>(roots[h.x], roots[h.y], roots[h.z], roots[h.w]);
    return Channels(
        vec4<i32>(mean[g.x], mean[g.y], mean[g.z], mean[g.w]), vec4<i32>(roots[g.x], roots[g.y], roots[g.z], roots[g.w]),
        vec4<u32>(clamp(shift, vec4<i32>(0i), vec4<i32>(30i))), vec4<u32>(clamp(-shift, vec4<i32>(0i), vec4<i32>(30i))),
        narrow4(affine[four], m, 15i), narrow4(affine[four + params.channels / 4u], m, 15i) << vec4<u32>(10u),
        affine_scale[0].y + m - 10i, narrowing(scale[0], 29i));
}

// Words before an activation.
fn transformed(words: vec4<i32>, own: Channels) -> vec4<i32> {
    let d = narrow4(words, own.n, 29i) - own.mean;
    let t = (d >> vec4<u32>(16u)) * own.root + (((d & vec4<i32>(65535i)) * own.root) >> vec4<u32>(16u));
    let most = vec4<i32>(1073741823i) >> own.left;
    let down = (t + vec4<i32>((vec4<u32>(1u) << own.right) >> vec4<u32>(1u))) >> own.right;
    let y = select(clamp(t, -most, most) << own.left, down, own.right > vec4<u32>(0u));
    return clamp(y, vec4<i32>(-32767i), vec4<i32>(32767i)) * own.gain + own.bias;
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let fours = params.channels / 4u;
    let place = id.y * 65535u * lanes + id.x;
    let first = place / fours * RUN;
    let four = place % fours;
    let own = channels(four);
    for (var pixel = first; pixel < min(first + RUN, params.pixels); pixel++) {
        let i = pixel * fours + four;
        output[i] = transformed(x[i], own);
    }
}

@compute @workgroup_size(lanes)
fn with_silu(@builtin(global_invocation_id) id: vec3<u32>) {
    let fours = params.channels / 4u;
    let place = id.y * 65535u * lanes + id.x;
    let first = place / fours * RUN;
    let four = place % fours;
    let own = channels(four);
    for (var pixel = first; pixel < min(first + RUN, params.pixels); pixel++) {
        let i = pixel * fours + four;
        let y = transformed(x[i], own);
        output[i] = vec4<i32>(curved(y.x, own.exponent), curved(y.y, own.exponent), curved(y.z, own.exponent), curved(y.w, own.exponent));
    }
}
