// What goes before conv__subgroup: x in a border of zeros.
// x (height, width, channels); workspace (height + 2, width + 2 and what fills up eight pixels of y, channels / 4) of 4
// numbers. One invocation a pixel.
struct Params {
    height: u32,
    width: u32,
    channels: u32,
    stride: u32, // to whose eight pixels lines are filled up
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(11) var<storage, read_write> workspace: array<vec4<f32>>;
override lanes: u32 = 64u;

fn number(at: u32, c: u32) -> f32 {
    return select(0.0, x[at + min(c, params.channels - 1u)], c < params.channels);
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let across = ((params.width + params.stride - 1u) / params.stride + 7u) / 8u * 8u * params.stride + 2u;
    if (id.x >= across) { return; }
    let inside = id.x > 0u && id.x <= params.width && id.y > 0u && id.y <= params.height;
    let first = select(0u, ((id.y - 1u) * params.width + id.x - 1u) * params.channels, inside);
    var to = (id.y * across + id.x) * ((params.channels + 3u) / 4u);
    for (var c = 0u; c < params.channels; c += 4u) {
        let made = vec4<f32>(number(first, c), number(first, c + 1u), number(first, c + 2u), number(first, c + 3u));
        workspace[to] = select(vec4<f32>(0.0), made, inside);
        to++;
    }
}
