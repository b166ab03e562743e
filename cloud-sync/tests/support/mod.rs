//! What the tests of this crate share. Each test file takes what it needs.
#![expect(dead_code, reason = "shared by test files that each use a part")]

#[cfg(feature = "cloud")]
pub(crate) mod arrivals;
pub(crate) mod http;
pub(crate) mod relay;
pub(crate) mod season;
#[cfg(feature = "cloud")]
pub(crate) mod served;
