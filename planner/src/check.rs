//! Every promise of a plan, looked at by code that shares nothing with the planner but the types of plan, field and rig
//! (`tests/independence.rs` holds it).
//!
//! The planner reasons with offset polygons and curves; this reads points: distances from every driven chord
//! to every edge of the field, headings from chord to chord, and lengths.

use crate::plan::{Gear, Leg, LegKind, Plan};
use kompas_field::{Digest, Field, FieldCrop, FieldFrame, Finding, Point2, Rig};
use rstar::{
    AABB, RTree,
    primitives::{GeomWithData, Line},
};

mod curvature;
mod inside;
mod nozzles;
mod steering;
mod zones;

/// What still counts as inside, metres.
pub(crate) const TOLERANCE_M: f64 = 0.01;
/// A longer jump between two legs is a gap.
const GAP_M: f64 = 0.02;

/// Every promise that `plan` breaks for this field and rig, worst first. No finding of severity error means
/// it may be driven.
pub fn check(plan: &Plan, field: &Field, rig: &Rig) -> Vec<Finding> {
    let mut found = identity(plan, field, rig);
    found.extend(continuity(&plan.path));
    found.extend(inside::inside(&plan.path, field, rig));
    found.extend(curvature::curvature(&plan.path, rig));
    found.extend(steering::steering(plan, rig));
    found.extend(gears(&plan.path, rig));
    found.extend(boom_across(rig));
    found.extend(references(plan));
    found.extend(nozzles::nozzles(plan, rig));
    found.extend(zones::zones(plan, rig));
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

/// What of this field and rig is another than the plan was made for; nothing where it may be gone on with here.
pub(crate) fn foreign(plan: &Plan, field: &Field, rig: &Rig) -> Vec<Finding> {
    let of_field = (plan.made_for.field != field.digest()).then(|| foreign_field(plan, field));
    let of_rig = (plan.made_for.rig != Digest::of_json(rig)).then(|| {
        Finding::error(
            "plan.foreign_rig",
            "made_for.rig",
            "made for another rig, or for this rig before it was changed",
            "make the plan again for this rig",
        )
    });
    of_field.into_iter().chain(of_rig).collect()
}

fn identity(plan: &Plan, field: &Field, rig: &Rig) -> Vec<Finding> {
    let mut found = Vec::new();
    if plan.id != plan.id_of_contents() {
        found.push(Finding::error(
            "plan.changed",
            "id",
            "the contents do not belong to the id",
            "make the plan again",
        ));
    }
    found.extend(foreign(plan, field, rig));
    found
}

/// What of the field is another than the plan was made for: a plan keeps the field's digest and name only, so the crop
/// is found by trying all.
fn foreign_field(plan: &Plan, field: &Field) -> Finding {
    let as_planned = |crop| Field { id: plan.field_id.clone(), crop, ..field.clone() };
    let crops = [FieldCrop::SugarBeet, FieldCrop::Potato, FieldCrop::Other];
    let crop = crops.into_iter().find(|&crop| as_planned(crop).digest() == plan.made_for.field);
    let mut differences = Vec::new();
    if plan.field_id != field.id {
        let cause = format!("the field is named {} there and {} here", plan.field_id, field.id);
        let remedy =
            format!("give it one name: field.id = \"{}\" on the robot, or the file's own", plan.field_id);
        differences.push((cause, remedy));
    }
    match crop {
        Some(crop) if crop == field.crop => {}
        Some(crop) => differences.push((
            format!("the crop is {} there and {} here", word(crop), word(field.crop)),
            "give the crop that grows there (field.crop, --crop), and make the plan again if it was the plan's"
                .to_owned(),
        )),
        None => differences.push((
            "the boundary, or the datum it lies at, is another".to_owned(),
            "give the file that the plan was made for, or make the plan again for this one".to_owned(),
        )),
    }
    let (causes, remedies): (Vec<_>, Vec<_>) = differences.into_iter().unzip();
    let cause = format!("made for another field: {}", causes.join("; "));
    Finding::error("plan.foreign_field", "made_for.field", cause, remedies.join("; "))
}

/// As configurations write it.
const fn word(crop: FieldCrop) -> &'static str {
    match crop {
        FieldCrop::SugarBeet => "sugar_beet",
        FieldCrop::Potato => "potato",
        FieldCrop::Other => "other",
    }
}

fn continuity(path: &[Leg]) -> Vec<Finding> {
    let mut found = Vec::new();
    if path.is_empty() {
        found.push(Finding::error("plan.empty", "path", "there is nothing to drive", "make the plan again"));
    }
    for (i, leg) in path.iter().enumerate() {
        if leg.points.len() < 2 || !leg.points.iter().all(|p| p.is_finite()) {
            found.push(Finding::error(
                "plan.broken_leg",
                format!("path[{i}]"),
                "fewer than two points, or one that is not finite",
                "make the plan again",
            ));
        }
    }
    for (i, pair) in path.windows(2).enumerate() {
        if let (Some(end), Some(begin)) = (pair[0].points.last(), pair[1].points.first())
            && end.is_finite()
            && begin.is_finite()
            && end.distance(*begin).get() > GAP_M
        {
            let cause = format!("{:.2} m from the end of the leg before", end.distance(*begin).get());
            found.push(Finding::error("plan.gap", place(i + 1, *begin), cause, "make the plan again"));
        }
    }
    found
}

fn gears(path: &[Leg], rig: &Rig) -> Vec<Finding> {
    let reverse = path.iter().position(|leg| leg.gear == Gear::Reverse);
    match reverse {
        Some(i) if !rig.robot.may_reverse => {
            let remedy = "use a rig that may, or make the plan again for this one";
            vec![Finding::error(
                "plan.reverse",
                format!("path[{i}]"),
                "this rig may not drive backwards",
                remedy,
            )]
        }
        _ => vec![],
    }
}

/// What is looked at is a bar across the antenna: for another rig nothing here would hold.
fn boom_across(rig: &Rig) -> Option<Finding> {
    const MOST_M: f64 = 0.1;
    let forward = rig.boom.nozzles.iter().map(|nozzle| nozzle.place.x).find(|x| x.abs() > MOST_M)?;
    Some(Finding::error(
        "plan.boom_ahead",
        "rig: boom.forward_m",
        format!("the boom is {forward:.2} m ahead of the antenna, at most {MOST_M} m either way is judged"),
        "mount the antenna above the boom, and measure again",
    ))
}

fn references(plan: &Plan) -> Vec<Finding> {
    let has = |swath: u32| usize::try_from(swath).is_ok_and(|i| i < plan.swaths.len());
    plan.path
        .iter()
        .enumerate()
        .filter_map(|(i, leg)| match leg.kind {
            LegKind::Swath { swath } if !has(swath) => Some(Finding::error(
                "plan.unknown_swath",
                format!("path[{i}]"),
                format!("swath {swath} is not in the plan"),
                "make the plan again",
            )),
            _ => None,
        })
        .collect()
}

pub(super) fn place(leg: usize, point: Point2<FieldFrame>) -> String {
    format!("path[{leg}] at ({:.2}, {:.2}) m", point.x, point.y)
}

type Edge = GeomWithData<Line<[f64; 2]>, usize>;

/// Every edge of every ring, with the number of its ring (0 is the outer one).
pub(super) struct Edges(RTree<Edge>);

impl Edges {
    pub(super) fn of(field: &Field) -> Self {
        let polygon = field.boundary.polygon();
        let edges = std::iter::once(polygon.exterior())
            .chain(polygon.interiors())
            .enumerate()
            .flat_map(|(ring, line)| {
                line.lines()
                    .map(move |l| Edge::new(Line::new([l.start.x, l.start.y], [l.end.x, l.end.y]), ring))
            })
            .collect();
        Self(RTree::bulk_load(edges))
    }

    /// Edges whose box meets the box around `a`-`b`, widened by `reach`.
    pub(super) fn near(&self, a: [f64; 2], b: [f64; 2], reach: f64) -> impl Iterator<Item = &Edge> {
        let low = [a[0].min(b[0]) - reach, a[1].min(b[1]) - reach];
        let high = [a[0].max(b[0]) + reach, a[1].max(b[1]) + reach];
        self.0.locate_in_envelope_intersecting(&AABB::from_corners(low, high))
    }
}
