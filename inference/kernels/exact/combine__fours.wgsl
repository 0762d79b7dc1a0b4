// requires: fixed_point, scaled, narrow4, moved4
// A sum of tensors with constant factors, four words an invocation: the same bits as combine.
struct Params {
    words: u32,
    words_z: u32,
    mantissa: i32,
    unit: i32,
    mantissa_z: i32,
    unit_z: i32,
    floor: i32,
    fixed: u32, // whether the exponent is floor
    limit: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> z: array<vec4<i32>>;
@group(0) @binding(3) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(4) var<storage, read> scale_z: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<i32>>;
override lanes: u32 = 64u;

// Words times a factor, moved to an exponent.
fn factored(words: vec4<i32>, n: i32, at: i32, mantissa: i32, exponent: i32) -> vec4<i32> {
    return moved4(multiply_shift4(narrow4(words, n, 30i), mantissa, 16u), exponent - at);
}

fn kept(total: vec4<i32>, exponent: i32) -> vec4<i32> {
    var most = 1073741823i;
    // limit · 2^-exponent where that is no more.
    if (params.limit > 0u && exponent <= 0i && bit_length(params.limit) - exponent <= 30i) {
        most = i32(params.limit << u32(-exponent));
    }
    return clamp(total, vec4<i32>(-most), vec4<i32>(most));
}

@compute @workgroup_size(lanes)
fn one(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (4u * i >= params.words) { return; }
    let n = narrowing(scale[0], 30i);
    let at = scale[0].y + n + params.unit;
    let exponent = select(max(at, params.floor), params.floor, params.fixed == 1u);
    output[i] = kept(factored(x[i], n, at, params.mantissa, exponent), exponent);
}

@compute @workgroup_size(lanes)
fn two(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (4u * i >= params.words) { return; }
    let n = narrowing(scale[0], 30i);
    let m = narrowing(scale_z[0], 30i);
    let at = scale[0].y + n + params.unit;
    let at_z = scale_z[0].y + m + params.unit_z;
    let exponent = select(max(max(at, at_z), params.floor), params.floor, params.fixed == 1u);
    let first = factored(x[i], n, at, params.mantissa, exponent);
    var of_z = i;
    if (params.words_z < params.words) { of_z = i % (params.words_z / 4u); }
    output[i] = kept(first + factored(z[of_z], m, at_z, params.mantissa_z, exponent), exponent);
}
