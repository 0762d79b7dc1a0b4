// y = factor_x x (+ factor_z y), kept to ±limit where that is not 0.
// x; z, again from its first word where it has fewer; output as x. One invocation a word.
struct Params {
    words: u32,
    words_z: u32,
    factor_x: f32,
    factor_z: f32,
    limit: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

fn kept(total: f32) -> f32 {
    let most = f32(params.limit);
    return select(total, clamp(total, -most, most), params.limit > 0u);
}

@compute @workgroup_size(lanes)
fn one(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i < params.words) { output[i] = kept(params.factor_x * x[i]); }
}

@compute @workgroup_size(lanes)
fn two(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i < params.words) { output[i] = kept(params.factor_x * x[i] + params.factor_z * z[i % params.words_z]); }
}
