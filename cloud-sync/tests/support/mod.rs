//! What the tests of this crate share. Each test file takes what it needs.
#![expect(unreachable_pub, dead_code, reason = "shared by test files that each use a part")]

pub mod relay;
pub mod season;
