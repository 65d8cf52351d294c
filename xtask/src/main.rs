//! Site builder.
fn main() {}
