// Products of many tokens on a GPU, by a kernel's stage(row, w) and added(acc, at): a workgroup makes SIDE rows for SIDE tokens
// through its memory, an invocation 4 rows for 4 tokens. The rows are two neighbours in each of two tiles: a head's pair and a gate with
// its up are in one invocation.
@group(0) @binding(11) var<storage, read> workspace: array<Activations>;
const ACROSS = SIDE / 4u; // invocations
var<workgroup> x: array<vec4<u32>, 4u * SIDE>; // [quarter of a block][token]
var<workgroup> sums: array<i32, SIDE>;

alias Four = array<vec4<i32>, 4>; // by row; components are tokens

struct Place {
    token: u32, // of four, ACROSS apart
    row: u32,   // of row, row + 1, row + 8, row + 9
    x: u32,     // the same within the workgroup
    n: u32,
}

fn place_of(group: vec3<u32>, lane: u32) -> Place {
    let x = lane % ACROSS;
    let n = lane / ACROSS / 4u * 16u + lane / ACROSS % 4u * 2u;
    return Place(group.x * SIDE + x, group.y * SIDE + n, x, n);
}

fn accumulate(group: vec3<u32>, lane: u32) -> Four {
    let at = place_of(group, lane);
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    var acc = Four();
    for (var block = 0u; block < count; block++) {
        // Tokens and tiles beyond the last read the last and write nothing.
        for (var i = lane; i < SIDE * 4u; i += SIDE * SIDE / 16u) {
            x[i % 4u * SIDE + i / 4u] = workspace[min(group.x * SIDE + i / 4u, params.tokens - 1u) * count + block].x[i % 4u];
        }
        if (lane < SIDE) {
            sums[lane] = workspace[min(group.x * SIDE + lane, params.tokens - 1u) * count + block].sum;
            stage(lane, weights_at(min(group.y * (SIDE / 8u) + lane / 8u, last) * count + block, lane % 8u));
        }
        workgroupBarrier();
        acc = added(acc, at);
        workgroupBarrier();
    }
    let e = vec4<i32>(exponent(at.token), exponent(at.token + ACROSS), exponent(at.token + 2u * ACROSS), exponent(at.token + 3u * ACROSS));
    return Four(requantised(acc[0], at.row, e), requantised(acc[1], at.row + 1u, e),
                requantised(acc[2], at.row + 8u, e), requantised(acc[3], at.row + 9u, e));
}

fn exponent(token: u32) -> i32 {
    return workspace[min(token, params.tokens - 1u) * (params.columns / 32u)].exponent;
}

// For rows beyond the last as for the last.
fn requantised(acc: vec4<i32>, row: u32, e: vec4<i32>) -> vec4<i32> {
    let scale = rows[min(row, params.outputs - 1u)];
    return vec4<i32>(requantise(acc.x, scale, e.x), requantise(acc.y, scale, e.y), requantise(acc.z, scale, e.z), requantise(acc.w, scale, e.w));
}

fn put_row(y: vec4<i32>, row: u32, token: u32) {
    if (row >= params.outputs) { return; }
    for (var c = 0u; c < 4u; c++) {
        let t = token + c * ACROSS;
        if (t < params.tokens) { output[t * params.outputs + row] = y[c]; }
    }
}

fn put_row_and_residual(y: vec4<i32>, row: u32, token: u32) {
    if (row >= params.outputs) { return; }
    for (var c = 0u; c < 4u; c++) {
        let t = token + c * ACROSS;
        if (t < params.tokens) {
            output[t * params.outputs + row] = y[c] + round_shift(residual[t * params.outputs + row], params.residual_shift);
        }
    }
}

@compute @workgroup_size(SIDE * SIDE / 16u)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let y = accumulate(group, lane);
    let at = place_of(group, lane);
    put_row(y[0], at.row, at.token);
    put_row(y[1], at.row + 1u, at.token);
    put_row(y[2], at.row + 8u, at.token);
    put_row(y[3], at.row + 9u, at.token);
}

@compute @workgroup_size(SIDE * SIDE / 16u)
fn product_and_residual(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let y = accumulate(group, lane);
    let at = place_of(group, lane);
    put_row_and_residual(y[0], at.row, at.token);
    put_row_and_residual(y[1], at.row + 1u, at.token);
    put_row_and_residual(y[2], at.row + 8u, at.token);
    put_row_and_residual(y[3], at.row + 9u, at.token);
}
