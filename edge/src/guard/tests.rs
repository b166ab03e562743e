use super::*;
use crate::testing::{self, at, guard_rules};
use kompas_field::RawBoundary;
use proptest::prelude::*;

fn ring(west: f64, south: f64, east: f64, north: f64) -> Vec<Point2<FieldFrame>> {
    [[west, south], [east, south], [east, north], [west, north], [west, south]].map(Into::into).to_vec()
}

/// 100 m square with a 10 m square hole in its middle.
fn guard() -> Guard {
    let raw =
        RawBoundary { outer: ring(0.0, 0.0, 100.0, 100.0), exclusions: vec![ring(45.0, 45.0, 55.0, 55.0)] };
    Guard::new(guard_rules(), Boundary::new(&raw).unwrap(), &[])
}

const NOW_S: f64 = 100.0;

fn well() -> Inputs {
    testing::well(NOW_S, Point2::new(20.0, 20.0))
}

fn spot(x: f64, y: f64) -> Wanted {
    let wets =
        [[x - 0.1, y - 0.05], [x + 0.1, y - 0.05], [x + 0.1, y + 0.05], [x - 0.1, y + 0.05]].map(Into::into);
    Wanted { command: NozzleCommand { open_at: at(NOW_S + 0.1), close_at: at(NOW_S + 0.3), nozzle: 4 }, wets }
}

fn with_fix(change: impl Fn(&mut LastFix)) -> Inputs {
    let mut inputs = well();
    change(inputs.fix.as_mut().unwrap());
    inputs
}

fn with_speed(speed_mps: f64) -> Inputs {
    let mut inputs = well();
    inputs.motion = inputs.motion.map(|motion| Motion { speed: MetresPerSecond::new(speed_mps), ..motion });
    inputs
}

#[test]
fn everything_well_opens_exactly_what_was_wanted() {
    let permit = guard().permit(&spot(20.0, 20.0), &well()).unwrap();
    assert_eq!(permit.command(), spot(20.0, 20.0).command);
}

#[test]
fn each_input_closes_with_its_reason() {
    use ClosedBecause as C;
    let cases: [(Inputs, C); 20] = [
        (Inputs { stopped: true, ..well() }, C::EmergencyStop),
        (Inputs { treating: false, ..well() }, C::MissionNotTreating),
        (Inputs { recording: false, ..well() }, C::RecorderUnavailable),
        (Inputs { boom_answers: false, ..well() }, C::BoomUnavailable),
        (Inputs { fix: None, ..well() }, C::PoseStale),
        (with_fix(|fix| fix.true_at = at(NOW_S - 0.31)), C::PoseStale),
        (with_fix(|fix| fix.true_at = at(NOW_S + 0.31)), C::PoseStale),
        (with_fix(|fix| fix.quality = FixQuality::Float), C::FixTooPoor),
        (with_fix(|fix| fix.quality = FixQuality::None), C::FixTooPoor),
        (with_fix(|fix| fix.correction_age = Seconds::new(2.1)), C::FixTooPoor),
        (with_fix(|fix| fix.correction_age = Seconds::new(-1.0)), C::FixTooPoor),
        (with_fix(|fix| fix.sigma = Metres::new(0.031)), C::PositionErrorTooLarge),
        (with_fix(|fix| fix.sigma = Metres::ZERO), C::PositionErrorTooLarge),
        (with_fix(|fix| fix.sigma = Metres::new(-1.0)), C::PositionErrorTooLarge),
        (Inputs { motion: Err(PoseGap::Jumped { missing: 2 }), ..well() }, C::PositionJumped),
        (Inputs { motion: Err(PoseGap::NoFix), ..well() }, C::PoseStale),
        (Inputs { last_frame: None, ..well() }, C::CameraStale),
        (Inputs { last_frame: Some(at(NOW_S - 1.01)), ..well() }, C::CameraStale),
        (with_speed(2.01), C::TooFast),
        (Inputs { implement: false, ..well() }, C::ImplementOff),
    ];
    for (inputs, because) in cases {
        assert_eq!(guard().permit(&spot(20.0, 20.0), &inputs), Err(because), "{inputs:?}");
    }
}

#[test]
fn the_fence_holds_for_the_wetted_ground() {
    // Half a length of 0.1, 2 sigma of 0.01 and a margin of 0.05: 0.17 from the middle.
    for (x, y, may) in [
        (0.3, 20.0, true),
        (0.12, 20.0, false),
        (-5.0, 20.0, false),
        (50.0, 50.0, false),
        (44.84, 50.0, false),
        (44.82, 50.0, true),
        (50.0, 0.13, true),
        (50.0, 0.11, false),
        (50.0, 44.98, false),
    ] {
        let got = guard().permit(&spot(x, y), &well());
        assert_eq!(got.is_ok(), may, "{x} {y}: {got:?}");
    }
    let mut nan = spot(20.0, 20.0);
    nan.wets[2] = Point2::new(f64::NAN, 20.0);
    assert_eq!(guard().permit(&nan, &well()), Err(ClosedBecause::OutsideGeofence));
}

#[test]
fn the_zones_of_the_plan_stay_dry() {
    let zone = |line: &[[f64; 2]]| SprayFreeZone {
        line: line.iter().map(|&point| point.into()).collect(),
        width_m: Metres::new(2.0),
        rule: "ditch".to_owned(),
        source: "test".to_owned(),
        checked: "2026-11-28".to_owned(),
    };
    let zones = [zone(&[[10.0, 0.0], [10.0, 30.0], [40.0, 30.0]]), zone(&[[70.0, 70.0]])];
    let guard = Guard { zones: Zones::new(&zones), ..guard() };
    // Half a length of 0.1 and 0.07 for position error and drift; across half a width of 0.05.
    for (x, y, may) in [
        (10.0, 20.0, false),
        (12.16, 20.0, false),
        (12.18, 20.0, true),
        (7.82, 20.0, true),
        (30.0, 32.11, false),
        (30.0, 32.13, true),
        (70.0, 70.0, false),
        (72.18, 70.0, true),
    ] {
        let got = guard.permit(&spot(x, y), &well());
        assert_eq!(got.is_ok(), may, "{x} {y}: {got:?}");
    }
}

#[test]
fn a_change_is_told_once() {
    let mut guard = guard();
    assert_eq!(guard.watch(&well()), Some(None));
    assert_eq!(guard.watch(&well()), None);
    let stopped = Inputs { stopped: true, ..well() };
    assert_eq!(guard.watch(&stopped), Some(Some(ClosedBecause::EmergencyStop)));
    assert_eq!(guard.watch(&stopped), None);
    assert_eq!(guard.closed(), Some(ClosedBecause::EmergencyStop));
}

proptest! {
    /// Whatever else holds: no permit while any input is stale, or is none.
    #[test]
    fn no_permit_when_any_input_is_stale(
        fix_age in -2.0..2.0f64, frame_age in -3.0..3.0f64, correction_age in prop_oneof![Just(-1.0), -2.0..6.0f64],
        sigma in prop_oneof![Just(-1.0), Just(0.0), -0.05..0.1f64],
        x in -20.0..120.0f64, y in -20.0..120.0f64, speed in -1.0..4.0f64,
    ) {
        let mut inputs = with_speed(speed);
        inputs.fix = inputs.fix.map(|fix| LastFix {
            true_at: at(NOW_S - fix_age), sigma: Metres::new(sigma),
            correction_age: Seconds::new(correction_age), ..fix
        });
        inputs.last_frame = Some(at(NOW_S - frame_age));
        let granted = guard().permit(&spot(x, y), &inputs).is_ok();
        let stale = fix_age.abs() > 0.3 + 1e-6 || frame_age.abs() > 1.0 + 1e-6 || !(0.0..=2.0).contains(&correction_age);
        let outside = !(0.0..=100.0).contains(&x) || !(0.0..=100.0).contains(&y)
            || ((45.0..=55.0).contains(&x) && (45.0..=55.0).contains(&y));
        prop_assert!(!granted || !(stale || outside || sigma <= 0.0 || sigma > 0.03 || speed > 2.0));
    }
}
