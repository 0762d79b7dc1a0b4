// Attention of a GPU: one head of one token a workgroup, a position an invocation; heads of up to 256.
var<workgroup> peak: atomic<i32>;
var<workgroup> total: atomic<u32>;
var<workgroup> mixed: array<atomic<i32>, 256>;

// Where a head's vectors begin: of its query, and in the cache of its first key and first value.
struct Head {
    q: u32,
    keys: u32,
    values: u32,
    stride: u32,
    first: u32, // position that the token sees
    seen: u32,  // positions to before which it does
}

fn head_of(head: u32, t: u32) -> Head {
    let vectors = params.head_width / 4u;
    let stride = 2u * params.kv_heads * vectors;
    let keys = places[t].x * params.capacity * stride + head / params.group * vectors;
    return Head((t * params.heads + head) * vectors, keys, keys + params.kv_heads * vectors, stride, first_of(places[t].y + 1u), places[t].y + 1u);
}

fn score_of(h: Head, j: u32) -> i32 {
    var sum = 0i;
    let key = h.keys + j * h.stride;
    for (var i = 0u; i < params.head_width / 4u; i++) { sum += dot(q[h.q + i], cached(key + i, params.short > 0u)); }
    return sum;
}

fn weight_of(score: i32, top: i32) -> u32 {
    let u = halvings(top - score, params.mantissa, params.shift);
    return exponential[u & 255u] >> min(u >> 8u, 31u);
}

// A weight among weights that sum to `den`, to 16 bits.
fn narrowed_weight(p: u32, den: u32) -> i32 {
    return round_shift(i32(p), narrowing_of(den));
}

fn narrowing_of(den: u32) -> i32 {
    return max(bit_length(den) - 16i, 0i);
}

// Set by hand: zero-initialisation was seen to fail from the second workgroup on (wgpu-native on lavapipe 25).
fn begin(lane: u32) {
    if (lane == 0u) {
        atomicStore(&peak, LEAST);
        atomicStore(&total, 0u);
    }
    for (var i = lane; i < params.head_width; i += lanes) { atomicStore(&mixed[i], 0i); }
    workgroupBarrier();
}

fn mixed_vector(i: u32) -> vec4<i32> {
    return vec4<i32>(atomicLoad(&mixed[4u * i]), atomicLoad(&mixed[4u * i + 1u]), atomicLoad(&mixed[4u * i + 2u]), atomicLoad(&mixed[4u * i + 3u]));
}

// Of values, those without their last bits, or those bits.
const WHOLE = 0u;
const HIGH = 1u;
const LOW = 2u;

fn half_of(v: vec4<i32>, half: u32) -> vec4<i32> {
    if (half == HIGH) { return v >> vec4<u32>(params.low); }
    if (half == LOW) { return v & vec4<i32>((1i << params.low) - 1i); }
    return v;
}

// Adds the values of positions from `first` to before `end`, or a half of each, weighted by what the workspace holds from `weights`
// on; an invocation takes a vector of some positions.
fn mix(h: Head, weights: u32, first: u32, end: u32, lane: u32, half: u32) {
    let vectors = params.head_width / 4u;
    let parts = max(lanes / vectors, 1u);
    for (var i = lane; i < vectors * parts; i += lanes) {
        let vector = i % vectors;
        var sum = vec4<i32>(0i);
        for (var j = first + i / vectors; j < end; j += parts) {
            sum += workspace[weights + j] * half_of(cached(h.values + j * h.stride + vector, params.short > 0u), half);
        }
        for (var c = 0u; c < 4u; c++) { atomicAdd(&mixed[4u * vector + c], sum[c]); }
    }
    workgroupBarrier();
}
