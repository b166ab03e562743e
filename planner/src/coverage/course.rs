//! One layout of the field with the tours tried on it, and how many headland passes it takes.
//!
//! A half turn needs a few passes. A strip of a field is driven in fewer metres with more of them, for a lap around costs
//! two swaths' turns less; a square or a jagged field is not. As with directions, only a tour made tells.

use super::curve::{CurveError, along_curve};
use super::heading::PER_EXCLUSION;
use super::layout::{Dimensions, Layout, layout};
use super::necks::necks;
use super::patches::patches;
use super::swaths::{Spacing, Swath};
use super::tries::{Needs, Tried, into_dead_ends, tries};
use crate::geometry::pose::Pt;
use crate::selective::needed::Wanted;
use geo::Polygon;

/// A layout and at least one tour on it, best first.
pub(crate) struct Course {
    pub(crate) layout: Layout,
    pub(crate) tried: Vec<Tried>,
    /// How far a recorded line was moved for the rig to follow it, metres.
    pub(crate) moved_m: Option<f64>,
}

/// What farmer and map ask for.
#[derive(Default)]
pub(crate) struct Asked<'a> {
    pub(crate) entry: Option<Pt>,
    pub(crate) wanted: Option<&'a Wanted>,
    /// Direction of the swaths, radians.
    pub(crate) heading: Option<f64>,
    pub(crate) rows: Option<(f64, Spacing)>,
    /// A recorded line; empty for none.
    pub(crate) curve: Vec<Pt>,
}

impl Asked<'_> {
    /// Whether swaths may lie as it suits.
    fn nothing(&self) -> bool {
        self.wanted.is_none() && self.heading.is_none() && self.rows.is_none() && self.curve.is_empty()
    }
}

/// Swaths up to which other numbers of headland passes are tried.
const MOST_SWATHS: usize = 60;
/// Share of the field from which it is worked as a whole.
const WHOLE: f64 = 0.995;
/// Passes tried beyond those that a turn needs: each saves less than the one before, and nobody wants a field of laps.
const MOST_MORE: u32 = 3;

/// The best course, then others; none where the rig finds no way round.
///
/// # Errors
/// [`CurveError`]: swaths cannot follow the recorded line.
pub(crate) fn courses(
    field: &Polygon<f64>,
    dimensions: Dimensions,
    asked: &Asked,
) -> Result<Vec<Course>, CurveError> {
    let Some(first) = course(field, dimensions, dimensions.headland_passes(), asked)? else {
        return Ok(vec![]);
    };
    let mut courses = vec![first];
    if let Some(passes) = better_number(field, dimensions, asked, &courses[0])?
        && let Some(other) = course(field, dimensions, passes, asked)?
    {
        courses.push(other);
        courses.sort_by(|a, b| a.cost().total_cmp(&b.cost()));
    }
    let Course { layout, tried, .. } = &mut courses[0];
    if let Some(best) = tried.first_mut() {
        into_dead_ends(layout, field, best);
    }
    Ok(courses)
}

/// How many headland passes make a shorter tour than `first`, which has as few as will do, in the direction of its swaths.
fn better_number(
    field: &Polygon<f64>,
    dimensions: Dimensions,
    asked: &Asked,
    first: &Course,
) -> Result<Option<u32>, CurveError> {
    let Some(heading) =
        first.tried.first().filter(|best| is_small_and_whole(&first.layout, best)).map(|b| b.way.0)
    else {
        return Ok(None);
    };
    // A rig that steers slowly follows no pass around a corner without slowing down.
    if !asked.nothing() || dimensions.steering.is_some() {
        return Ok(None);
    }
    let (mut least, mut best) = (first.cost(), None);
    let fewest = dimensions.headland_passes();
    for passes in fewest + 1..=fewest + MOST_MORE {
        let along = Asked { entry: asked.entry, heading: Some(heading), ..Asked::default() };
        let Some(next) = course(field, dimensions, passes, &along)? else { break };
        if next.cost() >= least {
            break;
        }
        (least, best) = (next.cost(), Some(passes));
    }
    Ok(best)
}

/// Where parts are out of reach more passes only leave more over.
fn is_small_and_whole(layout: &Layout, best: &Tried) -> bool {
    let swaths = best.strips.len() + PER_EXCLUSION * layout.exclusions();
    swaths <= MOST_SWATHS && best.missed.is_empty() && best.worked.is_some_and(|w| w >= WHOLE)
}

impl Course {
    /// Of its best tour, metres; one that does not get everywhere is none.
    fn cost(&self) -> f64 {
        self.tried.first().filter(|best| best.missed.is_empty()).map_or(f64::MAX, |best| best.cost)
    }
}

fn course(
    field: &Polygon<f64>,
    dimensions: Dimensions,
    passes: u32,
    asked: &Asked,
) -> Result<Option<Course>, CurveError> {
    let mut layout = layout(field, dimensions, passes);
    layout.entry = asked.entry;
    let more = passes > dimensions.headland_passes();
    if layout.lanes.is_empty() || more && layout.mainland.0.is_empty() {
        return Ok(None);
    }
    let (leftovers, undone) = patches(&layout, field);
    layout.undone = undone;
    let mut extra: Vec<Swath> = necks(&layout).into_iter().chain(leftovers).collect();
    extra.extend(layout.stretches.iter().cloned());
    if let Some(wanted) = asked.wanted {
        for headland in &mut layout.lanes {
            headland.work = false;
            extra.extend(wanted.stretches(&headland.lane, dimensions.width));
        }
    }
    let guided = (!asked.curve.is_empty()).then(|| along_curve(&layout, &asked.curve)).transpose()?;
    let guide = guided.as_ref().map(|g| (g.swaths.as_slice(), g.heading));
    let (wanted, heading, rows) = (asked.wanted, asked.heading, asked.rows);
    let needs = Needs { extra: &extra, wanted, heading, guided: guide, rows };
    let tried = tries(&layout, field, &needs);
    Ok(Some(Course { layout, tried, moved_m: guided.map(|g| g.moved_m) }))
}
