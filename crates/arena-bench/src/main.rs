//! arena-bench
fn main() {}
