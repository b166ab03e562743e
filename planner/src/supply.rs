//! Stops for filling up or charging: before tank or battery runs out, never after.

use crate::coverage::connect::connect;
use crate::coverage::join::{End, Join};
use crate::coverage::layout::{Layout, layout};
use crate::coverage::roads::{LaneRoads, Roads};
use crate::crew::{length, may_begin};
use crate::geometry::pose::{Pose, direction};
use crate::plan::{Gear, Leg, LegKind, Plan};
use crate::planner::{PlanError, dimensions, finished, ground, is_for};
use crate::policy::Policy;
use crate::resume::{passes_of, roads_of, turns};
use kompas_field::{Field, FieldFrame, Point2, Pose2, Rig, WeedMap};

/// Where a robot is filled and charged, and how long either lasts.
#[derive(Debug, Clone, PartialEq)]
pub struct Supply {
    /// Where the robot may stand while it is served, and how it looks; each time the place with the shortest way there
    /// and back is taken. On the field, not empty.
    pub places: Vec<Pose2<FieldFrame>>,
    /// Usable contents of the tank, litres.
    pub tank_l: Option<f64>,
    /// Metres on one charge, all driving counted.
    pub range_m: Option<f64>,
}

/// `plan` with a way to a supply and back wherever the next piece of work would run tank or battery down. The robot
/// begins full, and can always still reach a place when it has to. Headland passes that need more than a third of a load
/// are cut; a swath is worked in one go.
///
/// # Errors
/// [`PlanError::Foreign`] when the plan is of another field, crop or rig; [`PlanError::OutOfSupply`] when one piece of
/// work with its ways needs more than a full load; [`PlanError::NoWay`] when no place can be reached.
pub fn with_stops(
    plan: &Plan,
    supply: &Supply,
    field: &Field,
    map: Option<&WeedMap>,
    rig: &Rig,
    policy: &Policy,
) -> Result<Plan, PlanError> {
    is_for(plan, field, rig)?;
    let dimensions = dimensions(rig);
    let layout = layout(&ground(field), dimensions, passes_of(plan, dimensions));
    let lanes = LaneRoads::new(&layout);
    let swaths = roads_of(plan);
    let ways = Ways { layout: &layout, roads: Roads::new(&lanes, &swaths), supply };
    let path = cut(&plan.path, &litres(&plan.path, plan, rig), supply)?;
    let used_l = litres(&path, plan, rig);
    let mut out: Vec<Leg> = Vec::new();
    // Since the last stop.
    let (mut litres, mut metres) = (0.0, 0.0);
    let mut fresh = true;
    let mut i = 0;
    while i < path.len() {
        let end = (i + 1..path.len()).find(|j| may_begin(&path, *j)).unwrap_or(path.len());
        let piece = &path[i..end];
        let need_l: f64 = used_l[i..end].iter().sum();
        let need_m: f64 = piece.iter().map(length).sum();
        // Work and the way home, instead of the turn to the next piece.
        let home_m = if supply.range_m.is_some() { ways.home_after(piece)? } else { need_m };
        let short = supply.tank_l.is_some_and(|tank| litres + need_l > tank)
            || supply.range_m.is_some_and(|range| metres + need_m.max(home_m) > range);
        if short {
            if fresh {
                let (needed_l, needed_m) = (litres + need_l, metres + need_m.max(home_m));
                return Err(PlanError::OutOfSupply { leg: i, needed_l, needed_m });
            }
            // The turn that led here is replaced by the way over the supply.
            metres -= drop_turn(&mut out);
            let last = out.last().ok_or_else(|| ways.lost())?;
            let left_m = supply.range_m.map_or(f64::MAX, |range| range - metres);
            let (there, back) = ways.over(last, &path[i], left_m)?;
            (litres, metres, fresh) = (0.0, back.length, true);
            out.extend([there, back].iter().flat_map(|way| turns(way, dimensions)));
            continue;
        }
        out.extend_from_slice(piece);
        (litres, metres, fresh) = (litres + need_l, metres + need_m, false);
        i = end;
    }
    let heading_deg = plan.summary.swath_heading_deg;
    finished(out, plan.swaths.clone(), plan.findings.clone(), heading_deg, (field, map, rig, policy))
}

/// Headland passes in pieces of at most a third of a load, so that a stop can lie between them.
fn cut(path: &[Leg], used_l: &[f64], supply: &Supply) -> Result<Vec<Leg>, PlanError> {
    const PIECES_PER_LOAD: f64 = 3.0;
    // Of one pass; with a load that asks for more nothing could be worked, and the pieces alone would fill the memory.
    const MOST_PIECES: f64 = 10_000.0;
    let mut out = Vec::with_capacity(path.len());
    for (i, (leg, used_l)) in path.iter().zip(used_l).enumerate() {
        let loads = supply.tank_l.map_or(0.0, |tank| used_l / tank);
        let charges = supply.range_m.map_or(0.0, |range| length(leg) / range);
        let pieces = (PIECES_PER_LOAD * loads.max(charges)).ceil();
        if !matches!(leg.kind, LegKind::Headland { .. }) || pieces <= 1.0 {
            out.push(leg.clone());
            continue;
        }
        if pieces > MOST_PIECES {
            return Err(PlanError::OutOfSupply { leg: i, needed_l: *used_l, needed_m: length(leg) });
        }
        let run = length(leg) / pieces;
        let mut points = vec![leg.points[0]];
        let mut driven = 0.0;
        let mut next = run;
        for pair in leg.points.windows(2) {
            let span = pair[0].distance(pair[1]).get();
            // The last piece ends where the leg does.
            while next < driven + span && next < run * (pieces - 0.5) {
                let share = (next - driven) / span;
                let at = Point2::new(
                    pair[0].x + share * (pair[1].x - pair[0].x),
                    pair[0].y + share * (pair[1].y - pair[0].y),
                );
                points.push(at);
                out.push(Leg { points: std::mem::replace(&mut points, vec![at]), ..leg.clone() });
                next += run;
            }
            points.push(pair[1]);
            driven += span;
        }
        out.push(Leg { points, ..leg.clone() });
    }
    for leg in &mut out {
        leg.points.dedup_by(|a, b| a.distance(*b).get() < 1e-9);
    }
    Ok(out)
}

/// Takes the last turn off, all gears of it, but not the way back out of a dead end. Its metres.
fn drop_turn(path: &mut Vec<Leg>) -> f64 {
    let mut dropped = 0.0;
    while let [.., leg] = path.as_slice()
        && leg.kind == LegKind::Turn
    {
        let out_of_spur =
            leg.gear == Gear::Reverse && path.len() > 1 && path[path.len() - 2].kind == LegKind::Spur;
        if out_of_spur {
            break;
        }
        dropped += path.pop().as_ref().map_or(0.0, length);
    }
    dropped
}

/// Litres that each leg of `path`, the plan's own or cut, sprays.
fn litres(path: &[Leg], plan: &Plan, rig: &Rig) -> Vec<f64> {
    const SQUARE_METRES_PER_HECTARE: f64 = 1e4;
    let mut ends: Vec<f64> = Vec::with_capacity(path.len());
    let mut driven = 0.0;
    for leg in path {
        driven += length(leg);
        ends.push(driven);
    }
    let mut used = vec![0.0; path.len()];
    for open in &plan.schedule {
        // A run may lie on several pieces of a pass.
        let first = ends.partition_point(|end| *end <= open.from_m);
        let mut from = open.from_m;
        for (leg, end) in ends.iter().enumerate().skip(first) {
            let to = end.min(open.to_m);
            let area = (to - from).max(0.0) * rig.boom.fan_width.get();
            used[leg] += area * open.rate_l_per_ha.get() / SQUARE_METRES_PER_HECTARE;
            if *end >= open.to_m {
                break;
            }
            from = to;
        }
    }
    used
}

/// Ways between the work and the supply.
struct Ways<'a> {
    layout: &'a Layout,
    roads: Roads<'a>,
    supply: &'a Supply,
}

impl Ways<'_> {
    fn places(&self) -> impl Iterator<Item = Pose> + '_ {
        self.supply.places.iter().map(|place| Pose::new(place.position.into(), place.heading.get()))
    }

    fn lost(&self) -> PlanError {
        let (x_m, y_m) = self.supply.places.first().map_or((0.0, 0.0), |p| (p.position.x, p.position.y));
        PlanError::NoWay { x_m, y_m }
    }

    fn way(&self, from: Pose, to: Pose) -> Option<Join> {
        connect(self.layout, &self.roads, End::fixed(from), End::fixed(to))
    }

    /// Metres of a piece of work without the turn at its end, and from there to the nearest place.
    fn home_after(&self, piece: &[Leg]) -> Result<f64, PlanError> {
        let mut work = piece.to_vec();
        drop_turn(&mut work);
        let last = work.last().ok_or_else(|| self.lost())?;
        let run: f64 = work.iter().map(length).sum();
        let ways = self.places().filter_map(|place| self.way(end_of(last), place));
        ways.map(|way| run + way.length).min_by(f64::total_cmp).ok_or_else(|| self.lost())
    }

    /// The shortest way from the end of one leg over a place, within `left_m`, to the beginning of another.
    fn over(&self, last: &Leg, next: &Leg, left_m: f64) -> Result<(Join, Join), PlanError> {
        let begin = nose(next, 0, 1, 0);
        self.places()
            .filter_map(|place| {
                let there = self.way(end_of(last), place).filter(|way| way.length <= left_m)?;
                Some((there, self.way(place, begin)?))
            })
            .min_by(|a, b| (a.0.length + a.1.length).total_cmp(&(b.0.length + b.1.length)))
            .ok_or_else(|| self.lost())
    }
}

fn end_of(leg: &Leg) -> Pose {
    let last = leg.points.len() - 1;
    nose(leg, last - 1, last, last)
}

/// Where the robot stands at point `at` of a leg, looking along the chord from one point to another.
fn nose(leg: &Leg, from: usize, to: usize, at: usize) -> Pose {
    let point = |k: usize| leg.points[k].into();
    let travel = Pose::new(point(at), direction(point(from), point(to)));
    if leg.gear == Gear::Forward { travel } else { travel.flipped() }
}
