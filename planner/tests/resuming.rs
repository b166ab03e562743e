//! Going on with a plan from where the robot stands.

mod common;

use common::{field, rig, weeds};
use kompas_field::units::{LitresPerHectare, Metres};
use kompas_field::{CellIndex, Digest, FallbackRates, Field, FieldCrop, Prescription, Severity, WeedMap};
use kompas_planner::{
    Gear, Generation, Leg, PathSampler, Plan, PlanError, Policy, check, crew, plan, resume,
};

fn parcel() -> Field {
    field(&[(0.0, 0.0), (60.0, 0.0), (60.0, 200.0), (0.0, 200.0)], &[]).expect("a valid field")
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

/// The rest from a place of the path on.
fn rest(made: &Plan, share: f64, field: &Field, map: Option<&WeedMap>, policy: &Policy) -> Plan {
    let at = Metres::new(made.summary.path_m * share);
    let pose = PathSampler::new(made).at(at).expect("a path").pose;
    resume(made, &pose, at, field, map, &rig("robot-3m-reverse"), policy).expect("a rest")
}

#[test]
fn rates_stay_where_nobody_decides_anew() {
    let (field, rig) = (parcel(), rig("robot-3m-reverse"));
    let mut given = Prescription::new(field.grid(), FallbackRates::CLOSED).unwrap();
    for row in 20..180 {
        given
            .set(CellIndex { col: 30, row }, LitresPerHectare::new(if row < 90 { 80.0 } else { 120.0 }))
            .unwrap();
    }
    let policy = Policy { prescription: Some(given.clone()), ..Policy::reference() };
    let made = plan(&field, None, &rig, &policy).unwrap();
    let left = rest(&made, 0.3, &field, None, &Policy::reference());
    assert_eq!(left.prescription, given);
    assert!(left.schedule.iter().all(|run| run.rate_l_per_ha <= LitresPerHectare::new(120.0)));
    // The map behind the rates is still named.
    let map = weeds(&field, &[(12, 14)]);
    let mapped = plan(&field, Some(&map), &rig, &Policy::reference()).unwrap();
    let left = rest(&mapped, 0.3, &field, None, &Policy::reference());
    assert_eq!(left.made_for.weed_map, Some(Digest::of_json(&map)));
    assert_eq!(left.id, left.id_of_contents());
}

#[test]
fn what_the_rest_leaves_undone_is_told() {
    let field = parcel();
    let mut made = peeking(&field);
    let undone = kompas_field::Finding::warning("plan.part_undone", "here", "for the test", "nothing");
    made.findings.push(undone.clone());
    made.id = made.id_of_contents();
    assert_eq!(rest(&made, 0.1, &field, None, &Policy::reference()).findings, std::slice::from_ref(&undone));
    let crew =
        kompas_planner::crew(&made, 2, &field, None, &rig("robot-3m-reverse"), &Policy::reference()).unwrap();
    assert!(crew.iter().all(|part| part.findings.contains(&undone)));
    // The path leads into a few rows; a weed in another is not passed.
    let map = weeds(&field, &[(12, 14), (45, 14), (18, 120)]);
    let told = rest(&made, 0.01, &field, Some(&map), &Policy::reference()).findings;
    let cells = told.iter().find(|f| f.code == "plan.cells_not_worked").unwrap();
    assert!(cells.cause.starts_with("1 grid cells") && cells.place.contains("(18.5, 120.5)"), "{told:?}");
}

#[test]
fn a_plan_goes_on_in_its_own_field_with_its_crop_and_rig_only() {
    let (field, own_rig) = (parcel(), rig("robot-3m-reverse"));
    let made = peeking(&field);
    let map = weeds(&field, &[(30, 100)]);
    let at = Metres::new(10.0);
    let pose = PathSampler::new(&made).at(at).unwrap().pose;
    // Beets and potatoes change places: what was the crop would be treated.
    let potatoes = Field { crop: FieldCrop::Potato, ..field.clone() };
    for (field, rig, what) in [
        (&potatoes, &own_rig, "the crop is sugar_beet there and potato here"),
        (&field, &rig("robot-3m"), "another rig"),
    ] {
        let policy = Policy::reference();
        let rest = resume(&made, &pose, at, field, Some(&map), rig, &policy);
        assert!(rest.is_err_and(|e| matches!(e, PlanError::Foreign(_)) && e.to_string().contains(what)));
        assert!(matches!(crew(&made, 2, field, Some(&map), rig, &policy), Err(PlanError::Foreign(_))));
    }
}

#[test]
fn after_the_last_generation_there_is_no_other() {
    let (field, rig) = (parcel(), rig("robot-3m-reverse"));
    let last = plan(&field, None, &rig, &Policy { generation: Generation(u32::MAX), ..Policy::reference() })
        .unwrap();
    let pose = PathSampler::new(&last).at(Metres::new(10.0)).unwrap().pose;
    let rest = resume(&last, &pose, Metres::new(10.0), &field, None, &rig, &Policy::reference());
    assert_eq!(rest.unwrap_err(), PlanError::LastGeneration { generation: u32::MAX });
}
