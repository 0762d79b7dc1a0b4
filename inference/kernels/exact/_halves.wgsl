// Activations as half words, four in the low halves of a vector and the next four in the high ones: for devices without dot4.

fn packed(x: vec4<i32>, y: vec4<i32>) -> vec4<u32> {
    return (bitcast<vec4<u32>>(x) & vec4<u32>(65535u)) | (bitcast<vec4<u32>>(y) << vec4<u32>(16u));
}

fn counted(x: vec4<i32>) -> vec4<i32> {
    return x;
}

fn low_halves(x: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(bitcast<vec4<i32>>(x << vec4<u32>(16u)) >> vec4<u32>(16u));
}

fn high_halves(x: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(bitcast<vec4<i32>>(x) >> vec4<u32>(16u));
}
