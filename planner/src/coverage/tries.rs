//! Whole tours for several directions of the swaths, best first: only a tour made tells what a direction costs.

use super::heading::{best_headings, best_spacing};
use super::layout::Layout;
use super::roads::LaneRoads;
use super::spurs::{Effort, looks, spurs};
use super::swaths::{Spacing, Swath, swaths, swaths_closely};
use super::tally::{finely, tally};
use super::tour::{Drive, NoWay, Purpose, tour};
use crate::geometry::pose::{Pt, length};
use crate::selective::needed::Wanted;
use crate::selective::peeks::{insert, split};
use geo::{Area, Polygon};

/// A whole tour for one direction.
pub(crate) struct Tried {
    /// What the tries are compared by, metres.
    pub(crate) cost: f64,
    /// Heading of the swaths, radians, and how they lie.
    pub(crate) way: (f64, Spacing),
    pub(crate) strips: Vec<Swath>,
    pub(crate) drives: Vec<Drive>,
    pub(crate) missed: Vec<NoWay>,
    /// Share of the field that is worked, 0 to 1; none for a selective tour.
    pub(crate) worked: Option<f64>,
    /// Middles of wanted cells that no worked line passes over; only for a selective tour.
    pub(crate) left_out: Vec<Pt>,
}

/// Swaths over all directions for which a whole tour is made: estimates cannot tell the best few apart, and a small
/// field can afford more tries than a large one.
const TRIED_SWATHS: usize = 900;
/// Share of a field that is worked by any plan that can: beyond, metres are saved instead.
pub(super) const ENOUGH: f64 = 0.9956;
/// One raster knows the share otherwise than another by less.
const RASTER_SHARE: f64 = 0.0004;
/// How many times its own driving a missing square metre costs.
const MISSING: f64 = 10.0;

/// Up to here the ends of strips are looked at closely, and a tour that works more or less than is enough is made once
/// more: on large fields slivers are a small share, and tours take long.
const FEW_STRIPS: usize = 250;

/// A wanted cell is worth driving a long way for.
const MISSED_CELL_M: f64 = 1e4;
/// Turns take away up to this many times the slack of an end, and a little may lie beside.
const MOST_CUT: f64 = 1.8;

/// What the tours are made of, beside the strips of the mainland.
pub(crate) struct Needs<'a> {
    /// Passes over leftovers and through necks.
    pub(crate) extra: &'a [Swath],
    /// Only lines beside these cells are driven.
    pub(crate) wanted: Option<&'a Wanted>,
    /// Direction that the farmer asked for, radians.
    pub(crate) heading: Option<f64>,
    /// Swaths along a recorded line, and its direction; no other swaths are tried.
    pub(crate) guided: Option<(&'a [Swath], f64)>,
    /// Crop rows: their direction, radians, and where they lie.
    pub(crate) rows: Option<(f64, Spacing)>,
}

/// At least one try, best first.
pub(crate) fn tries(layout: &Layout, field: &Polygon<f64>, needs: &Needs) -> Vec<Tried> {
    let lanes = LaneRoads::new(layout);
    let headings = match (needs.guided, needs.rows, needs.heading) {
        (Some((_, heading)), ..) => vec![(heading, Spacing::Even)],
        (None, Some(rows), _) => vec![rows],
        (None, None, Some(heading)) => vec![best_spacing(layout, heading)],
        (None, None, None) => best_headings(layout, TRIED_SWATHS),
    };
    let mut tried: Vec<Tried> =
        headings.iter().map(|h| attempt(layout, &lanes, field, needs, (*h, layout.undone), false)).collect();
    if needs.wanted.is_some() && layout.dimensions.may_reverse {
        let peeking = |h| attempt(layout, &lanes, field, needs, (h, layout.undone), true);
        tried.extend(headings.into_iter().map(peeking));
    }
    sort(&mut tried);
    if needs.guided.is_none() {
        let own = layout.mainland.unsigned_area().max(1.0) / field.unsigned_area();
        let again = |way, undone| attempt(layout, &lanes, field, needs, (way, undone), false);
        // Swaths may leave over more than was thought, or less: that shows in a whole tour.
        if let Some((way, worked)) = tried.first().and_then(|best| best.worked.map(|w| (best.way, w)))
            && (worked - ENOUGH).abs() > RASTER_SHARE
            && ENOUGH - worked < layout.undone * own
            && tried[0].strips.len() <= FEW_STRIPS
        {
            tried.push(again(way, (layout.undone + (worked - ENOUGH) / own).max(0.0)));
            sort(&mut tried);
        }
        if let Some(best) = tried.first()
            && best.worked.is_some_and(|worked| worked < ENOUGH)
        {
            tried.push(again(needs.rows.unwrap_or((best.way.0, Spacing::Even)), 0.0));
            sort(&mut tried);
        }
    }
    tried
}

/// Drives into dead ends too, where the rig may reverse and not enough is worked.
pub(crate) fn into_dead_ends(layout: &Layout, field: &Polygon<f64>, tried: &mut Tried) {
    let Tried { drives, worked: Some(worked), .. } = tried else { return };
    if !layout.dimensions.may_reverse || *worked >= ENOUGH {
        return;
    }
    let mut left = tally(field, drives, layout.dimensions.width).undone();
    let mut looks = looks(field);
    for (number, effort) in (0..).zip(Effort::ALL) {
        spurs(layout, field, drives, left, effort, &mut looks);
        let now = finely(field, drives, layout.dimensions.width, number);
        (*worked, left) = (now.worked(), now.undone());
        if looks == 0 || !(Effort::WORTH_IT..effort.enough - RASTER_SHARE).contains(worked) {
            break;
        }
    }
}

fn sort(tried: &mut [Tried]) {
    tried.sort_by(|a, b| a.cost.total_cmp(&b.cost));
}

/// A turn may take away no end that lies beside a wanted cell.
fn keep_wanted_ends(strip: &mut Swath, wanted: &Wanted, half: f64) {
    for end in 0..2 {
        let tip = strip.leaving(end);
        let given_up = [tip.at, tip.ahead(-MOST_CUT * strip.slack[end]).at];
        if strip.slack[end] > 0.0 && wanted.beside(&given_up, half) {
            strip.slack[end] = 0.0;
        }
    }
}

fn attempt(
    layout: &Layout,
    lanes: &LaneRoads,
    field: &Polygon<f64>,
    needs: &Needs,
    (way, undone): ((f64, Spacing), f64),
    peeking: bool,
) -> Tried {
    let width = layout.dimensions.width;
    // Where every wanted cell counts, no corner is left over.
    let undone = if needs.wanted.is_some() { 0.0 } else { undone };
    let mut strips = match needs.guided {
        Some((guided, _)) => guided.to_vec(),
        None => match swaths(&layout.mainland, width, way, undone) {
            few if few.len() <= FEW_STRIPS => swaths_closely(&layout.mainland, width, way, undone),
            many => many,
        },
    };
    strips.extend(needs.extra.iter().cloned());
    let mut peeks = Vec::new();
    if let Some(wanted) = needs.wanted {
        strips.retain(|s| wanted.beside(&s.line(0), width / 2.0));
        for strip in &mut strips {
            keep_wanted_ends(strip, wanted, width / 2.0);
        }
        if peeking {
            (strips, peeks) = split(layout, strips, wanted);
        }
    }
    let through = strips.len();
    strips.extend(peeks.iter().map(|p| p.stop.clone()));
    let (drives, missed) = tour(layout, lanes, &strips);
    let drives = insert(drives, &peeks, through);
    let worked = needs.wanted.is_none().then(|| tally(field, &drives, width).worked());
    let lacking = worked.map_or(0.0, |w| (ENOUGH - w).max(0.0)) * field.unsigned_area();
    // What is not reached weighs more than any way to it.
    let cost = drives.iter().map(|d| length(&d.points)).sum::<f64>()
        + MISSING * lacking / width
        + if needs.wanted.is_some() { 1e6 * missed.len() as f64 } else { 0.0 };
    let left_out = needs.wanted.map_or_else(Vec::new, |wanted| {
        let worked = drives.iter().filter(|d| d.purpose != Purpose::Join).map(|d| d.points.as_slice().into());
        wanted.left_out(&worked.collect::<Vec<_>>(), width / 2.0)
    });
    let cost = cost + MISSED_CELL_M * left_out.len() as f64;
    Tried { cost, way, strips, drives, missed, worked, left_out }
}
