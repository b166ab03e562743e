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
use std::collections::BTreeMap;
use std::ops::Range;

mod flush;
mod frontier;
mod squares;
mod tree;
use squares::{Around, square};
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
        Self { least: 4.0, poses: 1.0, apart: 1.6, margin: 0.03, rounds: 16, enough: ENOUGH },
        Self { least: 2.0, poses: 2.0, apart: 1.3, margin: 0.01, rounds: 48, enough: ENOUGH + 0.001 },
        Self { least: 1.0, poses: 4.0, apart: 1.0, margin: 0.01, rounds: 48, enough: ENOUGH + 0.001 },
        Self { least: 0.5, poses: 8.0, apart: 1.0, margin: 0.01, rounds: 48, enough: ENOUGH + 0.001 },
        Self { least: 0.3, poses: 8.0, apart: 0.8, margin: 0.01, rounds: 48, enough: ENOUGH + 0.001 },
    ];
    /// Share of a field from which closer looks are taken: they win a percent or two.
    pub(crate) const WORTH_IT: f64 = 0.975;
}

/// Points looked at in one round: more change little.
const MOST_POINTS: usize = 64 * WORDS;
/// Arcs of spurs are sampled finer than turns: the ends of a boom that only just passes leave no room for chords.
const SPUR_STEP_RAD: f64 = 0.05;
/// Poses looked at for every square metre of a field, and for any field, at three to four microseconds each. The hardest real
/// parcel, 2 ha with three obstacles under a 27 m boom, has enough worked after about four for every square metre. Jagged
/// little plots have more dead ends than anybody would drive into: without this bound they took most of the time of a
/// thousand random parcels, for a percent or two of such a plot.
const LOOKS_PER_M2: f64 = 5.0;
const MOST_LOOKS: f64 = 600_000.0;

/// Poses that may be looked at for a field, all looks together.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than a million")]
pub(crate) fn looks(field: &Polygon<f64>) -> usize {
    (LOOKS_PER_M2 * field.unsigned_area()).min(MOST_LOOKS) as usize
}
/// Points that stand for all undone ground.
const MOST_UNDONE: usize = 6000;

/// Adds spurs, into the largest patch first and there the most worthwhile first, until enough is worked or `looks` are
/// used up.
pub(crate) fn spurs(
    layout: &Layout,
    field: &Polygon<f64>,
    drives: &mut Vec<Drive>,
    undone: Undone,
    effort: Effort,
    looks: &mut usize,
) {
    let half = layout.dimensions.width / 2.0;
    let outline = Outline::new(field, layout.dimensions);
    let allowed = (1.0 - effort.enough) * field.unsigned_area();
    let Undone { points, each } = undone;
    let stride = points.len().div_ceil(MOST_UNDONE).max(1);
    let points: Vec<Pt> = points.into_iter().step_by(stride).collect();
    let each = each * stride as f64;
    let mut left = points.len() as f64 * each;
    for mut patch in patches(points, half / 3.0) {
        // Where the last round's spurs lie among the drives: what they opened up is all that another look can find more of.
        let mut fresh: Vec<Range<usize>> = Vec::new();
        for number in 0..effort.rounds {
            let small = (patch.len() as f64) * each < effort.least;
            if left <= allowed || small || *looks == 0 {
                break;
            }
            let before = patch.len();
            // Every other tree has its squares elsewhere: what one just misses the other may find.
            let shift = if number % 2 == 0 { 0.0 } else { 0.5 };
            let (found, poses) = round(
                (layout, &outline),
                drives,
                &fresh,
                &mut patch,
                (each, left - allowed),
                (shift, effort),
            );
            *looks = looks.saturating_sub(poses);
            left -= (before - patch.len()) as f64 * each;
            if found.is_empty() {
                break;
            }
            fresh.clear();
            for spur in found {
                let pieces = insert(drives, spur);
                // Spurs come from the last place to the first: those before lie farther on now, by the pieces that stand
                // where one drive was.
                let more = pieces.len() - 1;
                for range in &mut fresh {
                    *range = range.start + more..range.end + more;
                }
                fresh.push(pieces);
            }
        }
    }
}

/// Spurs into one patch, the last place on the drive first, until `enough` square metres less are undone.
fn round(
    (layout, outline): (&Layout, &Outline),
    drives: &[Drive],
    fresh: &[Range<usize>],
    patch: &mut Vec<Pt>,
    (each, enough): (f64, f64),
    (shift, effort): (f64, Effort),
) -> (Vec<Spur>, usize) {
    let half = layout.dimensions.width / 2.0;
    let stride = patch.len().div_ceil(MOST_POINTS).max(1);
    let looked_at: Vec<Pt> = patch.iter().copied().step_by(stride).collect();
    let around = Around::new(&looked_at, half + 4.0 * layout.dimensions.radius);
    let begins = |drive: usize| {
        fresh.is_empty()
            || drives[drive].purpose == Purpose::Spur && fresh.iter().any(|range| range.contains(&drive))
    };
    let sources = sources(layout, drives, &around, begins);
    let sampled = (looked_at, each * stride as f64);
    let mut tree = Tree::grown((layout, outline), &sources, &around, sampled, (shift, effort));
    let mut found: Vec<(Spur, Vec<usize>)> = Vec::new();
    let mut times = vec![0u32; patch.len()];
    let mut won = 0;
    while f64::from(won) * each < enough {
        let Some(spur) = tree.best(outline, each * stride as f64, effort.least) else { break };
        let works = worked(&spur, patch, half);
        for k in &works {
            won += u32::from(times[*k] == 0);
            times[*k] += 1;
        }
        found.push((spur, works));
    }
    let mut found = needed(found, &mut times, effort.least / each);
    let mut times = times.into_iter();
    patch.retain(|_| times.next() == Some(0));
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

/// Without those that later ones made idle: what they alone work is less than `least` points. `times` is how many work
/// each point.
fn needed(found: Vec<(Spur, Vec<usize>)>, times: &mut [u32], least: f64) -> Vec<Spur> {
    let mut kept = Vec::new();
    for (spur, works) in found {
        if (works.iter().filter(|k| times[**k] == 1).count() as f64) < least {
            for k in works {
                times[k] -= 1;
            }
        } else {
            kept.push(spur);
        }
    }
    kept
}

/// Poses along the drives near what is undone: at every point of a bend, every few metres of a straight.
fn sources(
    layout: &Layout,
    drives: &[Drive],
    around: &Around,
    begins: impl Fn(usize) -> bool,
) -> Vec<Source> {
    let spacing = layout.dimensions.radius.max(1.0) / 2.0;
    let mut found = Vec::new();
    for (drive, piece) in drives.iter().enumerate().filter(|(k, d)| d.gear == Gear::Forward && begins(*k)) {
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

/// Which points the bands of a spur cover.
fn worked(spur: &Spur, points: &[Pt], half: f64) -> Vec<usize> {
    let mut covered = vec![false; points.len()];
    for (a, b) in spur.pieces.iter().flat_map(|(_, line)| line.windows(2)).map(|w| (w[0], w[1])) {
        let span = distance(a, b);
        let ahead = Pt { x: (b.x - a.x) / span, y: (b.y - a.y) / span };
        for (covered, p) in covered.iter_mut().zip(points) {
            let off = *p - a;
            let (along, across) = (off.x * ahead.x + off.y * ahead.y, off.x * ahead.y - off.y * ahead.x);
            *covered |= along >= 0.0 && along <= span && across.abs() <= half;
        }
    }
    (0..points.len()).filter(|k| covered[*k]).collect()
}

/// Splits the drive at the source: on so far, into the spur, back, and on as before. Where these pieces lie among the
/// drives now: the first takes the place of the drive that was split.
fn insert(drives: &mut Vec<Drive>, spur: Spur) -> Range<usize> {
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
    pieces.retain(|d| length(&d.points) > 1e-6);
    let place = spur.from.drive..spur.from.drive + pieces.len();
    drives.splice(spur.from.drive..=spur.from.drive, pieces);
    place
}
