// The first eight lanes of a subgroup, each of which may load what the others read from it.

// Whether all eight are here; neither how many lanes a subgroup has nor which of them run is promised. Who finds them missing loads
// for itself: the bits are the same.
fn eight_lanes() -> bool {
    return (subgroupBallot(true).x & 255u) == 255u;
}

// The number of this lane modulo 8 if they are: lanes are counted, as nothing says which invocation is in which.
fn lane_of_eight() -> u32 {
    return subgroupExclusiveAdd(1u) % 8u;
}
