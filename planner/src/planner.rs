//! Field + weed map + rig + policy → plan. A pure function: same inputs, same bytes.

use crate::check::{check, foreign};
use crate::coverage::course::{Asked, Course, courses};
use crate::coverage::layout::{Dimensions, Layout};
use crate::coverage::swaths::{Spacing, Swath};
use crate::coverage::tour::{Drive, NoWay, Purpose};
use crate::coverage::tries::Tried;
use crate::geometry::pose::{Pt, direction, rotate};
use crate::geometry::steering::Steering;
use crate::plan::{Leg, LegKind, MadeFor, Plan, PlannedSwath, Summary};
use crate::policy::Policy;
use crate::prescribe::prescribe;
use crate::schedule::schedule;
use crate::selective::needed::Wanted;
use crate::steady::{CURVATURE_JUMPS, curvature_jumps, jumps_finding};
use crate::zones::apart;
use geo::{CoordsIter, Polygon, Simplify};
use kompas_field::ids::PlanId;
use kompas_field::units::LitresPerHectare;
use kompas_field::{Digest, Field, Finding, Findings, Prescription, Rig, Severity, WeedMap};
use std::borrow::Cow;
use std::f64::consts::FRAC_PI_2;
use std::rc::Rc;

mod error;
pub use error::PlanError;

/// What lanes keep from edges beyond half of the rig: 4 mm for the chords of arcs and for rounding. Where borders nearly
/// meet, boolean operations leave needles that the checker refuses: a little farther off there are none.
const MARGINS_M: [f64; 4] = [0.004, 0.02, 0.06, 0.15];
/// A way a little wider than the rig's smallest circle: chords and rounding stay on the safe side of it.
const RADIUS_MARGIN: f64 = 1.01;
/// Less of the field than this worked is a finding.
const WHOLE_SHARE: f64 = 0.995;
/// With less of the field worked there is no plan: nobody would call it the field's.
const SMALLEST_SHARE: f64 = 0.75;
/// Lanes and turns are those of a boom across the antenna. So far off is a matter of measuring it; a boom farther off
/// swings over the boundary in turns, and passes over other ground than its swaths.
const BOOM_AHEAD_M: f64 = 0.1;
/// A robot that turns on the spot still drives its turns, with this radius.
const MIN_RADIUS_M: f64 = 0.3;

pub(crate) fn dimensions(rig: &Rig) -> Dimensions {
    let radius = (rig.robot.min_turning_radius.get() * RADIUS_MARGIN).max(MIN_RADIUS_M);
    Dimensions {
        width: rig.boom.width.get(),
        half: rig.half_width().get(),
        body: rig.robot.width.get() / 2.0,
        margin: MARGINS_M[0],
        radius,
        may_reverse: rig.robot.may_reverse,
        steering: rig.robot.curvature_rate.map(|rate| Steering::new(radius, rate / RADIUS_MARGIN)),
        cusp_cost: rig.robot.cusp_cost.get(),
    }
}

/// The field as the planner sees it. Tracked boundaries have a point every centimetre: where there are very many, those
/// that change less than a millimetre are left out. The checker looks at all of them.
pub(crate) fn ground(field: &Field) -> Cow<'_, Polygon<f64>> {
    const MANY: usize = 2000;
    const CHANGE_M: f64 = 0.001;
    let polygon = field.boundary.polygon();
    if polygon.coords_count() > MANY {
        Cow::Owned(polygon.simplify(CHANGE_M))
    } else {
        Cow::Borrowed(polygon)
    }
}

/// Makes the plan and has [`check`] look at it.
///
/// Without a map the whole field is treated at the policy's rate. Parts that the unfolded boom cannot reach
/// are left out and named in [`Plan::findings`].
///
/// # Errors
/// [`PlanError`]: named, with the reason; never a plan that must not be driven.
///
/// # Panics
/// Never: the words it expects to be ids are.
pub fn plan(field: &Field, map: Option<&WeedMap>, rig: &Rig, policy: &Policy) -> Result<Plan, PlanError> {
    let mut refused = None;
    for margin in MARGINS_M {
        match plan_with(Dimensions { margin, ..dimensions(rig) }, field, map, rig, policy) {
            Err(error @ PlanError::Refused(_)) => refused = refused.or(Some(error)),
            other => return other,
        }
    }
    Err(refused.unwrap_or_else(|| no_room(field, dimensions(rig))))
}

fn plan_with(
    dimensions: Dimensions,
    field: &Field,
    map: Option<&WeedMap>,
    rig: &Rig,
    policy: &Policy,
) -> Result<Plan, PlanError> {
    belongs(field, map, rig, policy)?;
    let polygon = &ground(field);
    let prescription = prescribe(field, map, policy)?;
    let mapped = map.is_some() || policy.prescription.is_some();
    let wanted = (policy.selective && mapped).then(|| Wanted::of(&prescription));
    let asked = Asked {
        entry: policy.entry.map(Into::into),
        wanted: wanted.as_ref(),
        heading: policy.swath_heading_deg.map(|deg| FRAC_PI_2 - deg.to_radians()),
        rows: policy.ab_line.map(|[a, b]| rows_along(a.into(), b.into())),
        curve: policy.curve.iter().map(|p| (*p).into()).collect(),
    };
    let mut refused: Option<PlanError> = None;
    let courses = courses(polygon, dimensions, &asked)?;
    let tours = courses.into_iter().flat_map(|Course { layout, tried, moved_m }| {
        let layout = Rc::new(layout);
        tried.into_iter().map(move |tried| (Rc::clone(&layout), tried, moved_m))
    });
    for (layout, tried, moved_m) in tours {
        let Tried { way: (heading, _), strips, drives, missed, worked, left_out, .. } = tried;
        if drives.is_empty() && missed.is_empty() {
            return Err(nothing_to_drive_for(field, policy, &left_out));
        }
        if let Some(worked) = worked.filter(|w| *w < SMALLEST_SHARE) {
            let (width_m, share_pct) = (2.0 * dimensions.half, 100.0 * worked);
            return Err(PlanError::FallsApart { field: field.id.to_string(), width_m, share_pct });
        }
        let (path, swaths) = legs(&layout, &strips, drives);
        let mut findings: Vec<Finding> = missed.iter().map(unreached).collect();
        findings.extend(worked.filter(|w| *w < WHOLE_SHARE).map(part_undone));
        let why = "lie where the rig finds no way over them";
        let remedy = "treat them by hand or with a rig that may reverse";
        // A plan that is not selective has not asked for single cells.
        let asked_now = (mapped && wanted.is_none()).then(|| not_passed(&path, &prescription, rig));
        findings.extend(cells_left_out(&asked_now.unwrap_or(left_out), why, remedy));
        findings.extend(moved_m.and_then(curve_moved));
        findings.extend(apart(&policy.zones, field));
        let heading_deg = (90.0 - heading.to_degrees()).rem_euclid(180.0);
        match finished(path, swaths, findings, heading_deg, (field, map, rig, policy)) {
            // The checker is right: the next best way.
            Err(error @ PlanError::Refused(_)) => refused = refused.or(Some(error)),
            other => return other,
        }
    }
    Err(refused.unwrap_or_else(|| no_room(field, dimensions)))
}

/// Direction of the rows along a line, and their distance from the origin, seen along them.
fn rows_along(a: Pt, b: Pt) -> (f64, Spacing) {
    let heading = direction(a, b);
    (heading, Spacing::Through(rotate(a, -heading).y))
}

fn nothing_to_drive_for(field: &Field, policy: &Policy, left_out: &[Pt]) -> PlanError {
    let field = field.id.to_string();
    match left_out {
        [first, ..] => PlanError::BeyondReach { field, cells: left_out.len(), x_m: first.x, y_m: first.y },
        [] if policy.prescription.is_some() => PlanError::NothingPrescribed { field },
        [] => PlanError::NothingToTreat { field, min_plants: policy.min_plants },
    }
}

fn no_room(field: &Field, dimensions: Dimensions) -> PlanError {
    let (width_m, radius_m) = (2.0 * dimensions.half, dimensions.radius);
    PlanError::NoRoom { field: field.id.to_string(), width_m, radius_m }
}

fn curve_moved(moved_m: f64) -> Option<Finding> {
    /// Less is what a receiver with a fixed position shakes.
    const WORTH_SAYING_M: f64 = 0.05;
    (moved_m > WORTH_SAYING_M).then(|| {
        Finding::warning(
            "plan.curve_smoothed",
            format!("{moved_m:.2} m"),
            "so far the recorded line was moved for the rig to follow it",
            "record it with a fixed position, or accept swaths that lie beside the rows",
        )
    })
}

fn part_undone(worked: f64) -> Finding {
    Finding::warning(
        "plan.part_undone",
        format!("{:.1} % of the field", 100.0 * (1.0 - worked)),
        "no drivable path of the unfolded boom works this part",
        "treat it by hand or with a narrower rig",
    )
}

/// Code of the finding that names cells to treat that the path does not pass over.
pub(crate) const CELLS_NOT_WORKED: &str = "plan.cells_not_worked";

/// Middles of the cells to treat that no work of the path passes over.
pub(crate) fn not_passed(path: &[Leg], prescription: &Prescription, rig: &Rig) -> Vec<Pt> {
    let line = |leg: &Leg| leg.points.iter().map(|p| Pt::from(*p)).collect::<Vec<_>>().into();
    let lines: Vec<_> = path.iter().filter(|leg| leg.implement).map(line).collect();
    Wanted::of(prescription).left_out(&lines, rig.boom.width.get() / 2.0)
}

/// Cells to treat that the path does not pass over, counted and named.
pub(crate) fn cells_left_out(middles: &[Pt], why: &str, remedy: &str) -> Option<Finding> {
    const NAMED: usize = 20;
    let names: Vec<String> =
        middles.iter().take(NAMED).map(|p| format!("({:.1}, {:.1})", p.x, p.y)).collect();
    let more = if middles.len() > NAMED { " and others" } else { "" };
    (!middles.is_empty()).then(|| {
        Finding::warning(
            CELLS_NOT_WORKED,
            format!("{}{more} m in the field's plane", names.join(", ")),
            format!("{} grid cells to treat {why}", middles.len()),
            remedy,
        )
    })
}

/// Prescription, schedule and summary for a path, checked.
pub(crate) fn finished(
    path: Vec<Leg>,
    swaths: Vec<PlannedSwath>,
    findings: Vec<Finding>,
    heading_deg: f64,
    (field, map, rig, policy): (&Field, Option<&WeedMap>, &Rig, &Policy),
) -> Result<Plan, PlanError> {
    belongs(field, map, rig, policy)?;
    let prescription = prescribe(field, map, policy)?;
    let schedule = schedule(&path, &prescription, rig, policy);
    let jumps = curvature_jumps(&path, rig);
    let mut findings = findings;
    findings.retain(|finding| finding.code != CURVATURE_JUMPS);
    findings.extend(jumps_finding(&path, &jumps));
    let mut plan = Plan {
        schema: Plan::SCHEMA.to_owned(),
        id: PlanId::new("unsigned").expect("a valid id"),
        generation: policy.generation,
        field_id: field.id.clone(),
        datum: field.plane,
        made_for: MadeFor {
            field: field.digest(),
            weed_map: map.map(Digest::of_json),
            rig: Digest::of_json(rig),
        },
        swaths,
        summary: summary(&path, &schedule, &prescription, rig, heading_deg),
        path,
        prescription,
        schedule,
        curvature_jumps: jumps,
        position_error_m: policy.position_error,
        zones: policy.zones.clone(),
        findings,
    };
    plan.id = plan.id_of_contents();
    let broken: Vec<Finding> =
        check(&plan, field, rig).into_iter().filter(|f| f.severity == Severity::Error).collect();
    if broken.is_empty() { Ok(plan) } else { Err(PlanError::Refused(Findings(broken))) }
}

/// Whether `plan` was made for this field, its crop and this rig.
pub(crate) fn is_for(plan: &Plan, field: &Field, rig: &Rig) -> Result<(), PlanError> {
    let foreign = foreign(plan, field, rig);
    if foreign.is_empty() { Ok(()) } else { Err(PlanError::Foreign(Findings(foreign))) }
}

fn belongs(field: &Field, map: Option<&WeedMap>, rig: &Rig, policy: &Policy) -> Result<(), PlanError> {
    let forward_m = rig.boom.nozzles.first().map_or(0.0, |nozzle| nozzle.place.x);
    if forward_m.abs() > BOOM_AHEAD_M {
        return Err(PlanError::BoomAhead { rig: rig.name().to_owned(), forward_m, limit_m: BOOM_AHEAD_M });
    }
    if let Some(map) = map {
        map.lies_on(field)?;
    }
    let (ours, given) = (field.grid(), policy.prescription.as_ref().map(Prescription::grid));
    if let Some(given) = given.filter(|given| *given != ours) {
        return Err(PlanError::ForeignPrescription {
            given_cols: given.cols,
            given_rows: given.rows,
            field_cols: ours.cols,
            field_rows: ours.rows,
        });
    }
    Ok(())
}

fn unreached(NoWay { from, to }: &NoWay) -> Finding {
    Finding::warning(
        "plan.not_reached",
        format!("({:.1}, {:.1}) m in the field's plane", to.x, to.y),
        format!("no way for the unfolded boom leads there from ({:.1}, {:.1})", from.x, from.y),
        "treat this part by hand, with a narrower rig, or as a field of its own",
    )
}

fn legs(layout: &Layout, strips: &[Swath], drives: Vec<Drive>) -> (Vec<Leg>, Vec<PlannedSwath>) {
    let (mut path, mut swaths): (Vec<Leg>, Vec<PlannedSwath>) = (vec![], vec![]);
    for drive in drives {
        // Micrometres: the same bytes on every machine that rounds the last bit of a sine differently.
        let tidy = |p: &Pt| ((p.x * 1e6).round() / 1e6, (p.y * 1e6).round() / 1e6);
        let mut points: Vec<_> =
            drive.points.iter().map(tidy).map(|(x, y)| kompas_field::Point2::new(x, y)).collect();
        points.dedup();
        if points.len() < 2 {
            continue;
        }
        let kind = match drive.purpose {
            Purpose::Headland(lane) => LegKind::Headland { pass: layout.lanes[lane].level },
            Purpose::Swath(swath) => {
                let number = u32::try_from(swaths.len()).unwrap_or(u32::MAX);
                swaths.push(PlannedSwath {
                    row: strips[swath].row,
                    from: points[0],
                    to: points[points.len() - 1],
                });
                LegKind::Swath { swath: number }
            }
            Purpose::Spur => LegKind::Spur,
            Purpose::Join => LegKind::Turn,
        };
        path.push(Leg { kind, implement: drive.purpose != Purpose::Join, gear: drive.gear, points });
    }
    (path, swaths)
}

fn summary(
    path: &[Leg],
    schedule: &[crate::plan::NozzleRun],
    prescription: &kompas_field::Prescription,
    rig: &Rig,
    heading_deg: f64,
) -> Summary {
    let cm = |m: f64| (m * 100.0).round() / 100.0;
    let length = |leg: &Leg| leg.points.windows(2).map(|w| w[0].distance(w[1]).get()).sum::<f64>();
    let path_m: f64 = path.iter().map(length).sum();
    let work_m: f64 = path.iter().filter(|leg| leg.implement).map(length).sum();
    let open_m: f64 = schedule.iter().map(|run| run.to_m - run.from_m).sum();
    let cells = prescription.cells().filter(|(_, rate)| *rate > LitresPerHectare::ZERO).count();
    Summary {
        path_m: cm(path_m),
        work_m: cm(work_m),
        swath_heading_deg: cm(heading_deg) % 180.0,
        drive_time_s: (path_m / rig.robot.max_speed.get()).round(),
        cells_to_treat: u32::try_from(cells).unwrap_or(u32::MAX),
        sprayed_m2: cm(open_m * rig.boom.fan_width.get()),
    }
}
