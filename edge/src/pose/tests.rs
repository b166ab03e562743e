use super::*;
use kompas_field::Geodetic;
use proptest::prelude::*;

fn plane() -> FieldPlane {
    FieldPlane::at(Geodetic::etrs89(52.87, 6.95)).unwrap()
}

fn seconds(s: f64) -> RobotInstant {
    RobotInstant::START.after(Seconds::new(s))
}

/// East at 1 m/s from the origin, `north_m` off the line.
fn fix(at_s: f64, north_m: f64) -> Stamped<Fix> {
    let place = plane().to_geodetic(Point2::new(at_s, north_m));
    let value = Fix {
        place,
        heading: Radians::ZERO,
        quality: FixQuality::Fixed,
        sigma: Metres::new(0.01),
        correction_age: Seconds::new(0.5),
        speed: MetresPerSecond::new(1.0),
        turn_rate: RadiansPerSecond::ZERO,
    };
    Stamped::new(seconds(at_s), value)
}

fn driven(fixes: impl IntoIterator<Item = Stamped<Fix>>) -> PoseHistory {
    let mut poses = PoseHistory::new(plane(), PoseRules::default());
    for fix in fixes {
        poses.take(&fix).unwrap();
    }
    poses
}

#[test]
fn between_fixes_the_line_and_after_them_odometry() {
    let poses = driven([fix(1.0, 0.0), fix(1.2, 0.0), fix(1.4, 0.0)]);
    for at_s in [1.0, 1.1, 1.33, 1.4, 1.6, 1.9] {
        let motion = poses.at(seconds(at_s)).unwrap();
        assert!((motion.pose.position.x - at_s).abs() < 1e-6, "{at_s}: {motion:?}");
    }
}

#[test]
fn a_gap_is_an_error_with_its_size() {
    let poses = driven([fix(1.0, 0.0), fix(1.2, 0.0)]);
    assert_eq!(poses.at(seconds(0.9)), Err(PoseGap::NoFix));
    assert!(matches!(poses.at(seconds(1.8)), Err(PoseGap::TooFar { .. })));
    let mut torn = driven([fix(1.0, 0.0), fix(1.2, 0.0)]);
    assert_eq!(torn.take(&fix(3.0, 0.0)), Ok(Line::Broken));
    assert!(matches!(torn.at(seconds(3.0)), Err(PoseGap::Jumped { missing: 5 })));
    for i in 1..=5 {
        assert_eq!(torn.take(&fix(3.0 + f64::from(i) * 0.1, 0.0)), Ok(Line::GoesOn));
    }
    assert!(torn.at(seconds(3.5)).is_ok());
    assert_eq!(torn.at(seconds(1.2)), Err(PoseGap::NoFix), "who knows what the position did in between");
    assert_eq!(torn.jumps(), 0);
}

#[test]
fn a_jump_is_held_until_fixes_agree_again() {
    let mut poses = driven((0..20).map(|i| fix(f64::from(i) * 0.1, 0.0)));
    assert_eq!(poses.take(&fix(2.0, 0.4)), Ok(Line::Jumped));
    assert!(matches!(poses.at(seconds(2.0)), Err(PoseGap::Jumped { .. })));
    for i in 1..=5 {
        assert_eq!(poses.take(&fix(2.0 + f64::from(i) * 0.1, 0.4)), Ok(Line::GoesOn));
    }
    assert!((poses.at(seconds(2.5)).unwrap().pose.position.y - 0.4).abs() < 0.01);
    assert_eq!(poses.jumps(), 1);
}

#[test]
fn the_line_before_a_jump_is_only_for_what_happened_on_it() {
    let mut poses = driven((0..20).map(|i| fix(f64::from(i) * 0.1, 0.0)));
    for i in 0..=6 {
        poses.take(&fix(2.0 + f64::from(i) * 0.1, 0.4)).unwrap();
    }
    assert_eq!(poses.at(seconds(1.95)), Err(PoseGap::NoFix), "a picture of then is placed nowhere");
    let place = |at_s: f64| poses.line_at(seconds(at_s)).unwrap().pose.position;
    assert!(place(1.95).distance(Point2::new(1.95, 0.0)) < Metres::new(0.01), "not half way to the new line");
    assert!(place(2.05).distance(Point2::new(2.05, 0.4)) < Metres::new(0.01));
    assert_eq!(PoseHistory::new(plane(), PoseRules::default()).line_at(seconds(1.0)), None);
}

#[test]
fn odometry_counts_through_an_outage() {
    let lost = |at_s: f64| {
        let mut lost = fix(at_s, 0.0);
        lost.value.quality = FixQuality::None;
        lost
    };
    let poses = driven((0..=100).map(|i| {
        let at_s = f64::from(i) * 0.1;
        if (20..80).contains(&i) { lost(at_s) } else { fix(at_s, 0.0) }
    }));
    assert!((poses.driven().get() - 10.0).abs() < 1e-6, "{}", poses.driven());
    let hours_apart = driven([fix(1.0, 0.0), fix(3601.0, 0.0)]);
    assert_eq!(hours_apart.driven(), Metres::ZERO, "another log");
}

#[test]
fn a_fix_told_twice_does_not_break_the_line() {
    let mut poses = driven((0..20).map(|i| fix(f64::from(i) * 0.1, 0.0)));
    assert_eq!(poses.take(&fix(1.9, 0.01)), Ok(Line::GoesOn));
    assert!(poses.at(seconds(1.9)).is_ok() && poses.at(seconds(1.85)).is_ok());
    assert_eq!(poses.take(&fix(2.0, 0.0)), Ok(Line::GoesOn));
    assert!((poses.at(seconds(1.95)).unwrap().pose.position.x - 1.95).abs() < 0.01);
    assert_eq!(poses.take(&fix(1.5, 0.0)), Ok(Line::Broken), "time does not run backwards");
}

#[test]
fn a_vague_line_begins_anew_once_the_position_is_known() {
    let vague = |at_s: f64| {
        let mut vague = fix(at_s, 0.25);
        vague.value.sigma = Metres::new(0.3);
        vague
    };
    let mut poses = driven((0..10).map(|i| vague(f64::from(i) * 0.1)));
    assert!(poses.at(seconds(0.85)).is_ok(), "good enough for a map");
    assert_eq!(poses.take(&fix(1.0, 0.0)), Ok(Line::Broken));
    for i in 1..=5 {
        assert_eq!(poses.take(&fix(1.0 + f64::from(i) * 0.1, 0.0)), Ok(Line::GoesOn));
    }
    assert_eq!(poses.at(seconds(0.95)), Err(PoseGap::NoFix));
    assert!(poses.at(seconds(1.45)).unwrap().pose.position.y.abs() < 0.01);
}

#[test]
fn a_better_solution_begins_the_line_anew_whatever_the_poorer_one_claimed() {
    use FixQuality::{Fixed, Float, None, Single};
    let of = |at_s: f64, quality: FixQuality| {
        let mut fix = fix(at_s, if quality == Fixed { 0.0 } else { 0.08 });
        fix.value.quality = quality;
        fix
    };
    let tenth = |i: i32| f64::from(i) * 0.1;
    for poorer in [Single, Float] {
        let mut poses = driven((0..10).map(|i| of(tenth(i), poorer)));
        assert_eq!(poses.take(&of(1.0, Fixed)), Ok(Line::Broken), "{poorer:?}");
        assert_eq!(poses.at(seconds(1.0)), Err(PoseGap::Jumped { missing: 5 }));
        for i in 11..=15 {
            assert_eq!(poses.take(&of(tenth(i), Fixed)), Ok(Line::GoesOn));
        }
        assert_eq!(poses.at(seconds(0.95)), Err(PoseGap::NoFix), "seen on the line of the poorer one");
        assert!(poses.at(seconds(1.5)).unwrap().pose.position.y.abs() < 0.01);
        assert_eq!(poses.jumps(), 0);
    }
    let mut poses = driven((0..10).map(|i| of(tenth(i), Fixed)));
    assert_eq!(poses.take(&of(1.0, None)), Ok(Line::GoesOn));
    assert_eq!(poses.take(&of(1.1, Fixed)), Ok(Line::GoesOn), "what odometry bridges is no other solution");
    assert_eq!(poses.take(&of(1.2, Float)), Ok(Line::GoesOn), "a poorer one is the guard's to judge");
}

#[test]
fn a_receiver_without_a_fix_gives_no_pose_but_is_heard() {
    let mut lost = fix(1.3, 0.0);
    lost.value.quality = FixQuality::None;
    let poses = driven([fix(1.0, 0.0), lost]);
    assert_eq!(poses.last_fix().unwrap().quality, FixQuality::None);
    assert!((poses.at(seconds(1.3)).unwrap().pose.position.x - 1.3).abs() < 1e-6, "odometry bridges");
}

#[test]
fn a_fix_of_another_datum_is_no_fix() {
    let mut poses = PoseHistory::new(plane(), PoseRules::default());
    let mut foreign = fix(1.0, 0.0);
    foreign.value.place.datum = kompas_field::Datum::Wgs84;
    assert!(matches!(poses.take(&foreign), Err(PlaneError::DatumMismatch { .. })));
    assert_eq!(poses.last_fix().unwrap().quality, FixQuality::None);
}

proptest! {
    /// Noise within what the receiver claims is smoothed, never a jump.
    #[test]
    fn claimed_noise_is_no_jump(noise in prop::collection::vec(-0.02..0.02f64, 30..60)) {
        let fixes: Vec<_> = noise.iter().enumerate().map(|(i, n)| fix(i as f64 * 0.05, *n)).collect();
        let last = fixes.last().unwrap().true_at;
        let poses = driven(fixes);
        prop_assert_eq!(poses.jumps(), 0);
        prop_assert!(poses.at(last).unwrap().pose.position.y.abs() < 0.02);
    }
}
