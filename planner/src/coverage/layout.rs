//! Where the robot may drive, the headland lanes and the mainland.

use super::swaths::{Swath, stretch};
use crate::geometry::clearance::Clearance;
use crate::geometry::lane::Lane;
use crate::geometry::offset::{drivable, eroded};
use crate::geometry::pose::Pt;
use crate::geometry::steering::Steering;
use geo::{Area, Intersects, MultiPolygon, Polygon, Simplify};

/// What of a rig decides the geometry of a plan. Metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Dimensions {
    /// Working width.
    pub(crate) width: f64,
    /// Half of the widest part, boom unfolded.
    pub(crate) half: f64,
    /// Half of the body's width.
    pub(crate) body: f64,
    /// Kept from every edge beyond `half`.
    pub(crate) margin: f64,
    /// Radius that turns are drawn with.
    pub(crate) radius: f64,
    /// Whether it may drive backwards.
    pub(crate) may_reverse: bool,
    /// What its steering can do; none where it is instant.
    pub(crate) steering: Option<Steering>,
    /// What a change of gear counts as, metres of driving.
    pub(crate) cusp_cost: f64,
}

impl Dimensions {
    /// The robot's centre keeps this far from every edge.
    pub(crate) fn keep(&self) -> f64 {
        self.half + self.margin
    }

    /// Passes so that a turn between swaths that meet the headland squarely fits on them.
    pub(crate) fn headland_passes(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
        let passes = ((self.depth() + self.half) / self.width).ceil() as u32;
        passes.max(1)
    }

    /// Arcs are sampled at this angle. At a change of gear a reader keeps the last point however near the one before it is,
    /// and leaves that one out: with three chords of more than a twelfth of the radius it would see a bend too tight.
    pub(crate) const fn arc_step(&self) -> f64 {
        if self.may_reverse { 0.08 } else { 0.1 }
    }

    /// From where a half turn begins to its farthest point ahead.
    fn depth(&self) -> f64 {
        self.steering.map_or(self.radius, |s| s.lead + 1.0 / s.curvature)
    }

    /// From the middle of a turn to where it begins and ends.
    pub(crate) fn circle(&self) -> f64 {
        self.steering.map_or(self.radius, |s| s.circle())
    }
}

/// A closed headland pass.
#[derive(Debug, Clone)]
pub(crate) struct HeadlandLane {
    /// 0 is the outermost.
    pub(crate) level: u32,
    /// Around an exclusion, not along the outside.
    pub(crate) around_exclusion: bool,
    /// Part of the free space that it lies in; rooms are joined by [`super::necks`].
    pub(crate) room: usize,
    /// Whether it is driven for its own sake; the others are roads only.
    pub(crate) work: bool,
    /// The line.
    pub(crate) lane: Lane,
}

/// The geometry every later step works on.
pub(crate) struct Layout {
    pub(crate) dimensions: Dimensions,
    /// Tells whether a line keeps the robot and boom inside.
    pub(crate) clearance: Clearance,
    /// Headland passes, outermost first.
    pub(crate) lanes: Vec<HeadlandLane>,
    /// Where the robot's centre can drive and turn, room by room, the largest first.
    pub(crate) free: MultiPolygon<f64>,
    pub(crate) rooms: usize,
    /// [`Layout::mainland`] with fewer vertices, for estimates.
    pub(crate) sketch: MultiPolygon<f64>,
    /// Where the robot comes in.
    pub(crate) entry: Option<Pt>,
    /// What can be driven of lanes with corners.
    pub(crate) stretches: Vec<Swath>,
    /// Share of the mainland that may be left over at slanting ends of swaths.
    pub(crate) undone: f64,
    /// What swaths have to cover.
    pub(crate) mainland: MultiPolygon<f64>,
}

/// Neighbouring passes overlap by this much, so that map projections cannot open a gap.
const SEAM_M: f64 = 0.005;

impl Layout {
    /// How many exclusions a lane leads around.
    pub(crate) fn exclusions(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.around_exclusion && lane.level == 0).count()
    }

    /// A field without lanes: enough to ask whether a curve keeps its clearance.
    pub(crate) fn bare(field: &Polygon<f64>, dimensions: Dimensions) -> Self {
        let nothing = || MultiPolygon::new(vec![]);
        Self {
            dimensions,
            entry: None,
            stretches: vec![],
            clearance: Clearance::new(field, dimensions.half + 0.001),
            lanes: vec![],
            rooms: 0,
            free: nothing(),
            sketch: nothing(),
            undone: 0.0,
            mainland: nothing(),
        }
    }
}

/// Lays out a field whose rings have the field on their left.
pub(crate) fn layout(field: &Polygon<f64>, dimensions: Dimensions, passes: u32) -> Layout {
    let pitch = dimensions.width - SEAM_M;
    let (mut lanes, mut stretches) = (Vec::new(), Vec::new());
    let mut free = drivable(field, dimensions.keep(), dimensions.radius);
    free.0.sort_by(|a, b| b.unsigned_area().total_cmp(&a.unsigned_area()));
    for level in 0..passes {
        let offset = dimensions.keep() + f64::from(level) * pitch;
        let inner = if level == 0 { free.clone() } else { drivable(field, offset, dimensions.radius) };
        for polygon in &inner {
            let room = room_of(&free, polygon);
            let rings = std::iter::once((polygon.exterior(), false))
                .chain(polygon.interiors().iter().map(|ring| (ring, true)));
            for (ring, around_exclusion) in rings {
                let Some(lane) = Lane::new(ring) else { continue };
                let corners = lane.corners(dimensions.radius);
                if corners.is_empty() {
                    lanes.push(HeadlandLane { level, around_exclusion, room, work: true, lane });
                } else {
                    stretches.extend(between(&lane, &corners, dimensions));
                }
            }
        }
    }
    let depth = dimensions.keep() - dimensions.half + f64::from(passes) * pitch;
    let mainland = eroded(&MultiPolygon::new(vec![field.clone()]), depth).simplify(0.002);
    Layout {
        stretches,
        lanes,
        rooms: free.0.len(),
        free,
        sketch: mainland.simplify(0.05),
        mainland,
        ..Layout::bare(field, dimensions)
    }
}

/// The pieces of a lane from corner to corner, without the corners.
fn between(lane: &Lane, corners: &[f64], dimensions: Dimensions) -> Vec<Swath> {
    let trim = dimensions.radius / 2.0;
    let next = corners.iter().skip(1).copied().chain(corners.first().map(|s| s + lane.length()));
    corners
        .iter()
        .zip(next)
        .filter(|(from, to)| to - *from > 4.0 * trim + 1.0)
        .map(|(from, to)| stretch(lane, from + trim, to - from - 2.0 * trim, dimensions.width))
        .collect()
}

fn room_of(rooms: &MultiPolygon<f64>, part: &Polygon<f64>) -> usize {
    let inside = |room: &Polygon<f64>| part.exterior().0.first().is_some_and(|p| room.intersects(p));
    rooms.iter().position(inside).unwrap_or(0)
}
