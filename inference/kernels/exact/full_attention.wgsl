// requires: fixed_point, scaled, narrow4, full_attention
// Of queries and values sixteen channels at a time.
@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    if (id.x >= params.quads || params.first + 4u * id.x >= params.queries) { return; }
    let place = place_of(id.x, group.y);
    let last = place.fours - 1u;
    var largest = vec4<i32>(-2147483647i);
    for (var part = 0u; part < place.fours; part += 4u) {
        let x0 = queries(place, part);
        let x1 = queries(place, part + 1u);
        let x2 = queries(place, part + 2u);
        let x3 = queries(place, part + 3u);
        for (var j = 0u; j < place.keys; j++) {
            let k = place.k + j * place.row;
            var s = products(x0, workspace[k + part]);
            s += products(x1, workspace[k + min(part + 1u, last)]);
            s += products(x2, workspace[k + min(part + 2u, last)]);
            s += products(x3, workspace[k + min(part + 3u, last)]);
            let at = place.scores + j * params.quads;
            if (part > 0u) { s += workspace[at]; }
            workspace[at] = s;
            if (part + 4u >= place.fours) { largest = select(max(largest, s), largest, unseen(place, j)); }
        }
    }
    let by = vec4<u32>(16u) - countLeadingZeros(weigh(place, largest));
    for (var part = 0u; part < place.fours; part += 4u) {
        var weight = vec4<u32>(0u);
        var y0 = Four();
        var y1 = Four();
        var y2 = Four();
        var y3 = Four();
        for (var j = 0u; j < place.keys; j++) {
            let p = weights(place, j, by);
            let at = place.v + j * place.row;
            weight += p;
            mix(&y0, p, v[at + part]);
            mix(&y1, p, v[at + min(part + 1u, last)]);
            mix(&y2, p, v[at + min(part + 2u, last)]);
            mix(&y3, p, v[at + min(part + 3u, last)]);
        }
        let reciprocal = reciprocals(weight);
        put(&y0, place, part, reciprocal);
        put(&y1, place, part + 1u, reciprocal);
        put(&y2, place, part + 2u, reciprocal);
        put(&y3, place, part + 3u, reciprocal);
    }
}
