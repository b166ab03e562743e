//! Going on with a plan from where the robot stands.

mod common;

use common::{field, rig};
use kompas_field::units::Metres;
use kompas_field::{CellIndex, CellTally, Field, Severity, WeedMap};
use kompas_planner::{Gear, Leg, PathSampler, Plan, Policy, check, plan, resume};

fn parcel() -> Field {
    field(&[(0.0, 0.0), (60.0, 0.0), (60.0, 200.0), (0.0, 200.0)], &[]).expect("a valid field")
}

fn weeds(field: &Field, cells: &[(u32, u32)]) -> WeedMap {
    let mut map = WeedMap::new(field.grid());
    let mut tally = CellTally::default();
    tally.plants[1] = 1;
    for (col, row) in cells {
        map.add_tally(CellIndex { col: *col, row: *row }, &tally).expect("a cell of the grid");
    }
    map
}

/// Rows that are driven into and left backwards.
fn peeking(field: &Field) -> Plan {
    let map = weeds(field, &[(12, 14), (24, 14), (33, 14), (45, 14)]);
    let policy = Policy { selective: true, swath_heading_deg: Some(0.0), ..Policy::reference() };
    plan(field, Some(&map), &rig("robot-3m-reverse"), &policy).expect("a plan")
}

fn length(leg: &Leg) -> f64 {
    leg.points.windows(2).map(|w| w[0].distance(w[1]).get()).sum()
}

#[test]
fn a_plan_goes_on_from_every_leg_forwards_or_backwards() {
    let (field, rig) = (parcel(), rig("robot-3m-reverse"));
    let made = peeking(&field);
    let sampler = PathSampler::new(&made);
    let mut driven = 0.0;
    let mut backwards = 0;
    for leg in &made.path {
        for share in [0.0, 0.4, 0.9] {
            let at = Metres::new(driven + share * length(leg));
            let on = sampler.at(at).unwrap();
            let rest = resume(&made, &on.pose, at, &field, None, &rig, &Policy::reference()).unwrap();
            // At most a circle or two, and what may come of a chord begun anew.
            let (found, expected) = (rest.summary.path_m, made.summary.path_m - at.get());
            assert!(found < expected + 40.0, "{found} m for {expected}");
            backwards += u32::from(on.gear == Gear::Reverse);
        }
        driven += length(leg);
    }
    assert!(backwards > 3, "{backwards}");
}

#[test]
fn a_gear_changes_with_the_nose_kept() {
    let (field, rig) = (parcel(), rig("robot-3m-reverse"));
    let mut made = peeking(&field);
    let straight =
        made.path.iter().position(|leg| leg.gear == Gear::Forward && leg.points.len() == 2).unwrap();
    made.path[straight].gear = Gear::Reverse;
    made.id = made.id_of_contents();
    let found = check(&made, &field, &rig);
    let corner = found.iter().find(|f| f.code == "plan.corner" && f.severity == Severity::Error);
    assert!(corner.is_some_and(|f| f.cause.contains("180°")), "{found:?}");
}
