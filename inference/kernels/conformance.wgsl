// Corner cases of WGSL's integers, and of integers held in f32; what each must give stands in conformance.py.
// x: operands, read from a buffer so that no compiler evaluates them; output: one word a case. One invocation.
@group(0) @binding(0) var<storage, read> x: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<i32>;

@compute @workgroup_size(1)
fn main() {
    let one = x[0];                       // 1
    let least = x[1];                     // -2^31
    let most = x[2];                      // 2^31 - 1
    let seven = x[3];                     // -7
    let all = bitcast<u32>(x[4]);         // 2^32 - 1
    let shift = u32(x[5]);                // 33
    let zero = x[6];                      // 0
    let edge = f32(x[7]);                 // 2^24 - 1
    let packed = bitcast<u32>(x[8]);      // four times -128
    output[0] = most + one;
    output[1] = least - one;
    output[2] = least * most;
    output[3] = bitcast<i32>(all * all);
    output[4] = least / -one;
    output[5] = least % -one;
    output[6] = seven / zero;
    output[7] = seven % zero;
    output[8] = seven / (one + one);
    output[9] = seven % (one + one);
    output[10] = seven >> u32(one);
    output[11] = one << shift;
    output[12] = bitcast<i32>(all >> shift);
    output[13] = -least;
    output[14] = abs(least);
    output[15] = i32(countLeadingZeros(u32(zero)));
    output[16] = i32(edge + f32(one));
    output[17] = i32(edge - f32(one) - f32(one));
    output[18] = i32(f32(x[9]) * f32(x[10]) + f32(x[11]));
    output[19] = dot4I8Packed(packed, packed);
    output[20] = i32(dot4U8Packed(all, all));
    output[21] = i32(f32(seven) * 0.5);
    output[22] = bitcast<i32>(all / u32(x[10]));
    output[23] = min(least, most) ^ max(zero, seven);
}
