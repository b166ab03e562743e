//! Dead ends for a rig that may reverse: into a corner or an arm, and back over the same line.
//!
//! A spur leaves the drive at any of its poses and comes back to the same pose, so that nothing else of the drive
//! changes. On it only the rig's true outline counts (boom across, body around the antenna): a boom that is held square
//! to an edge reaches it, although nothing could turn there. Every piece of it is driven in both gears and worked in
//! the forward one.

use super::layout::Layout;
use super::tour::{Drive, Purpose};
use super::tries::ENOUGH;
use crate::geometry::outline::Outline;
use crate::geometry::pose::{Pose, Pt, direction, distance, length, wrap};
use crate::plan::Gear;
use geo::{Area, Polygon};
use std::collections::{BTreeMap, BTreeSet, HashMap};

mod tree;
use tree::{Tree, WORDS};

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
    /// Outward, from one change of gear to the next; the source first.
    pieces: Vec<(Gear, Vec<Pt>)>,
}

/// How closely dead ends are looked at.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// A spur for less is not worth two changes of gear, square metres.
    least: f64,
    /// Poses of one tree, as a multiple of what a first look takes.
    poses: f64,
    /// Distance of poses that are one, as a share of the same.
    apart: f64,
    /// Kept from an edge straight ahead, metres.
    margin: f64,
    /// Looks into one patch: later ones start from the tips of earlier spurs and reach deeper into arms.
    rounds: u32,
    /// Share of the field from which no spur is added.
    pub(crate) enough: f64,
}

impl Effort {
    /// One after the other, until enough is worked: what is won for little first. Many short spurs leave seams, which readers
    /// who draw bends coarsely make more of: closer looks go on a little longer.
    pub(crate) const ALL: [Self; 5] = [
        Self { least: 4.0, poses: 1.0, apart: 1.0, margin: 0.03, rounds: 16, enough: ENOUGH },
        Self { least: 2.0, poses: 2.0, apart: 0.8, margin: 0.01, rounds: 48, enough: ENOUGH + 0.001 },
        Self { least: 1.0, poses: 4.0, apart: 0.6, margin: 0.01, rounds: 48, enough: ENOUGH + 0.001 },
        Self { least: 0.5, poses: 8.0, apart: 0.6, margin: 0.01, rounds: 48, enough: ENOUGH + 0.001 },
        Self { least: 0.3, poses: 8.0, apart: 0.5, margin: 0.01, rounds: 48, enough: ENOUGH + 0.001 },
    ];
    /// Share of a field from which closer looks are taken: they win a percent or two.
    pub(crate) const WORTH_IT: f64 = 0.975;
}

/// Points looked at in one round: more change little.
const MOST_POINTS: usize = 64 * WORDS;
/// Arcs of spurs are sampled finer than turns: the ends of a boom that only just passes leave no room for chords.
const SPUR_STEP_RAD: f64 = 0.05;
/// Poses looked at for one field with one effort: jagged little fields have more dead ends than anybody would drive into.
const MOST_LOOKED_AT: usize = 600_000;
/// Points that stand for all undone ground.
const MOST_UNDONE: usize = 6000;

/// Adds spurs, into the largest patch first and there the most worthwhile first, until enough is worked.
pub(crate) fn spurs(
    layout: &Layout,
    field: &Polygon<f64>,
    drives: &mut Vec<Drive>,
    undone: Undone,
    effort: Effort,
) {
    let half = layout.dimensions.width / 2.0;
    let outline = Outline::new(field, layout.dimensions);
    let allowed = (1.0 - effort.enough) * field.unsigned_area();
    let Undone { points, each } = undone;
    let stride = points.len().div_ceil(MOST_UNDONE).max(1);
    let points: Vec<Pt> = points.into_iter().step_by(stride).collect();
    let each = each * stride as f64;
    let mut left = points.len() as f64 * each;
    let mut looked_at = 0;
    for mut patch in patches(points, half / 3.0) {
        let mut idle = 0;
        for number in 0..effort.rounds {
            let small = (patch.len() as f64) * each < effort.least;
            if left <= allowed || small || looked_at > MOST_LOOKED_AT {
                break;
            }
            let before = patch.len();
            // Every other tree has its squares elsewhere: what one just misses the other may find.
            let shift = if number % 2 == 0 { 0.0 } else { 0.5 };
            let (found, poses) =
                round((layout, &outline), drives, &mut patch, (each, left - allowed), (shift, effort));
            looked_at += poses;
            left -= (before - patch.len()) as f64 * each;
            idle = if found.is_empty() { idle + 1 } else { 0 };
            if idle == 2 || number == 0 && idle == 1 {
                break;
            }
            for spur in found {
                insert(drives, spur);
            }
        }
    }
}

/// Spurs into one patch, the last place on the drive first, until `enough` square metres less are undone.
fn round(
    (layout, outline): (&Layout, &Outline),
    drives: &[Drive],
    patch: &mut Vec<Pt>,
    (each, enough): (f64, f64),
    (shift, effort): (f64, Effort),
) -> (Vec<Spur>, usize) {
    let half = layout.dimensions.width / 2.0;
    let stride = patch.len().div_ceil(MOST_POINTS).max(1);
    let looked_at: Vec<Pt> = patch.iter().copied().step_by(stride).collect();
    let around = Around::new(&looked_at, half + 4.0 * layout.dimensions.radius);
    let sources = sources(layout, drives, &around);
    let sampled = (looked_at, each * stride as f64);
    let mut tree = Tree::grown((layout, outline), &sources, &around, sampled, (shift, effort));
    let mut found: Vec<Spur> = Vec::new();
    let mut open = patch.clone();
    while ((patch.len() - open.len()) as f64) * each < enough {
        let Some(spur) = tree.best(outline, each * stride as f64, effort.least) else { break };
        open.retain(|p| !spur.pieces.iter().any(|(_, line)| beside(line, *p, half)));
        found.push(spur);
    }
    let mut found = needed(found, patch, half, effort.least / each);
    patch.retain(|p| !found.iter().flat_map(|s| &s.pieces).any(|(_, line)| beside(line, *p, half)));
    // From the last drive to the first, and on each from its end: places before stay where they are.
    found.sort_by(|a, b| b.from.drive.cmp(&a.from.drive).then(b.from.along.total_cmp(&a.from.along)));
    (found, tree.len())
}

/// Points that hang together, the most first.
fn patches(points: Vec<Pt>, size: f64) -> Vec<Vec<Pt>> {
    let mut squares: BTreeMap<(i32, i32), Vec<Pt>> = BTreeMap::new();
    for p in points {
        squares.entry(square(p, size)).or_default().push(p);
    }
    let mut patches = Vec::new();
    while let Some((first, points)) = squares.pop_first() {
        let (mut patch, mut edge) = (points, vec![first]);
        while let Some((x, y)) = edge.pop() {
            for next in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy))) {
                if let Some(points) = squares.remove(&next) {
                    patch.extend(points);
                    edge.push(next);
                }
            }
        }
        patches.push(patch);
    }
    patches.sort_by_key(|patch| std::cmp::Reverse(patch.len()));
    patches
}

/// Without those that later ones made idle: what they alone work is less than `least` of `points`.
fn needed(found: Vec<Spur>, points: &[Pt], half: f64, least: f64) -> Vec<Spur> {
    let works = |spur: &Spur, p: Pt| spur.pieces.iter().any(|(_, line)| beside(line, p, half));
    let done: Vec<Vec<usize>> =
        found.iter().map(|spur| (0..points.len()).filter(|k| works(spur, points[*k])).collect()).collect();
    let mut times = vec![0u32; points.len()];
    for point in done.iter().flatten() {
        times[*point] += 1;
    }
    let mut kept = Vec::new();
    for (spur, done) in found.into_iter().zip(&done) {
        if (done.iter().filter(|k| times[**k] == 1).count() as f64) < least {
            for point in done {
                times[*point] -= 1;
            }
        } else {
            kept.push(spur);
        }
    }
    kept
}

/// Squares within some reach of points, with about how far the nearest point is.
struct Around {
    size: f64,
    squares: HashMap<(i32, i32), f64>,
}

impl Around {
    fn new(points: &[Pt], reach: f64) -> Self {
        const FINENESS: i32 = 10;
        let size = reach / f64::from(FINENESS);
        let mut squares: HashMap<(i32, i32), f64> = HashMap::new();
        let middles: BTreeSet<(i32, i32)> = points.iter().map(|p| square(*p, size)).collect();
        let offsets = -FINENESS..=FINENESS;
        for (x, y) in middles {
            for (dx, dy) in offsets.clone().flat_map(|dx| offsets.clone().map(move |dy| (dx, dy))) {
                let away = f64::from(dx).hypot(f64::from(dy)) * size;
                if away <= reach {
                    let known = squares.entry((x + dx, y + dy)).or_insert(away);
                    *known = known.min(away);
                }
            }
        }
        Self { size, squares }
    }

    /// Metres from `p` to the nearest point; none beyond the reach.
    fn away(&self, p: Pt) -> Option<f64> {
        self.squares.get(&square(p, self.size)).copied()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "metres of one field")]
fn square(p: Pt, size: f64) -> (i32, i32) {
    ((p.x / size).floor() as i32, (p.y / size).floor() as i32)
}

/// Poses along the drives near what is undone: at every point of a bend, every few metres of a straight.
fn sources(layout: &Layout, drives: &[Drive], around: &Around) -> Vec<Source> {
    let spacing = layout.dimensions.radius.max(1.0) / 2.0;
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
                if along + next >= last + spacing && around.away(pose.at).is_some() {
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
    let piece = |gear: Gear, points: Vec<Pt>| {
        let purpose = if gear == Gear::Forward { Purpose::Spur } else { Purpose::Join };
        Drive { purpose, points, gear }
    };
    let back = |(gear, line): &(Gear, Vec<Pt>)| {
        let other = if *gear == Gear::Forward { Gear::Reverse } else { Gear::Forward };
        piece(other, line.iter().rev().copied().collect())
    };
    let mut pieces = vec![Drive { purpose, points: before, gear }];
    let homeward: Vec<Drive> = spur.pieces.iter().rev().map(back).collect();
    pieces.extend(spur.pieces.into_iter().map(|(gear, line)| piece(gear, line)));
    pieces.extend(homeward);
    pieces.push(Drive { purpose, points: after, gear });
    let tidy = pieces.into_iter().filter(|d| length(&d.points) > 1e-6);
    drives.splice(spur.from.drive..=spur.from.drive, tidy);
}
