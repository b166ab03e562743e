//! Random parcels, ugly ones included: always a checked plan or a named refusal, never a panic, and never a plan that the
//! planner's own checker has to hold back.
//!
//! `KOMPAS_PARCELS` sets how many (CI: the default), `KOMPAS_PARCELS_FROM` the number of the first. Parcel n is the same
//! in every run, so that `tests/figures/planner --parcels` can cut a long run into pieces and go on after a stop.

mod common;

use common::ugly::ring;
use common::{field, rig};
use kompas_field::{Rig, Severity};
use kompas_planner::{PlanError, Policy, check, plan};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::sync::atomic::{AtomicU64, Ordering};

type Shape = Vec<(f64, f64)>;

/// Where a hole lies (angle, share of the way out), how large it is, and its corners.
type Hole = (f64, f64, f64, Shape);

fn parcels() -> impl Strategy<Value = (f64, Shape, Vec<Hole>)> {
    let corner = (0.15..1.0f64, 0.0..1.0f64);
    let hole_corner = (0.5..1.0f64, 0.0..0.9f64);
    let hole = (0.0..TAU, 0.0..0.5f64, 0.3..8.0f64, prop::collection::vec(hole_corner, 3..7));
    (8.0..90.0f64, prop::collection::vec(corner, 3..14), prop::collection::vec(hole, 0..3))
}

/// Parcel `number`: the outer ring's size, and rings if they make a valid boundary.
fn parcel(number: u64) -> (f64, Option<kompas_field::Field>) {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (radius, outer, holes) = parcels().new_tree(&mut runner).expect("a parcel").current();
    let outer = ring((0.0, 0.0), radius, &outer);
    let holes: Vec<_> = holes
        .into_iter()
        .map(|(angle, out, size, shape)| {
            let mut hole = ring((radius * out * angle.cos(), radius * out * angle.sin()), size, &shape);
            hole.reverse();
            hole
        })
        .collect();
    (radius, field(&outer, &holes).ok())
}

/// What became of a parcel.
const fn name(error: &PlanError) -> &'static str {
    match error {
        PlanError::NoRoom { .. } => "no room",
        PlanError::FallsApart { .. } => "falls apart",
        PlanError::Refused(_) => "refused by the checker",
        _ => "other",
    }
}

struct Rigs {
    wide: Rig,
    narrow: [Rig; 2],
}

impl Rigs {
    fn read() -> Self {
        Self { wide: rig("boom-27m"), narrow: [rig("robot-3m"), rig("robot-3m-reverse")] }
    }
}

/// What became of parcel `number`, and what is wrong with it.
fn outcome(number: u64, rigs: &Rigs) -> (&'static str, Option<String>) {
    let (radius, field) = parcel(number);
    let Some(field) = field else { return ("invalid boundary", None) };
    let rig = if radius > 60.0 { &rigs.wide } else { &rigs.narrow[usize::from(number % 2 == 1)] };
    match std::panic::catch_unwind(|| plan(&field, None, rig, &Policy::reference())) {
        Ok(Ok(made)) => {
            let errors: Vec<_> =
                check(&made, &field, rig).into_iter().filter(|f| f.severity == Severity::Error).collect();
            if errors.is_empty() {
                ("planned", None)
            } else {
                ("violations", Some(format!("parcel {number}: {errors:?}")))
            }
        }
        Ok(Err(error)) => {
            let refused = matches!(error, PlanError::Refused(_));
            (name(&error), refused.then(|| format!("parcel {number}: {error}")))
        }
        Err(_) => ("panics", Some(format!("parcel {number}: panics"))),
    }
}

#[test]
fn random_parcels_get_a_checked_plan_or_a_named_refusal() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let (from, cases) =
        (number("KOMPAS_PARCELS_FROM").unwrap_or(0), number("KOMPAS_PARCELS").unwrap_or(1000));
    let next = AtomicU64::new(from);
    let work = || {
        let rigs = Rigs::read();
        let mut outcomes = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= from + cases {
                return outcomes;
            }
            outcomes.push((number, outcome(number, &rigs)));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut outcomes: Vec<(u64, (&str, Option<String>))> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("panics are caught")).collect()
    });
    outcomes.sort_by_key(|(number, _)| *number);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut faults: Vec<String> = Vec::new();
    for (_, (outcome, fault)) in outcomes {
        *counts.entry(outcome).or_default() += 1;
        faults.extend(fault);
    }
    let planned = counts.get("planned").copied().unwrap_or(0);
    println!("parcels from {from}: {counts:?}");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(planned > cases / 4, "too few parcels were planned to prove anything: {planned}");
}

/// Parcels whose plan the checker once held back, each with what was wrong.
const ONCE_REFUSED: [(u64, &str); 1] =
    [(73261, "a turn set out from a headland pass just behind the beginning of a bend, with a kink there")];

#[test]
fn parcels_that_were_once_refused_get_a_plan() {
    let rigs = Rigs::read();
    for (number, why) in ONCE_REFUSED {
        assert_eq!(outcome(number, &rigs), ("planned", None), "once refused: {why}");
    }
}
