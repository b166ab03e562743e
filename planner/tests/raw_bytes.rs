//! The fuzz target's body over fixed seeds: a plan that its checker passes, or a refusal by name, for any bytes.

mod common;

use common::ugly::{Outcome, planned_or_refused};

/// Knuth's generator: enough to spread seeds over all bytes.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..160)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .collect()
}

#[test]
fn a_thousand_seeds_get_a_checked_plan_or_a_refusal() {
    let mut counts = [0u32; 4];
    for seed in 0..1000 {
        let outcome = planned_or_refused(&bytes(seed));
        if outcome == Outcome::Fault {
            println!("seed {seed} is refused by the checker");
        }
        counts[outcome as usize] += 1;
    }
    let [invalid, planned, refused, faults] = counts;
    println!(
        "{planned} planned, {refused} refused by name, {faults} by the checker, {invalid} invalid boundaries"
    );
    assert!(planned > 250 && refused > 20 && invalid > 20, "the seeds prove too little: {counts:?}");
    assert!(faults <= planned / 100, "{faults} plans that the checker had to refuse");
}

#[test]
fn no_bytes_and_equal_bytes_are_cases_too() {
    for byte in [0, 1, 127, 128, 255] {
        for length in [0, 1, 7, 64] {
            planned_or_refused(&vec![byte; length]);
        }
    }
}
