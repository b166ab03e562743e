use super::*;
use crate::geometry::dubins;
use proptest::prelude::*;

const START: Pose = Pose::new(Pt { x: 0.0, y: 0.0 }, 0.0);

fn shortest(from: Pose, to: Pose, radius: f64) -> f64 {
    curves(from, to, radius, 0.0)[0].length()
}

proptest! {
    #[test]
    fn words_arrive_and_are_no_longer_than_dubins(
        x in -20.0..20.0, y in -20.0..20.0, h0 in -4.0..4.0, h1 in -4.0..4.0, r in 0.5..8.0,
    ) {
        let (from, to) = (Pose::new(Pt { x: 0.0, y: 0.0 }, h0), Pose::new(Pt { x, y }, h1));
        let all = curves(from, to, r, 0.0);
        prop_assert!(all.len() > 3, "{}", all.len());
        for curve in &all {
            let stretches = curve.stretches(0.05);
            let points: Vec<Pt> = stretches.iter().flat_map(|s| s.1.clone()).collect();
            prop_assert!(distance(points[points.len() - 1], to.at) < 1e-5, "{curve:?}");
            let driven: f64 = stretches.iter().map(|s| crate::geometry::pose::length(&s.1)).sum();
            prop_assert!((driven - curve.length()).abs() < 1e-3 * curve.length() + 1e-5, "{curve:?}");
        }
        // Forward words are among these, and so are those of the robot turned round at both ends.
        let forward = dubins::curves(from, to, r)[0].length();
        let backward = dubins::curves(from.flipped(), to.flipped(), r)[0].length();
        prop_assert!(all[0].length() <= forward.min(backward) + 1e-6);
        prop_assert!((all[0].length() - shortest(to, from, r)).abs() < 1e-5, "the way back is as long");
    }

    /// The oracle: nothing that anybody can drive is shorter than the shortest word to where it ends.
    #[test]
    fn no_drive_of_arcs_and_lines_is_shorter(
        drive in prop::collection::vec((0..3usize, -3.0..3.0f64), 1..7), r in 0.5..5.0,
    ) {
        let step = |pose, (piece, span): &(usize, f64)| advance(pose, [Left, Straight, Right][*piece], *span, r);
        let end = drive.iter().fold(START, step);
        let driven: f64 = drive.iter().map(|(_, span)| span.abs() * r).sum();
        prop_assert!(shortest(START, end, r) <= driven + 1e-6, "{} > {driven}", shortest(START, end, r));
    }

    /// At a change of gear the nose keeps its direction: the last chord forward and the first chord back are opposite.
    #[test]
    fn gears_change_without_turning_on_the_spot(x in -6.0..6.0, y in -6.0..6.0, h in -4.0..4.0) {
        for curve in curves(START, Pose::new(Pt { x, y }, h), 2.0, 0.0) {
            let stretches = curve.stretches(0.01);
            for pair in stretches.windows(2) {
                let (a, b) = (&pair[0].1, &pair[1].1);
                let came = crate::geometry::pose::direction(a[a.len() - 2], a[a.len() - 1]);
                let goes = crate::geometry::pose::direction(b[0], b[1]);
                prop_assert!(pair[0].0 != pair[1].0);
                prop_assert!((wrap(goes - came).abs() - PI).abs() < 0.02, "{curve:?}");
            }
        }
    }
}

#[test]
fn turns_between_rows_cost_what_the_books_say() {
    // Rows 3 m apart, radius 2 m: a quarter circle, 1 m back, a quarter circle.
    let back = Pose::new(Pt { x: 0.0, y: 3.0 }, PI);
    let fishtail = curves(START, back, 2.0, 0.0)[0];
    assert!(fishtail.length() <= 2.0 * PI + 1.0 + 1e-9, "{}", fishtail.length());
    assert_eq!(fishtail.cusps(), 2);
    // Long arcs are not among these words: a robot that rather drives on compares with Dubins' 10.33 m.
    assert!(curves(START, back, 2.0, 10.0)[0].cusps() > 0);
    // Straight back is one stretch.
    let straight_back = curves(START, Pose::new(Pt { x: -5.0, y: 0.0 }, 0.0), 2.0, 1.0)[0];
    assert!((straight_back.length() - 5.0).abs() < 1e-9 && straight_back.cusps() == 2);
}
