// Products of many tokens on GPUs, by a kernel's weights_at(row, column) of four weights: a workgroup makes 64 rows for 64 tokens through
// its memory, 16 columns at a time; an invocation 4 rows for 4 tokens, 16 apart.
struct Params {
    tokens: u32,  // T
    columns: u32, // K
    outputs: u32, // N
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> q: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;
override lanes: u32 = 256u;
var<workgroup> x: array<vec4<f32>, 256>; // [four columns][token]
var<workgroup> w: array<vec4<f32>, 256>; // [four columns][row]

alias Sums = array<vec4<f32>, 4>; // by row; components are tokens

// Of row n, four columns of the four tokens.
fn products(n: u32, t: mat4x4<f32>) -> vec4<f32> {
    return w[n] * t;
}

fn sums_of(group: vec3<u32>, lane: u32) -> Sums {
    var sum = Sums();
    // Tokens and rows beyond the last read the last and write nothing.
    let token = min(group.x * 64u + lane / 4u, params.tokens - 1u);
    let row = min(group.y * 64u + lane / 4u, params.outputs - 1u);
    let at = lane % 4u * 64u;
    for (var column = 0u; column < params.columns; column += 16u) {
        x[at + lane / 4u] = a[(token * params.columns + column) / 4u + lane % 4u];
        w[at + lane / 4u] = weights_at(row, column + lane % 4u * 4u);
        workgroupBarrier();
        for (var i = 0u; i < 256u; i += 64u) {
            let j = i + lane % 16u;
            let t = mat4x4<f32>(x[j], x[j + 16u], x[j + 32u], x[j + 48u]);
            let n = i + lane / 16u;
            sum[0] += products(n, t);
            sum[1] += products(n + 16u, t);
            sum[2] += products(n + 32u, t);
            sum[3] += products(n + 48u, t);
        }
        workgroupBarrier();
    }
    return sum;
}

@compute @workgroup_size(256)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let sum = sums_of(group, lane);
    for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 4u; c++) {
            let token = group.x * 64u + lane % 16u + 16u * c;
            let n = group.y * 64u + lane / 16u + 16u * r;
            if (token < params.tokens && n < params.outputs) { output[token * params.outputs + n] = sum[r][c]; }
        }
    }
}

@compute @workgroup_size(256)
fn product_and_residual(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let sum = sums_of(group, lane);
    for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 4u; c++) {
            let token = group.x * 64u + lane % 16u + 16u * c;
            let n = group.y * 64u + lane / 16u + 16u * r;
            let y = token * params.outputs + n;
            if (token < params.tokens && n < params.outputs) { output[y] = residual[y] + sum[r][c]; }
        }
    }
}
