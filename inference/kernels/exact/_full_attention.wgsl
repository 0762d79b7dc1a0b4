// Attention without a cache; formula and bounds in ops/full_attention.py.
// q (T, heads · w); k, v (S, heads · w); scales: largest, exponent; exponential (256); output (T, heads · w);
// workspace (heads, S, quads) of four scores and then weights, and after them the narrowed keys. One invocation four queries
// and a head: those beyond the last are the last again, and nothing is kept.
struct Params {
    queries: u32, // T
    first: u32,   // of this dispatch
    quads: u32,   // fours of queries of a dispatch, at most
    keys: u32,    // S
    heads: u32,
    head_width: u32,
    causal: u32,  // 1 where a query sees the keys up to its own place
    bits: i32,    // to which queries and keys are narrowed
    drop: u32,
    mantissa: i32,
    shift: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4<i32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<i32>>;
@group(0) @binding(4) var<storage, read> scale_q: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> scale_k: array<vec2<i32>>;
@group(0) @binding(6) var<storage, read> exponential: array<u32>;
@group(0) @binding(7) var<storage, read_write> output: array<vec4<i32>>;
@group(0) @binding(8) var<storage, read_write> workspace: array<vec4<i32>>;
override lanes: u32 = 64u;
alias Four = array<vec4<i32>, 4>; // four channels of four queries

struct Place {
    query: vec4<u32>,
    own: vec4<u32>, // where their channels begin
    keys: u32,      // that one of the four sees
    scores: u32,    // quads apart
    k: u32,         // a row apart, narrowed
    v: u32,
    row: u32,       // fours of all heads
    fours: u32,     // of one
}

fn place_of(quad: u32, head: u32) -> Place {
    let fours = params.head_width / 4u;
    let row = params.heads * fours;
    let query = min(vec4<u32>(params.first + quad * 4u) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.queries - 1u));
    let keys = select(params.keys, query.w + 1u, params.causal == 1u);
    let words = params.keys * params.quads; // of a head's scores
    return Place(query, query * row + head * fours, keys, head * words + quad, params.heads * words + head * fours, head * fours, row, fours);
}

// Four channels of the queries; 0 beyond the last.
fn queries(place: Place, part: u32) -> Four {
    if (part >= place.fours) { return Four(); }
    let n = narrowing(scale_q[0], params.bits);
    let at = place.own + part;
    let bits = params.bits;
    return Four(narrow4(q[at.x], n, bits), narrow4(q[at.y], n, bits), narrow4(q[at.z], n, bits), narrow4(q[at.w], n, bits));
}

// Each query's product with four channels of a key.
fn products(x: Four, k: vec4<i32>) -> vec4<i32> {
    return vec4<i32>(dot(x[0], k), dot(x[1], k), dot(x[2], k), dot(x[3], k));
}

// Which of the queries do not see key j.
fn unseen(place: Place, j: u32) -> vec4<bool> {
    return vec4<bool>(params.causal == 1u) & (vec4<u32>(j) > place.query);
}

// Scores become weights; their sums.
fn weigh(place: Place, largest: vec4<i32>) -> vec4<u32> {
    let shift = params.shift - (scale_q[0].y + narrowing(scale_q[0], params.bits)) - (scale_k[0].y + narrowing(scale_k[0], params.bits));
    var total = vec4<u32>(0u);
    for (var j = 0u; j < place.keys; j++) {
        let at = place.scores + j * params.quads;
        let d = multiply_shift4(max(largest - workspace[at], vec4<i32>(0i)), params.mantissa, 16u);
        let u = vec4<u32>(vec4<i32>(moved(d.x, shift), moved(d.y, shift), moved(d.z, shift), moved(d.w, shift)));
        let step = u & vec4<u32>(255u);
        let all = vec4<u32>(exponential[step.x], exponential[step.y], exponential[step.z], exponential[step.w])
             >> min((u >> vec4<u32>(8u)) + vec4<u32>(params.drop), vec4<u32>(31u));
        let p = select(all, vec4<u32>(0u), unseen(place, j));
        workspace[at] = vec4<i32>(p);
        total += p;
    }
    return total;
}

// Weights to 16 bits, by the bit length of their sums less 16.
fn weights(place: Place, j: u32, by: vec4<u32>) -> vec4<u32> {
    return (vec4<u32>(workspace[place.scores + j * params.quads]) + ((vec4<u32>(1u) << by) >> vec4<u32>(1u))) >> by;
}

fn mix(y: ptr<function, Four>, p: vec4<u32>, v: vec4<i32>) {
    let z = vec4<i32>(p);
    (*y)[0] += z.x * v;
    (*y)[1] += z.y * v;
    (*y)[2] += z.z * v;
    (*y)[3] += z.w * v;
}

fn reciprocals(weight: vec4<u32>) -> vec4<i32> {
    return vec4<i32>(min((vec4<u32>(1073741824u) + (weight >> vec4<u32>(1u))) / weight, vec4<u32>(32767u)));
}

fn put(y: ptr<function, Four>, place: Place, part: u32, reciprocal: vec4<i32>) {
    if (part >= place.fours) { return; }
    let at = place.own + part;
    output[at.x] = multiply_shift4((*y)[0], reciprocal.x, 16u);
    output[at.y] = multiply_shift4((*y)[1], reciprocal.y, 16u);
    output[at.z] = multiply_shift4((*y)[2], reciprocal.z, 16u);
    output[at.w] = multiply_shift4((*y)[3], reciprocal.w, 16u);
}
