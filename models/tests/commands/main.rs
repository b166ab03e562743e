//! What `kompas-model` does with input that is not what its user means, and at the ends of a run.

#![expect(clippy::unwrap_used, reason = "helpers of a test: a failure is a failed test")]

mod input;
mod recipes;
mod yard;
