// requires: fixed_point, scaled, narrow4, eight_lanes, full_attention
// On processors whose subgroups have 8 lanes or more: the same bits as full_attention. Of keys and values thirty-two
// channels at a time, four of which a lane loads and the others read from it. All queries see all keys.

// Where lanes are missing: four channels at a time.
fn alone(place: Place) {
    var largest = vec4<i32>(-2147483647i);
    for (var j = 0u; j < place.keys; j++) {
        var s = vec4<i32>(0i);
        for (var part = 0u; part < place.fours; part++) { s += products(queries(place, part), workspace[place.k + j * place.row + part]); }
        workspace[place.scores + j * params.quads] = s;
        largest = max(largest, s);
    }
    let by = vec4<u32>(16u) - countLeadingZeros(weigh(place, largest));
    for (var part = 0u; part < place.fours; part++) {
        var weight = vec4<u32>(0u);
        var y = Four();
        for (var j = 0u; j < place.keys; j++) {
            let p = weights(place, j, by);
            weight += p;
            mix(&y, p, v[place.v + j * place.row + part]);
        }
        put(&y, place, part, reciprocals(weight));
    }
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let inside = id.x < params.quads && params.first + 4u * id.x < params.queries;
    let place = place_of(select(0u, id.x, inside), group.y);
    if (!eight_lanes()) {
        if (inside) { alone(place); }
        return;
    }
    let lane = lane_of_eight();
    let fours = params.head_width / 4u; // as one of them all: loops may not depend on an invocation's place
    var largest = vec4<i32>(-2147483647i);
    for (var part = 0u; part < fours; part += 8u) {
        let x0 = queries(place, part);
        let x1 = queries(place, part + 1u);
        let x2 = queries(place, part + 2u);
        let x3 = queries(place, part + 3u);
        let x4 = queries(place, part + 4u);
        let x5 = queries(place, part + 5u);
        let x6 = queries(place, part + 6u);
        let x7 = queries(place, part + 7u);
        let own = place.k + min(part + lane, fours - 1u);
        for (var j = 0u; j < params.keys; j++) {
            let k = workspace[own + j * place.row];
            var s = products(x0, subgroupShuffle(k, 0u));
            s += products(x1, subgroupShuffle(k, 1u));
            s += products(x2, subgroupShuffle(k, 2u));
            s += products(x3, subgroupShuffle(k, 3u));
            s += products(x4, subgroupShuffle(k, 4u));
            s += products(x5, subgroupShuffle(k, 5u));
            s += products(x6, subgroupShuffle(k, 6u));
            s += products(x7, subgroupShuffle(k, 7u));
            let at = place.scores + j * params.quads;
            if (inside) {
                if (part > 0u) { s += workspace[at]; }
                workspace[at] = s;
            }
            if (part + 8u >= fours) { largest = max(largest, s); }
        }
    }
    var total = vec4<u32>(0u);
    if (inside) { total = weigh(place, largest); }
    let by = vec4<u32>(16u) - countLeadingZeros(total);
    for (var part = 0u; part < fours; part += 8u) {
        let own = place.v + min(part + lane, fours - 1u);
        var weight = vec4<u32>(0u);
        var y0 = Four();
        var y1 = Four();
        var y2 = Four();
        var y3 = Four();
        var y4 = Four();
        var y5 = Four();
        var y6 = Four();
        var y7 = Four();
        for (var j = 0u; j < params.keys; j++) {
            let p = weights(place, j, by);
            let word = v[own + j * place.row];
            weight += p;
            mix(&y0, p, subgroupShuffle(word, 0u));
            mix(&y1, p, subgroupShuffle(word, 1u));
            mix(&y2, p, subgroupShuffle(word, 2u));
            mix(&y3, p, subgroupShuffle(word, 3u));
            mix(&y4, p, subgroupShuffle(word, 4u));
            mix(&y5, p, subgroupShuffle(word, 5u));
            mix(&y6, p, subgroupShuffle(word, 6u));
            mix(&y7, p, subgroupShuffle(word, 7u));
        }
        if (inside) {
            let reciprocal = reciprocals(weight);
            put(&y0, place, part, reciprocal);
            put(&y1, place, part + 1u, reciprocal);
            put(&y2, place, part + 2u, reciprocal);
            put(&y3, place, part + 3u, reciprocal);
            put(&y4, place, part + 4u, reciprocal);
            put(&y5, place, part + 5u, reciprocal);
            put(&y6, place, part + 6u, reciprocal);
            put(&y7, place, part + 7u, reciprocal);
        }
    }
}
