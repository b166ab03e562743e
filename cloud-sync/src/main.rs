//! The cloud.
fn main() {}
