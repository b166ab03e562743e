use super::*;
use crate::geometry::{dubins, reeds_shepp};
use proptest::prelude::*;

fn pose(x: f64, y: f64, heading: f64) -> Pose {
    Pose::new(Pt { x, y }, heading)
}

/// Whether a curve arrives, and how it bends: integrated from curvature in steps of a millimetre by the midpoint rule,
/// which shares nothing with the quadrature of the planner.
fn integrated(curve: &Curve) -> (Pose, f64, f64, f64) {
    let (mut pose, mut jump, mut most, mut fastest) = (curve.from, 0.0f64, 0.0f64, 0.0f64);
    let mut before = (0.0, 1.0);
    for piece in curve.pieces().unwrap() {
        // At a change of gear the robot stands: curvature is zero there as well.
        jump = jump.max((piece.curvature - before.0).abs());
        let steps = (piece.length / 0.001).ceil();
        let step = piece.length / steps;
        let mut s = 0.0;
        while s < piece.length - step / 2.0 {
            let curvature = piece.curvature + piece.rate * (s + step / 2.0);
            let middle = pose.heading + piece.gear * curvature * step / 2.0;
            pose = Pose::new(pose.at, middle).ahead(piece.gear * step);
            pose.heading = middle + piece.gear * curvature * step / 2.0;
            most = most.max(curvature.abs());
            s += step;
        }
        fastest = fastest.max(piece.rate.abs());
        before = (piece.curvature + piece.rate * piece.length, piece.gear);
    }
    (pose, jump.max(before.0.abs()), most, fastest)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_word_arrives_and_never_jumps(
        x in -20.0..20.0, y in -20.0..20.0, h0 in -4.0..4.0, h1 in -4.0..4.0,
        radius in 1.0..7.0f64, rate in 0.03..3.0f64, reversing: bool,
    ) {
        let steering = Steering::new(radius, rate);
        let (from, to) = (pose(0.0, 0.0, h0), pose(x, y, h1));
        let all = curves(from, to, steering, reversing.then_some(5.0));
        prop_assert!(!all.is_empty());
        for curve in &all {
            let (end, jump, most, fastest) = integrated(curve);
            prop_assert!(distance(end.at, to.at) < 1e-3, "{curve:?} ends {end:?}");
            prop_assert!(wrap(end.heading - to.heading).abs() < 1e-4, "{curve:?}");
            prop_assert!(jump < 1e-4, "curvature jumps by {jump}");
            prop_assert!(most <= 1.001 / radius && fastest <= 1.001 * rate);
            prop_assert!(reversing || curve.cusps() == 0);
        }
    }

    /// A path of bounded curvature is one that Dubins, or Reeds and Shepp, could have chosen.
    #[test]
    fn no_word_beats_the_curve_that_may_jump(
        x in -20.0..20.0, y in -20.0..20.0, h0 in -4.0..4.0, h1 in -4.0..4.0, rate in 0.1..3.0f64,
    ) {
        let (from, to) = (pose(0.0, 0.0, h0), pose(x, y, h1));
        let steering = Steering::new(2.0, rate);
        let bound = dubins::curves(from, to, 2.0)[0].length();
        prop_assert!(curves(from, to, steering, None)[0].length() >= bound - 1e-6);
        let bound = reeds_shepp::curves(from, to, 2.0, 0.0)[0].length();
        prop_assert!(curves(from, to, steering, Some(0.0))[0].length() >= bound - 1e-6);
    }

    /// With very fast steering the curve is Dubins' curve.
    #[test]
    fn fast_steering_gives_dubins(x in -20.0..20.0, y in -20.0..20.0, h0 in -4.0..4.0, h1 in -4.0..4.0) {
        let (from, to) = (pose(0.0, 0.0, h0), pose(x, y, h1));
        let shortest = |rate| curves(from, to, Steering::new(2.0, rate), None)[0].length();
        let best = dubins::curves(from, to, 2.0)[0].length();
        // At the rim of a word's domain the next word is one full circle longer: compare away from it.
        let fast = shortest(1e6);
        prop_assert!(fast - best < 1e-2 || fast - best > 3.0, "{fast} against {best}");
    }

    /// Finite differences of the points, as a robot sees them.
    #[test]
    fn points_bend_as_fast_as_the_rig_allows(x in -12.0..12.0, y in -12.0..12.0, h1 in -4.0..4.0) {
        let steering = Steering::new(2.0, 0.25);
        let curve = curves(pose(0.0, 0.0, 0.0), pose(x, y, h1), steering, None)[0];
        // A chord much shorter than its neighbours adds up to a third to the rate: joints of pieces leave such chords.
        let mut points = curve.sample(0.02);
        points.dedup_by(|next, last| distance(*next, *last) < 0.02);
        // A bend is the mean over the two halves of chords that meet: it stands in the middle of these.
        let mut along = 0.0;
        let bends: Vec<(f64, f64)> = points
            .windows(3)
            .map(|p| {
                let turn = wrap(direction(p[1], p[2]) - direction(p[0], p[1]));
                let (before, after) = (distance(p[0], p[1]), distance(p[1], p[2]));
                along += before;
                (turn / f64::midpoint(before, after), along + (after - before) / 4.0)
            })
            .collect();
        for pair in bends.windows(2) {
            let rate = (pair[1].0 - pair[0].0).abs() / (pair[1].1 - pair[0].1);
            prop_assert!(rate < 0.25 * 1.2 + 0.01, "{rate}");
            prop_assert!(pair[0].0.abs() < 0.5 * 1.01);
        }
    }
}

#[test]
fn a_turn_between_rows_is_longer_than_dubins_by_what_the_ramps_take() {
    // 6 m apart, radius 2 m: 8.28 m with jumps.
    let back = pose(0.0, 6.0, std::f64::consts::PI);
    let steering = Steering::new(2.0, 0.4);
    let best = curves(pose(0.0, 0.0, 0.0), back, steering, None)[0];
    assert!(best.length() > 8.283 && best.length() < 12.0, "{}", best.length());
    // Short rows apart and cheap cusps: reversing wins, as it does for Reeds and Shepp.
    let near = pose(0.0, 3.0, std::f64::consts::PI);
    let reversing = curves(pose(0.0, 0.0, 0.0), near, steering, Some(0.1))[0];
    assert!(
        reversing.cusps() == 2
            && reversing.length() < curves(pose(0.0, 0.0, 0.0), near, steering, None)[0].length()
    );
}
