//! Going on after something changed: another pose, another weed map, several robots.

use crate::coverage::connect::{connect, near_turn};
use crate::coverage::join::{End, Join};
use crate::coverage::layout::{Dimensions, Layout, layout};
use crate::coverage::roads::{LaneRoads, Roads};
use crate::coverage::swaths::Swath;
use crate::geometry::pose::{Pose, Pt, direction};
use crate::plan::{Gear, Generation, Leg, LegKind, Plan};
use crate::planner::{
    CELLS_NOT_WORKED, PlanError, cells_left_out, dimensions, finished, ground, is_for, not_passed,
};
use crate::policy::Policy;
use kompas_field::units::Metres;
use kompas_field::{Field, FieldFrame, Finding, Point2, Pose2, Rig, WeedMap};

/// The rest of `plan` from where the robot stands: a drivable way from `pose` to the point of the path `driven` metres
/// along, then the path as planned. The prescription is made anew from `map`, or the policy's; without either the plan's
/// own stays. Cells of a new one that the rest does not pass over are a finding. The new plan has the next generation, so
/// that a robot never falls back to the old one.
///
/// # Errors
/// [`PlanError::Foreign`] when the plan is of another field, crop or rig; [`PlanError::NoWay`] when the pose is off the
/// field or nothing leads back to the path; [`PlanError`] otherwise.
pub fn resume(
    plan: &Plan,
    pose: &Pose2<FieldFrame>,
    driven: Metres,
    field: &Field,
    map: Option<&WeedMap>,
    rig: &Rig,
    policy: &Policy,
) -> Result<Plan, PlanError> {
    is_for(plan, field, rig)?;
    let generation = plan.generation.0;
    let generation =
        generation.checked_add(1).map(Generation).ok_or(PlanError::LastGeneration { generation })?;
    let rest = rest_of(&plan.path, driven.get());
    let no_way = || PlanError::NoWay { x_m: pose.position.x, y_m: pose.position.y };
    let leg = rest.first().ok_or_else(no_way)?;
    let begun = plan.path.len() - rest.len();
    let travel = tangent(&plan.path[..=begun], leg).ok_or_else(no_way)?;
    let dimensions = dimensions(rig);
    let ground = ground(field);
    let leave = End::fixed(Pose::new(pose.position.into(), pose.heading.get()));
    // The nose points where the robot drives, or away from there.
    let enter = End::fixed(if leg.gear == Gear::Forward { travel } else { travel.flipped() });
    if !field.boundary.contains(pose.position) {
        return Err(no_way());
    }
    // Most of the time one curve leads back: then nobody waits for the headland lanes.
    let way = near_turn(&Layout::bare(&ground, dimensions), leave, enter)
        .or_else(|| {
            let layout = layout(&ground, dimensions, passes_of(plan, dimensions));
            let (lanes, swaths) = (LaneRoads::new(&layout), roads_of(plan));
            connect(&layout, &Roads::new(&lanes, &swaths), leave, enter)
        })
        .ok_or_else(no_way)?;
    let mut path = turns(&way, dimensions);
    path.extend(rest);
    let kept = (map.is_none() && policy.prescription.is_none()).then(|| plan.prescription.clone());
    let stays = kept.is_some();
    let policy = Policy { generation, prescription: kept.or(policy.prescription.clone()), ..policy.clone() };
    let mut findings = plan.findings.clone();
    findings.retain(|finding| stays || finding.code != CELLS_NOT_WORKED);
    let heading_deg = plan.summary.swath_heading_deg;
    let mut made = finished(path, plan.swaths.clone(), findings, heading_deg, (field, map, rig, &policy))?;
    if stays {
        made.made_for.weed_map = plan.made_for.weed_map;
    } else {
        made.findings.extend(cells_beside(&made, rig));
    }
    made.id = made.id_of_contents();
    Ok(made)
}

/// Cells to treat that no work of the plan passes over.
fn cells_beside(plan: &Plan, rig: &Rig) -> Option<Finding> {
    let left_out = not_passed(&plan.path, &plan.prescription, rig);
    let remedy = "treat them by hand, or make a plan for them";
    cells_left_out(&left_out, "lie beside what is left of the path", remedy)
}

/// Direction of travel at the first point of `leg`, the rest of the last of `path`. On a bend it lies half-way between the
/// two chords that meet there; the one before is of the same leg, or of the leg before in the same gear.
fn tangent(path: &[Leg], leg: &Leg) -> Option<Pose> {
    let [first, after, ..] = leg.points[..] else { return None };
    let mut before = first;
    if let [.., whole] = path
        && let Some(at) = whole.points.len().checked_sub(leg.points.len())
        && whole.points[at] == first
    {
        before = match path {
            _ if at > 0 => whole.points[at - 1],
            [.., last, _] if last.gear == leg.gear && last.points.len() > 1 => {
                last.points[last.points.len() - 2]
            }
            _ => first,
        };
    }
    let short = |a: Point2<FieldFrame>, b: Point2<FieldFrame>| a.distance(b).get() < ARC_CHORD_M;
    let from = if short(before, first) && short(first, after) { before } else { first };
    Some(Pose::new(first.into(), direction(from.into(), after.into())))
}

/// A connection as legs without work.
pub(crate) fn turns(way: &Join, dimensions: Dimensions) -> Vec<Leg> {
    let leg = |(gear, points): (Gear, Vec<Pt>)| {
        let points = points.into_iter().map(Into::into).collect();
        Leg { kind: LegKind::Turn, implement: false, gear, points }
    };
    // Between ends that are one there is nothing to drive.
    way.stretches(dimensions).into_iter().filter(|(_, points)| points.len() > 1).map(leg).collect()
}

/// As many headland passes as the plan has, for all of them are roads; more than a turn needs at times.
pub(crate) fn passes_of(plan: &Plan, dimensions: Dimensions) -> u32 {
    let passes = plan.path.iter().filter_map(|leg| match leg.kind {
        LegKind::Headland { pass } => Some(pass + 1),
        _ => None,
    });
    passes.max().unwrap_or(0).max(dimensions.headland_passes())
}

/// The swaths of a plan as roads: other ways may lead over them.
pub(crate) fn roads_of(plan: &Plan) -> Vec<Swath> {
    plan.path
        .iter()
        .filter(|leg| matches!(leg.kind, LegKind::Swath { .. }) && leg.points.len() > 1)
        .map(|leg| {
            let last = leg.points.len() - 1;
            Swath {
                row: u32::MAX,
                a: leg.points[0].into(),
                b: leg.points[last].into(),
                bend: leg.points[1..last].iter().map(|p| (*p).into()).collect(),
                slack: [0.0, 0.0],
                area: 0.0,
            }
        })
        .collect()
}

/// Shorter pieces of a path are chords of arcs.
const ARC_CHORD_M: f64 = 1.0;

fn rest_of(path: &[Leg], driven: f64) -> Vec<Leg> {
    let mut left = driven;
    let mut rest = Vec::new();
    for leg in path {
        let length: f64 = leg.points.windows(2).map(|w| w[0].distance(w[1]).get()).sum();
        if left >= length {
            left -= length;
            continue;
        }
        let mut points = leg.points.clone();
        while left > 0.0 && points.len() > 1 {
            let step = points[0].distance(points[1]).get();
            if step <= left {
                points.remove(0);
            } else if step < ARC_CHORD_M {
                // A chord lies off its arc between its ends: begin at the one behind.
                break;
            } else {
                let share = left / step;
                points[0] = Point2::new(
                    points[0].x + (points[1].x - points[0].x) * share,
                    points[0].y + (points[1].y - points[0].y) * share,
                );
            }
            left = (left - step).max(0.0);
        }
        left = 0.0;
        if points.len() > 1 {
            rest.push(Leg { points, ..leg.clone() });
        }
    }
    rest
}
