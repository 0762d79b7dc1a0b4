// Attention over many positions, in spans of as many as a workgroup has invocations; four dispatches that follow one another: scores,
// weights, mixtures and their merge, which is exact: largest and sums do not depend on how positions are split.
// workspace (T, heads) of: scores, then weights, of all positions; of each span its largest score, its sum of weights, the same in 16
// bits; of each span its mixture of values.
@group(0) @binding(6) var<storage, read_write> workspace: array<i32>;

struct Spans {
    scores: u32,
    largest: u32,
    sums: u32,
    narrow: u32,
    mixtures: u32,
    count: u32, // to the one with the last position that the token sees
}

fn spans_of(head: u32, t: u32, seen: u32) -> Spans {
    let count = (params.capacity + lanes - 1u) / lanes;
    let scores = (t * params.heads + head) * (params.capacity + count * (3u + params.head_width));
    let largest = scores + params.capacity;
    return Spans(scores, largest, largest + count, largest + 2u * count, largest + 3u * count, (seen + lanes - 1u) / lanes);
}
