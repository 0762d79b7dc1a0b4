// requires: fixed_point, scaled
// The largest of all parts, and the exponent; formula in ops/scale.py. One invocation does all.
struct Params {
    parts: u32,
    bits: i32,
    unit: i32,
    unit_z: i32,
    floor: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> maxima: array<i32>;
@group(0) @binding(2) var<storage, read> scale: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read> scale_z: array<vec2<i32>>;
@group(0) @binding(4) var<storage, read_write> output: array<vec2<i32>>;
override lanes: u32 = 64u;

fn largest() -> i32 {
    var most = 0i;
    for (var i = 0u; i < params.parts; i++) { most = max(most, maxima[i]); }
    return most;
}

fn exponent(each: vec2<i32>, unit: i32) -> i32 {
    return each.y + narrowing(each, params.bits) + unit;
}

@compute @workgroup_size(1)
fn none() {
    output[0] = vec2<i32>(largest(), params.floor);
}

@compute @workgroup_size(1)
fn one() {
    output[0] = vec2<i32>(largest(), max(params.floor, exponent(scale[0], params.unit)));
}

@compute @workgroup_size(1)
fn two() {
    output[0] = vec2<i32>(largest(), max(params.floor, max(exponent(scale[0], params.unit), exponent(scale_z[0], params.unit_z))));
}

@compute @workgroup_size(1)
fn both() {
    output[0] = vec2<i32>(largest(), max(params.floor, exponent(scale[0], params.unit) + exponent(scale_z[0], params.unit_z)));
}
