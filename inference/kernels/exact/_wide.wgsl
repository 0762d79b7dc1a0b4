// Products of few tokens on a GPU, by a kernel's weights_at(tile, block, lane) and term(w, x): a workgroup makes the rows of a tile, or of
// two, for TOKENS tokens; its invocations share the blocks of each row, whose sums are integers: in any order the same bits.
@group(0) @binding(11) var<storage, read> workspace: array<Activations>;
var<workgroup> sums: array<atomic<i32>, 64>; // [token][row], at most 4 by 16

// Adds up the rows of `tiles` tiles.
fn accumulate(group: vec3<u32>, lane: u32, tiles: u32) {
    let height = tiles * 8u;
    if (lane < height * TOKENS) { atomicStore(&sums[lane], 0i); }
    workgroupBarrier();
    let count = params.columns / 32u;
    let row = lane % height;
    let tile = min(group.x * tiles + row / 8u, (params.outputs - 1u) / 8u); // beyond the last the last, and nothing is put out
    var acc = vec4<i32>(0i);
    for (var block = lane / height; block < count; block += lanes / height) {
        let w = weights_at(tile * count + block, row % 8u);
        for (var c = 0u; c < TOKENS; c++) {
            acc[c] += term(w, workspace[min(group.y * TOKENS + c, params.tokens - 1u) * count + block]);
        }
    }
    for (var c = 0u; c < TOKENS; c++) { atomicAdd(&sums[c * height + row], acc[c]); }
    workgroupBarrier();
}

// What an invocation puts out: a token and a row, if they are there.
struct Place {
    token: u32,
    row: u32,
    there: bool,
}

fn place_of(group: vec3<u32>, lane: u32, tiles: u32) -> Place {
    let token = group.y * TOKENS + lane / (tiles * 8u);
    let row = group.x * tiles * 8u + lane % (tiles * 8u);
    return Place(token, row, lane < tiles * 8u * TOKENS && token < params.tokens && row < params.outputs);
}

// The sum that invocation `lane` of them puts out, requantised.
fn y_of(lane: u32, at: Place) -> i32 {
    return requantise(atomicLoad(&sums[lane]), rows[at.row], workspace[at.token * (params.columns / 32u)].exponent);
}

@compute @workgroup_size(lanes)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    accumulate(group, lane, 1u);
    let at = place_of(group, lane, 1u);
    if (at.there) { output[at.token * params.outputs + at.row] = y_of(lane, at); }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    accumulate(group, lane, 1u);
    let at = place_of(group, lane, 1u);
    if (at.there) {
        let y = at.token * params.outputs + at.row;
        output[y] = y_of(lane, at) + round_shift(residual[y], params.residual_shift);
    }
}
