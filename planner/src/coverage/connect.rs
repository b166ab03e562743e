//! From one piece of work to the next, by whatever the rig can drive.
//!
//! Forwards first: one curve, or a way over lanes and swaths. A rig that may reverse weighs that against a curve with
//! changes of gear, each of which costs what the rig states. Where nothing keeps the rig's steering rate inside the
//! boundary, a curve whose bends begin at once is better than no way: the plan names the leg, and the robot slows down
//! or stands to steer ([`crate::plan::Plan::curvature_jumps`]).

use super::join::{End, Join, jumping, reversing_within, single_curve};
use super::layout::Layout;
use super::roads::Roads;
use crate::geometry::pose::distance;

/// The cheapest connection that is known, or `None` where nothing leads.
pub(crate) fn connect(layout: &Layout, roads: &Roads, leave: End, enter: End) -> Option<Join> {
    let forward = single_curve(layout, leave, enter).or_else(|| roads.way(leave, enter));
    let best =
        if layout.dimensions.may_reverse { or_reversing(layout, leave, enter, forward) } else { forward };
    best.or_else(|| {
        layout.dimensions.steering?;
        jumping(layout, leave, enter)
    })
}

/// What a turn between ends that are near each other is priced at: forwards, or cheaper with changes of gear.
pub(crate) fn near_turn(layout: &Layout, leave: End, enter: End) -> Option<Join> {
    let forward = single_curve(layout, leave, enter)?;
    if layout.dimensions.may_reverse {
        or_reversing(layout, leave, enter, Some(forward))
    } else {
        Some(forward)
    }
}

fn or_reversing(layout: &Layout, leave: End, enter: End, forward: Option<Join>) -> Option<Join> {
    // It comes and leaves forwards: never fewer than two changes, never shorter than straight.
    let least = distance(leave.pose.at, enter.pose.at) + 2.0 * layout.dimensions.cusp_cost;
    let limit = forward.as_ref().map_or(f64::MAX, Join::cost);
    if limit <= least {
        return forward;
    }
    reversing_within(layout, leave.pose, enter.pose, limit).or(forward)
}

#[cfg(test)]
mod tests {
    use super::super::layout::{Dimensions, layout};
    use super::super::roads::LaneRoads;
    use super::*;
    use crate::geometry::pose::{Pose, Pt};
    use crate::geometry::steering::Steering;
    use crate::plan::Gear;
    use geo::polygon;

    #[test]
    fn a_shift_in_a_corridor_is_driven_with_changes_of_gear_or_not_at_all() {
        // 2 m for the centre: no forward curve with a radius of 2 m gets 1 m aside within 1 m.
        let field = polygon![(x: 0.0, y: 0.0), (x: 40.0, y: 0.0), (x: 40.0, y: 5.0), (x: 0.0, y: 5.0)];
        let end = |x, y| End::fixed(Pose::new(Pt { x, y }, 0.0));
        for steering in [None, Some(Steering::new(2.0, 4.0))] {
            let dimensions = |may_reverse| Dimensions {
                width: 3.0,
                half: 1.5,
                body: 1.0,
                margin: 0.0,
                radius: 2.0,
                may_reverse,
                steering,
                cusp_cost: 10.0,
            };
            let way = |may_reverse| {
                let layout = layout(&field, dimensions(may_reverse), 1);
                let lanes = LaneRoads::new(&layout);
                connect(&layout, &Roads::new(&lanes, &[]), end(15.0, 2.0), end(16.0, 3.0))
            };
            assert!(way(false).is_none());
            let way = way(true).expect("forwards past it and straight back, or the other way round");
            let gears: Vec<Gear> = way.stretches(dimensions(true)).iter().map(|s| s.0).collect();
            assert!(gears.contains(&Gear::Reverse) && way.cusps >= 20.0, "{gears:?}");
            let joined: Vec<Pt> = way.stretches(dimensions(true)).into_iter().flat_map(|s| s.1).collect();
            assert!(distance(joined[0], Pt { x: 15.0, y: 2.0 }) < 1e-9);
            assert!(distance(joined[joined.len() - 1], Pt { x: 16.0, y: 3.0 }) < 1e-3);
        }
    }
}
