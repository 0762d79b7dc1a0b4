// Products of many tokens, by a kernel's place(id) and accumulate(token, row, &acc): an invocation makes ROWS rows of y for 4
// tokens, the token and the row they begin with being its place.

@group(0) @binding(11) var<storage, read> workspace: array<Activations>;

// Where four tokens' activations begin; tokens beyond the last read the last and write nothing.
fn begins(token: u32) -> vec4<u32> {
    return min(vec4<u32>(token) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.tokens - 1u)) * (params.columns / 32u);
}

// The exponents that the activations of each token share.
fn exponents(token: u32) -> vec4<i32> {
    let at = begins(token);
    return vec4<i32>(workspace[at.x].exponent, workspace[at.y].exponent, workspace[at.z].exponent, workspace[at.w].exponent);
}

@compute @workgroup_size(lanes)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = place(id).x;
    let row = place(id).y;
    var acc: array<vec4<i32>, ROWS>;
    accumulate(token, row, &acc);
    let e = exponents(token);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS && row + r < params.outputs; r++) {
            let y = (token + c) * params.outputs + row + r;
            output[y] = requantise(acc[r][c], rows[row + r], e[c]);
        }
    }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = place(id).x;
    let row = place(id).y;
    var acc: array<vec4<i32>, ROWS>;
    accumulate(token, row, &acc);
    let e = exponents(token);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS && row + r < params.outputs; r++) {
            let y = (token + c) * params.outputs + row + r;
            output[y] = requantise(acc[r][c], rows[row + r], e[c]) + round_shift(residual[y], params.residual_shift);
        }
    }
}
