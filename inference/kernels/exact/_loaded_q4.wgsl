// Activations as they are given, narrowed as they are read.
@group(0) @binding(1) var<storage, read> a: array<vec4<i32>>;

// Four activations, exact in f32.
fn loaded(at: u32, e: i32) -> vec4<f32> {
    return vec4<f32>(narrowed(a[at], e, params.bits));
}
