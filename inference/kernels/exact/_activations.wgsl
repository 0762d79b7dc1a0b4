// A block's activations as a kernel's products want them: 8 a vector (packed), a sum over all (counted), and the exponent of their row.
struct Activations {
    x: array<vec4<u32>, 4>,
    sum: i32,
    exponent: i32,
}
