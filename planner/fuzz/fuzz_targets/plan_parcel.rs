//! Any bytes are a parcel, a rig and a job: no panic, and a plan that the checker passes or a refusal.
//!
//! The body is a plain function that `planner/tests/raw_bytes.rs` runs over a thousand seeds in every test run.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    common::ugly::planned_or_refused(bytes);
});
