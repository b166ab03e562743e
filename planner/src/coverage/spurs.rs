//! Dead ends for a rig that may reverse: forward into a corner or an arm, and back over the same line.
//!
//! A spur leaves the drive at any of its poses and comes back to the same pose, so that nothing else of the drive
//! changes. Where the rig drives in, only its true outline counts (boom across, body around the antenna): a boom that is
//! held square to an edge reaches it, although nothing could turn there.

use super::join::{ARC_STEP_RAD, End, curve_within};
use super::layout::Layout;
use super::tour::{Drive, Purpose};
use crate::geometry::outline::Outline;
use crate::geometry::pose::{Pose, Pt, direction, distance, length, wrap};
use crate::plan::Gear;
use geo::Polygon;
use std::f64::consts::{PI, TAU};

/// Ground that no drive works yet: points, each standing for `each` square metres.
pub(crate) struct Undone {
    pub(crate) points: Vec<Pt>,
    pub(crate) each: f64,
}

/// A place on the drive that spurs may leave from.
#[derive(Clone, Copy)]
struct Source {
    drive: usize,
    /// Metres along the drive.
    along: f64,
    pose: Pose,
}

struct Spur {
    from: Source,
    /// Forward, the source first.
    line: Vec<Pt>,
    worth: f64,
}

/// A spur for less than this is not worth two changes of gear.
const MIN_GAIN_M2: f64 = 4.0;
const MOST_SPURS: usize = 60;
/// Points looked at per spur: more change little.
const MOST_POINTS: usize = 800;

/// Adds spurs, the most worthwhile first, until no more than `allowed` square metres are undone.
pub(crate) fn spurs(
    layout: &Layout,
    field: &Polygon<f64>,
    drives: &mut Vec<Drive>,
    undone: Undone,
    allowed: f64,
) {
    let half = layout.dimensions.width / 2.0;
    let outline = Outline::new(field, layout.dimensions);
    let stride = undone.points.len().div_ceil(MOST_POINTS).max(1);
    let each = undone.each * stride as f64;
    let mut points: Vec<Pt> = undone.points.into_iter().step_by(stride).collect();
    for _ in 0..MOST_SPURS {
        if points.len() as f64 * each <= allowed {
            break;
        }
        let sources = sources(layout, drives, &points);
        let reach = reach(layout);
        let near: Vec<Pt> = points
            .iter()
            .copied()
            .filter(|p| sources.iter().any(|s| distance(s.pose.at, *p) < reach))
            .collect();
        let job = Job { layout, outline: &outline, points: &near, each };
        let better = |a: &Spur, b: &Spur| a.worth.total_cmp(&b.worth);
        let straight = sources.iter().filter_map(|from| job.ahead(*from)).max_by(better);
        let Some(spur) = straight.or_else(|| job.aside(&sources).into_iter().max_by(better)) else { break };
        points.retain(|p| !beside(&spur.line, *p, half));
        insert(drives, spur);
    }
}

fn reach(layout: &Layout) -> f64 {
    2.0 * layout.dimensions.half + 6.0 * layout.dimensions.radius
}

/// Poses along the drives within reach of what is undone: at every point of a bend, every few metres of a straight.
fn sources(layout: &Layout, drives: &[Drive], points: &[Pt]) -> Vec<Source> {
    let spacing = layout.dimensions.radius.max(1.0);
    let reach = reach(layout);
    let mut found = Vec::new();
    for (drive, piece) in drives.iter().enumerate().filter(|(_, d)| d.gear == Gear::Forward) {
        let mut along = 0.0;
        let mut last = -spacing;
        for (k, pair) in piece.points.windows(2).enumerate() {
            let (span, heading) = (distance(pair[0], pair[1]), direction(pair[0], pair[1]));
            // Between two even chords of an arc the tangent is known, at its ends it is not.
            let even = k
                .checked_sub(1)
                .map(|b| (piece.points[b], pair[0]))
                .filter(|(p, q)| (distance(*p, *q) - span).abs() < 0.1 * span && span < spacing);
            let bend = even.map_or(0.0, |(p, q)| wrap(heading - direction(p, q)) / 2.0);
            let mut next = if even.is_some() { 0.0 } else { 0.3 * spacing };
            while next < span {
                let bend = if next > 0.0 { 0.0 } else { bend };
                let pose = Pose::new(Pose::new(pair[0], heading).ahead(next).at, wrap(heading - bend));
                if along + next >= last + spacing / 2.0
                    && points.iter().any(|p| distance(*p, pose.at) < reach)
                {
                    found.push(Source { drive, along: along + next, pose });
                    last = along + next;
                }
                next += spacing;
            }
            along += span;
        }
    }
    found
}

/// What a spur is looked for with.
struct Job<'a> {
    layout: &'a Layout,
    outline: &'a Outline,
    points: &'a [Pt],
    each: f64,
}

impl Job<'_> {
    /// Straight on from the drive, as far as the outline allows.
    fn ahead(&self, from: Source) -> Option<Spur> {
        let run = self.outline.room_ahead(from.pose, reach(self.layout));
        (run > 0.5)
            .then(|| vec![from.pose.at, from.pose.ahead(run).at])
            .and_then(|line| self.rated(from, line))
    }

    /// Off the drive by a curve, for arms that no straight line from it enters.
    fn aside(&self, sources: &[Source]) -> Vec<Spur> {
        const TARGETS: usize = 24;
        const HEADINGS: u32 = 12;
        const NEAREST: usize = 12;
        let inside: Vec<Pt> =
            self.points.iter().copied().filter(|p| self.layout.clearance.segment_fits(*p, *p)).collect();
        let stride = inside.len().div_ceil(TARGETS).max(1);
        let mut found = Vec::new();
        for target in inside.into_iter().step_by(stride) {
            let mut near: Vec<&Source> = sources.iter().collect();
            near.sort_by(|a, b| distance(a.pose.at, target).total_cmp(&distance(b.pose.at, target)));
            near.truncate(NEAREST);
            let fan = (0..HEADINGS).map(|k| TAU * f64::from(k) / f64::from(HEADINGS));
            let edge = self.outline.along_edge(target);
            for heading in [edge, wrap(edge + PI)].into_iter().chain(fan) {
                let enter = Pose::new(target, heading);
                let mut best: Option<(&Source, Vec<Pt>, f64)> = None;
                for from in &near {
                    let (leave, end) = (End::fixed(from.pose), End::fixed(enter));
                    let longest = 3.0 * distance(from.pose.at, target) + 4.0 * self.layout.dimensions.radius;
                    let limit = best.as_ref().map_or(longest, |b| b.2);
                    if let Some((curve, join)) = curve_within(self.layout, leave, end, limit) {
                        best = Some((*from, curve.sample(ARC_STEP_RAD), join.length));
                    }
                }
                if let Some((from, mut line, _)) = best {
                    let run = self.outline.room_ahead(enter, reach(self.layout));
                    if run > 0.5 {
                        line.push(enter.ahead(run).at);
                    }
                    found.extend(self.rated(*from, line));
                }
            }
        }
        found
    }

    /// With its gain, and no farther than the last point needs.
    fn rated(&self, from: Source, mut line: Vec<Pt>) -> Option<Spur> {
        let half = self.layout.dimensions.width / 2.0;
        let worked: Vec<Pt> = self.points.iter().copied().filter(|p| beside(&line, *p, half)).collect();
        let gain = worked.len() as f64 * self.each;
        if gain < MIN_GAIN_M2 {
            return None;
        }
        while let [.., a, b] = line[..] {
            let span = distance(a, b);
            let (ux, uy) = ((b.x - a.x) / span, (b.y - a.y) / span);
            let needed = worked
                .iter()
                .filter(|p| beside(&[a, b], **p, half))
                .map(|p| (p.x - a.x) * ux + (p.y - a.y) * uy + 0.5)
                .fold(0.0, f64::max);
            if needed > 0.0 || line.len() == 2 {
                let (last, run) = (line.len() - 1, needed.min(span));
                line[last] = Pt { x: a.x + ux * run, y: a.y + uy * run };
                break;
            }
            line.pop();
        }
        let worth = gain / (2.0 * length(&line) + 10.0);
        Some(Spur { from, line, worth })
    }
}

/// Whether the band of a line covers a point.
fn beside(line: &[Pt], p: Pt, half: f64) -> bool {
    line.windows(2).any(|w| {
        let (a, b) = (w[0], w[1]);
        let span = distance(a, b);
        let along = ((p.x - a.x) * (b.x - a.x) + (p.y - a.y) * (b.y - a.y)) / span;
        let across = ((p.x - a.x) * (b.y - a.y) - (p.y - a.y) * (b.x - a.x)) / span;
        along >= 0.0 && along <= span && across.abs() <= half
    })
}

/// Splits the drive at the source: on so far, into the spur, back, and on as before.
fn insert(drives: &mut Vec<Drive>, spur: Spur) {
    let Drive { purpose, points, gear } = drives[spur.from.drive].clone();
    let (mut before, mut after): (Vec<Pt>, Vec<Pt>) = (vec![], vec![]);
    let mut along = 0.0;
    for (k, p) in points.iter().enumerate() {
        along += if k > 0 { distance(points[k - 1], *p) } else { 0.0 };
        if along <= spur.from.along { before.push(*p) } else { after.push(*p) }
    }
    before.push(spur.from.pose.at);
    after.insert(0, spur.from.pose.at);
    let mut back = spur.line.clone();
    back.reverse();
    let pieces = [
        Drive { purpose, points: before, gear },
        Drive { purpose: Purpose::Spur, points: spur.line, gear: Gear::Forward },
        Drive { purpose: Purpose::Join, points: back, gear: Gear::Reverse },
        Drive { purpose, points: after, gear },
    ];
    let tidy = pieces.into_iter().filter(|d| length(&d.points) > 1e-6);
    drives.splice(spur.from.drive..=spur.from.drive, tidy);
}
