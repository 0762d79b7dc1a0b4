// Products of many tokens, by a kernel's place(id) and accumulate(token, row, e, &acc): an invocation makes ROWS rows of y for 4
// tokens, the token and the row they begin with being its place.

// Where four tokens' activations begin; tokens beyond the last read the last and write nothing.
fn begins(token: u32) -> vec4<u32> {
    return min(vec4<u32>(token) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.tokens - 1u)) * (params.columns / 4u);
}

// The exponents that the activations of each token share.
fn exponents(token: u32) -> vec4<i32> {
    if (params.bits == 0u) { return vec4<i32>(0i); }
    let from_ = begins(token);
    var t = vec4<u32>(0u);
    var u = vec4<u32>(0u);
    var v = vec4<u32>(0u);
    var w = vec4<u32>(0u);
    for (var i = 0u; i < params.columns / 4u; i++) {
        t = max(t, vec4<u32>(abs(a[from_.x + i])));
        u = max(u, vec4<u32>(abs(a[from_.y + i])));
        v = max(v, vec4<u32>(abs(a[from_.z + i])));
        w = max(w, vec4<u32>(abs(a[from_.w + i])));
    }
    return vec4<i32>(shared_exponent(t, params.bits), shared_exponent(u, params.bits),
                     shared_exponent(v, params.bits), shared_exponent(w, params.bits));
}

@compute @workgroup_size(lanes)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = place(id).x;
    let row = place(id).y;
    var acc: array<vec4<i32>, ROWS>;
    let e = exponents(token);
    accumulate(token, row, e, &acc);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS && row + r < params.outputs; r++) {
            let y = (token + c) * params.outputs + row + r;
            output[y] = requantise(acc[r][c], rows[row + r], select(e[c], 0i, params.unscaled > 0u));
        }
    }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = place(id).x;
    let row = place(id).y;
    var acc: array<vec4<i32>, ROWS>;
    let e = exponents(token);
    accumulate(token, row, e, &acc);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS && row + r < params.outputs; r++) {
            let y = (token + c) * params.outputs + row + r;
            output[y] = requantise(acc[r][c], rows[row + r], select(e[c], 0i, params.unscaled > 0u)) + round_shift(residual[y], params.residual_shift);
        }
    }
}
