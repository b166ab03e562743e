//! Onto the line along which an end of the boom runs flush with an edge: a boom that is a hand's breadth off leaves a
//! seam as long as the edge, and nothing that comes later gets in between.

use crate::geometry::pose::{Pose, Pt, direction, wrap};
use std::f64::consts::PI;

/// Farther off, or at a steeper angle, other steps lead nearer first.
const MOST_TURN_RAD: f64 = 0.8;
/// Shorter arcs are no steering anybody drives, as a share of the radius.
const SHORTEST: f64 = 0.02;

/// Two arcs, curvature and metres of each, from `pose` to the line beside the edge from `a` to `b` that keeps `reach`
/// off it; below 0 metres: in reverse. None from where one arc after the other does not lead there.
pub(super) fn onto(
    pose: Pose,
    forward: bool,
    (a, b): (Pt, Pt),
    reach: f64,
    radius: f64,
) -> Option<[(f64, f64); 2]> {
    let ahead = if forward { pose } else { pose.flipped() };
    let edge = direction(a, b);
    let off = wrap(ahead.heading - edge);
    let (line, off) = if off.abs() <= PI / 2.0 { (edge, off) } else { (wrap(edge + PI), wrap(off + PI)) };
    let (sin, cos) = line.sin_cos();
    let from_edge = (ahead.at.y - a.y) * cos - (ahead.at.x - a.x) * sin;
    let aside = from_edge - reach.copysign(from_edge);
    // First to the right, then back to the left, or the other way round.
    [1.0, -1.0].into_iter().find_map(|side| {
        let steepest = ((1.0 + off.cos() - side * aside / radius) / 2.0).clamp(-1.0, 1.0).acos();
        let turns = [steepest + side * off, steepest];
        let fits = turns.iter().all(|turn| (SHORTEST..MOST_TURN_RAD).contains(turn));
        let gear = if forward { 1.0 } else { -1.0 };
        let arc = |turn: f64, side: f64| (-side * gear / radius, gear * turn * radius);
        fits.then(|| [arc(turns[0], side), arc(turns[1], -side)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_arcs_end_on_the_line_beside_the_edge() {
        let edge = (Pt { x: -50.0, y: 0.0 }, Pt { x: 50.0, y: 0.0 });
        let mut found = 0;
        for (y, heading, forward) in [
            (14.1, 0.0, true),
            (14.1, 0.1, true),
            (14.3, -0.1, true),
            (14.1, 3.0, true),
            (14.1, 0.1, false),
            (-14.1, 3.2, false),
            (-15.0, -0.1, true),
        ] {
            let pose = Pose::new(Pt { x: 0.0, y }, heading);
            let Some([first, second]) = onto(pose, forward, edge, 13.5, 6.0) else { continue };
            found += 1;
            let end = pose.driven(first.0, first.1).driven(second.0, second.1);
            assert!((end.at.y.abs() - 13.5).abs() < 1e-9, "{y} {heading}: {end:?}");
            assert!(end.heading.sin().abs() < 1e-9, "{y} {heading}: {end:?}");
            assert!((first.1 > 0.0) == forward && (second.1 > 0.0) == forward);
        }
        assert!(found > 5, "{found}");
    }

    #[test]
    fn square_to_the_edge_nothing_leads_onto_it() {
        let edge = (Pt { x: -50.0, y: 0.0 }, Pt { x: 50.0, y: 0.0 });
        assert!(onto(Pose::new(Pt { x: 0.0, y: 20.0 }, -1.5), true, edge, 13.5, 6.0).is_none());
    }
}
