//! Random parcels, ugly ones included: always a checked plan or a named refusal, never a panic.
//!
//! `KOMPAS_PARCELS` sets how many (CI: the default; the figures run many more).

mod common;

use common::ugly::ring;
use common::{field, rig};
use kompas_field::Severity;
use kompas_planner::{PlanError, Policy, check, plan};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::f64::consts::TAU;

type Shape = Vec<(f64, f64)>;

/// Where a hole lies (angle, share of the way out), how large it is, and its corners.
type Hole = (f64, f64, f64, Shape);

fn parcels() -> impl Strategy<Value = (f64, Shape, Vec<Hole>)> {
    let corner = (0.15..1.0f64, 0.0..1.0f64);
    let hole_corner = (0.5..1.0f64, 0.0..0.9f64);
    let hole = (0.0..TAU, 0.0..0.5f64, 0.3..8.0f64, prop::collection::vec(hole_corner, 3..7));
    (8.0..90.0f64, prop::collection::vec(corner, 3..14), prop::collection::vec(hole, 0..3))
}

#[test]
fn random_parcels_get_a_checked_plan_or_a_named_refusal() {
    let cases = std::env::var("KOMPAS_PARCELS").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let rigs = [rig("robot-3m"), rig("boom-27m"), rig("robot-3m-reverse")];
    let mut runner = TestRunner::new_with_rng(
        Config { cases, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let counts = std::cell::RefCell::new([0u32; 4]);
    let result = runner.run(&parcels(), |(radius, outer, holes)| {
        let outer = ring((0.0, 0.0), radius, &outer);
        let holes: Vec<_> = holes
            .into_iter()
            .map(|(angle, out, size, shape)| {
                let mut hole = ring((radius * out * angle.cos(), radius * out * angle.sin()), size, &shape);
                hole.reverse();
                hole
            })
            .collect();
        let Ok(field) = field(&outer, &holes) else {
            counts.borrow_mut()[0] += 1;
            return Ok(());
        };
        let rig = &rigs[usize::from(radius > 60.0)];
        match plan(&field, None, rig, &Policy::reference()) {
            Ok(made) => {
                let errors: Vec<_> =
                    check(&made, &field, rig).into_iter().filter(|f| f.severity == Severity::Error).collect();
                prop_assert!(errors.is_empty(), "{errors:?}");
                counts.borrow_mut()[1] += 1;
            }
            // The planner's own fault: its checker kept it from the robot, and we want to know how often.
            Err(PlanError::Refused(findings)) => {
                println!("refused by the checker: {findings}");
                counts.borrow_mut()[3] += 1;
            }
            Err(_) => counts.borrow_mut()[2] += 1,
        }
        Ok(())
    });
    let [invalid, planned, refused, faults] = *counts.borrow();
    println!(
        "{cases} parcels: {planned} planned, 0 violations, {refused} refused by name, {faults} refused by the checker, {invalid} with an invalid boundary"
    );
    result.unwrap();
    assert!(faults <= planned / 200, "{faults} plans that the checker had to refuse");
    assert!(planned > cases / 4, "too few parcels were planned to prove anything: {planned}");
}
