// Rows of 8 bits times one token's activations. Sums of |q·a| over a half stay within 2^26.

alias Block = array<vec4<i32>, 8>;

// One block of one row: x its activations, total their sum.
fn term(first: vec4<u32>, second: vec4<u32>, steps: vec3<i32>, x: Block, total: i32) -> i32 {
    let low = dot(bytes(first.x), x[0]) + dot(bytes(first.y), x[1]) + dot(bytes(first.z), x[2]) + dot(bytes(first.w), x[3]);
    let high = dot(bytes(second.x), x[4]) + dot(bytes(second.y), x[5]) + dot(bytes(second.z), x[6]) + dot(bytes(second.w), x[7]);
    return weighted(low, high, total, steps);
}

// The given block of each of the four rows, whose lanes in their tiles are `lane`.
fn terms(block: vec4<u32>, lane: vec4<u32>, x: Block) -> vec4<i32> {
    let at = block * 16u + lane;
    let step = block * 8u + lane;
    let total = dot(x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7], vec4<i32>(1i));
    return vec4<i32>(term(q[at.x], q[at.x + 8u], steps_at(step.x), x, total), term(q[at.y], q[at.y + 8u], steps_at(step.y), x, total),
                     term(q[at.z], q[at.z + 8u], steps_at(step.z), x, total), term(q[at.w], q[at.w + 8u], steps_at(step.w), x, total));
}
