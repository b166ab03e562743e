//! No drop into a spray-free zone: the footprint of every open nozzle, with the declared position error.

use crate::plan::{Gear, Leg, Plan};
use crate::zones::SprayFreeZone;
use kompas_field::{FieldFrame, Finding, Point2, Rig};
use rstar::RTree;
use rstar::primitives::{GeomWithData, Line};

/// Looks at every run each 5 cm and at both of its ends. The footprint is a disc around the corner of what one nozzle
/// wets; half a step is added for what lies between two looks. Far from all zones it looks again where the antenna may have
/// come so near that the nozzle, wherever it hangs, could wet one.
pub(super) fn zones(plan: &Plan, rig: &Rig) -> Vec<Finding> {
    const STEP_M: f64 = 0.05;
    const MOST: usize = 20;
    let mut found = Vec::new();
    if plan.zones.is_empty() {
        return found;
    }
    let walk = Walk::along(&plan.path);
    let wet = rig.boom.fan_width.get().hypot(rig.boom.fan_length.get()) / 2.0;
    let reach = wet + plan.position_error_m.get();
    let edges = Edges::of(&plan.zones);
    for (i, run) in plan.schedule.iter().enumerate() {
        let Some(nozzle) = rig.boom.nozzles.get(usize::from(run.nozzle)) else { continue };
        let hangs = nozzle.place.x.hypot(nozzle.place.y);
        let mut at = run.from_m;
        while let Some((antenna, nose)) = walk.at(at) {
            let (x, y) = (nozzle.place.x, nozzle.place.y);
            let place =
                Point2::new(antenna.x + x * nose[0] - y * nose[1], antenna.y + x * nose[1] + y * nose[0]);
            if let Some(zone) = edges.wetted(place, reach - 0.001) {
                let zone = &plan.zones[zone];
                let cause =
                    format!("nozzle {} sprays into the zone of {} ({})", run.nozzle, zone.rule, zone.source);
                let place = format!("schedule[{i}] at ({:.2}, {:.2}) m", place.x, place.y);
                found.push(Finding::error("plan.spray_free_zone", place, cause, "make the plan again"));
                break;
            }
            if at >= run.to_m {
                break;
            }
            let steps = ((edges.apart(antenna) - reach - hangs) / STEP_M).floor().max(1.0);
            at = (at + STEP_M * steps).min(run.to_m);
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

type P = [f64; 2];

/// The chords of a path. Walked here and not with the planner's sampler: a fault of one would hide in the other.
struct Walk(Vec<Chord>);

struct Chord {
    from: Point2<FieldFrame>,
    /// Metres from the path's beginning to `from`.
    driven: f64,
    length: f64,
    along: P,
    gear: Gear,
}

impl Walk {
    /// Chords without length have no direction and are left out; a gap between legs counts as the leg's that it leads to.
    fn along(path: &[Leg]) -> Self {
        let places: Vec<_> = path.iter().flat_map(|leg| leg.points.iter().map(|p| (*p, leg.gear))).collect();
        let mut driven = 0.0;
        let chord = |pair: &[(Point2<FieldFrame>, Gear)]| {
            let ((from, _), (to, gear)) = (pair[0], pair[1]);
            let (east, north) = (to.x - from.x, to.y - from.y);
            let length = east.hypot(north);
            let chord = Chord { from, driven, length, along: [east / length, north / length], gear };
            driven += length;
            (length > 0.0).then_some(chord)
        };
        Self(places.windows(2).filter_map(chord).collect())
    }

    /// Where the antenna is after so many metres, and the direction of the nose; before the beginning and beyond the end the
    /// nearest of both. None of an empty path.
    fn at(&self, driven: f64) -> Option<(Point2<FieldFrame>, P)> {
        let next = self.0.partition_point(|chord| chord.driven <= driven);
        let chord = self.0.get(next.saturating_sub(1))?;
        let (on, [east, north]) = ((driven - chord.driven).clamp(0.0, chord.length), chord.along);
        let nose = match chord.gear {
            Gear::Forward => [east, north],
            Gear::Reverse => [-east, -north],
        };
        Some((Point2::new(chord.from.x + on * east, chord.from.y + on * north), nose))
    }
}

/// The lines of all zones in pieces, each with the number of its zone.
struct Edges<'a> {
    zones: &'a [SprayFreeZone],
    pieces: RTree<GeomWithData<Line<P>, usize>>,
    widest: f64,
}

impl<'a> Edges<'a> {
    fn of(zones: &'a [SprayFreeZone]) -> Self {
        let pieces = zones.iter().enumerate().flat_map(|(number, zone)| {
            let line = |w: &[Point2<FieldFrame>]| Line::new(w[0].to_array(), w[1].to_array());
            zone.line.windows(2).map(move |w| GeomWithData::new(line(w), number))
        });
        let widest = zones.iter().map(|zone| zone.width_m.get()).fold(0.0, f64::max);
        Self { zones, pieces: RTree::bulk_load(pieces.collect()), widest }
    }

    /// The first zone that a disc around `place` reaches into.
    fn wetted(&self, place: Point2<FieldFrame>, reach: f64) -> Option<usize> {
        /// The tree rounds otherwise.
        const MORE_M: f64 = 1e-6;
        let far = (self.widest + reach + MORE_M).max(0.0);
        self.pieces
            .locate_within_distance(place.to_array(), far * far)
            .filter(|piece| {
                let (a, b) = (piece.geom().from, piece.geom().to);
                off(place.to_array(), a, b) < self.zones[piece.data].width_m.get() + reach
            })
            .map(|piece| piece.data)
            .min()
    }

    /// At least so many metres lie between a place and the nearest zone.
    fn apart(&self, place: Point2<FieldFrame>) -> f64 {
        let nearest = self.pieces.nearest_neighbor(&place.to_array());
        nearest.map_or(f64::MAX, |p| off(place.to_array(), p.geom().from, p.geom().to) - self.widest)
    }
}

/// Distance from `p` to the straight line from `a` to `b`.
fn off(p: P, a: P, b: P) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let square = dx * dx + dy * dy;
    let share =
        if square > 0.0 { (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
    (p[0] - a[0] - share * dx).hypot(p[1] - a[1] - share * dy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::PathSampler;
    use crate::plan::LegKind;
    use kompas_field::units::Metres;

    /// Walked apart, they must come to the same places: runs are given by the way driven.
    #[test]
    fn a_walk_comes_where_the_sampler_comes() {
        let leg = |gear, points: &[P]| {
            let points = points.iter().map(|p| Point2::new(p[0], p[1])).collect();
            Leg { kind: LegKind::Turn, implement: true, gear, points }
        };
        let path = [
            leg(Gear::Forward, &[[0.0, 0.0], [3.0, 0.0], [3.0, 0.0], [5.0, 2.0]]),
            leg(Gear::Reverse, &[[5.0, 2.0], [6.0, 5.0], [2.0, 9.0]]),
            leg(Gear::Forward, &[[2.0, 9.0], [-4.0, 9.0]]),
        ];
        let (walk, sampler) = (Walk::along(&path), PathSampler::of_legs(&path));
        for step in -3..250 {
            let driven = f64::from(step) * 0.1 + 0.05;
            let (place, nose) = walk.at(driven).unwrap();
            let on = sampler.at(Metres::new(driven)).unwrap().pose;
            let heading = on.heading.get();
            assert!(place.distance(on.position).get() < 1e-9, "{driven} m: {place:?}");
            assert!((nose[0] - heading.cos()).hypot(nose[1] - heading.sin()) < 1e-9, "{driven} m: {nose:?}");
        }
        assert!(Walk::along(&[]).at(0.0).is_none());
    }
}
