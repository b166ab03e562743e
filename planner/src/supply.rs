//! Stops for filling up or charging: before tank or battery runs out, never after.

use crate::coverage::connect::connect;
use crate::coverage::join::{End, Join};
use crate::coverage::layout::{Layout, layout};
use crate::coverage::roads::{LaneRoads, Roads};
use crate::crew::{length, may_begin};
use crate::geometry::pose::{Pose, direction};
use crate::plan::{Gear, Leg, LegKind, Plan};
use crate::planner::{PlanError, dimensions, finished, ground};
use crate::policy::Policy;
use crate::resume::{roads_of, turns};
use kompas_field::{Field, FieldFrame, Pose2, Rig, WeedMap};

/// Where a robot is filled and charged, and how long either lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Supply {
    /// Where the robot stands while it is served, and how it looks. On the field.
    pub place: Pose2<FieldFrame>,
    /// Usable contents of the tank.
    pub tank_l: Option<f64>,
    /// Metres on one charge, all driving counted.
    pub range_m: Option<f64>,
}

/// `plan` with a way to the supply and back wherever the next piece of work would run tank or battery down. The robot
/// begins full, and can always still reach the place when it has to.
///
/// # Errors
/// [`PlanError::OutOfSupply`] when one piece of work with its ways needs more than a full load; [`PlanError::NoWay`] when
/// the place cannot be reached.
pub fn with_stops(
    plan: &Plan,
    supply: &Supply,
    field: &Field,
    map: Option<&WeedMap>,
    rig: &Rig,
    policy: &Policy,
) -> Result<Plan, PlanError> {
    let dimensions = dimensions(rig);
    let layout = layout(&ground(field), dimensions, dimensions.headland_passes());
    let lanes = LaneRoads::new(&layout);
    let swaths = roads_of(plan);
    let ways = Ways { layout: &layout, roads: Roads::new(&lanes, &swaths), supply };
    let used_l = litres(plan, rig);
    let path = &plan.path;
    let mut out: Vec<Leg> = Vec::new();
    let (mut litres, mut metres) = (0.0, 0.0);
    let mut fresh = true;
    let mut i = 0;
    while i < path.len() {
        let end = (i + 1..path.len()).find(|j| may_begin(path, *j)).unwrap_or(path.len());
        let need_l: f64 = used_l[i..end].iter().sum();
        let need_m: f64 = path[i..end].iter().map(length).sum();
        let home_m =
            if supply.range_m.is_some() && end < path.len() { ways.to(&path[end])?.length } else { 0.0 };
        let short = supply.tank_l.is_some_and(|tank| litres + need_l > tank)
            || supply.range_m.is_some_and(|range| metres + need_m + home_m > range);
        if short {
            if fresh {
                let (needed_l, needed_m) = (litres + need_l, metres + need_m + home_m);
                return Err(PlanError::OutOfSupply { leg: i, needed_l, needed_m });
            }
            // The turn that led here is replaced by the way over the supply.
            drop_turn(&mut out);
            let last = out.last().ok_or_else(|| ways.lost())?;
            let there = ways.from(last)?;
            let back = ways.to_work(&path[i])?;
            (litres, metres, fresh) = (0.0, back.length, true);
            out.extend(turns(&there).into_iter().chain(turns(&back)));
            continue;
        }
        out.extend_from_slice(&path[i..end]);
        (litres, metres, fresh) = (litres + need_l, metres + need_m, false);
        i = end;
    }
    let heading_deg = plan.summary.swath_heading_deg;
    finished(out, plan.swaths.clone(), plan.findings.clone(), heading_deg, (field, map, rig, policy))
}

/// Takes the last turn off, all gears of it, but not the way back out of a dead end.
fn drop_turn(path: &mut Vec<Leg>) {
    while let [.., leg] = path.as_slice()
        && leg.kind == LegKind::Turn
    {
        let out_of_spur =
            leg.gear == Gear::Reverse && path.len() > 1 && path[path.len() - 2].kind == LegKind::Spur;
        if out_of_spur {
            break;
        }
        path.pop();
    }
}

/// Litres that each leg sprays.
fn litres(plan: &Plan, rig: &Rig) -> Vec<f64> {
    const SQUARE_METRES_PER_HECTARE: f64 = 1e4;
    let mut ends: Vec<f64> = Vec::with_capacity(plan.path.len());
    let mut driven = 0.0;
    for leg in &plan.path {
        driven += length(leg);
        ends.push(driven);
    }
    let mut used = vec![0.0; plan.path.len()];
    for open in &plan.schedule {
        // A run stays within one leg, give or take a millimetre.
        let leg =
            ends.partition_point(|end| *end < f64::midpoint(open.from_m, open.to_m)).min(used.len() - 1);
        let area = (open.to_m - open.from_m) * rig.boom.fan_width.get();
        used[leg] += area * open.rate_l_per_ha.get() / SQUARE_METRES_PER_HECTARE;
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
    fn place(&self) -> Pose {
        Pose::new(self.supply.place.position.into(), self.supply.place.heading.get())
    }

    fn lost(&self) -> PlanError {
        PlanError::NoWay { x_m: self.supply.place.position.x, y_m: self.supply.place.position.y }
    }

    fn way(&self, from: Pose, to: Pose) -> Result<Join, PlanError> {
        let (leave, enter) = (End::fixed(from), End::fixed(to));
        connect(self.layout, &self.roads, leave, enter).ok_or_else(|| self.lost())
    }

    /// From where a leg begins to the supply: about as far as from the end of the work before it.
    fn to(&self, leg: &Leg) -> Result<Join, PlanError> {
        self.way(nose(leg, 0, 1, 0), self.place())
    }

    fn from(&self, leg: &Leg) -> Result<Join, PlanError> {
        let last = leg.points.len() - 1;
        self.way(nose(leg, last - 1, last, last), self.place())
    }

    fn to_work(&self, leg: &Leg) -> Result<Join, PlanError> {
        self.way(self.place(), nose(leg, 0, 1, 0))
    }
}

/// Where the robot stands at point `at` of a leg, looking along the chord from one point to another.
fn nose(leg: &Leg, from: usize, to: usize, at: usize) -> Pose {
    let point = |k: usize| leg.points[k].into();
    let travel = Pose::new(point(at), direction(point(from), point(to)));
    if leg.gear == Gear::Forward { travel } else { travel.flipped() }
}
