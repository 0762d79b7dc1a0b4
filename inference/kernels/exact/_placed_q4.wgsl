// Activations as they are given, narrowed as they are read, and weights of 4 bits where they lie in a word: unshifted.
@group(0) @binding(1) var<storage, read> a: array<vec4<i32>>;

// What four weights are multiplied by where they lie.
const PLACES = vec4<f32>(1.0, 16.0, 256.0, 4096.0);
const OVER_PLACES = vec4<f32>(1.0, 0.0625, 0.00390625, 0.000244140625); // quotients of f32 may be rounded, products may not

// Four activations over the places of the weights that they meet: exact in f32, as are their products.
fn loaded(at: u32, e: i32) -> vec4<f32> {
    return vec4<f32>(narrowed(a[at], e, params.bits)) * OVER_PLACES;
}

// Four weights where they lie: those of half a word, the lowest first.
fn placed(word: u32) -> vec4<f32> {
    return vec4<f32>(vec4<i32>(bitcast<i32>(word)) & vec4<i32>(0xf, 0xf0, 0xf00, 0xf000));
}
