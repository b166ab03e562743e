//! Ugly parcels: drawn by proptest, or from any bytes.

use super::{field, rig};
use kompas_field::units::LitresPerHectare;
use kompas_field::{CellTally, Field, Point2, Severity, WeedMap};
use kompas_planner::{PlanError, Policy, check, plan};
use std::f64::consts::TAU;

/// A star-shaped ring with spikes and notches.
pub(crate) fn ring(middle: (f64, f64), radius: f64, shape: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let n = shape.len() as f64;
    shape
        .iter()
        .enumerate()
        .map(|(i, (stretch, shift))| {
            let angle = TAU * (i as f64 + 0.8 * shift) / n;
            (middle.0 + radius * stretch * angle.cos(), middle.1 + radius * stretch * angle.sin())
        })
        .collect()
}

/// Bytes one after the other; zeros when they are used up.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or_default()
    }

    /// 0 to 1.
    fn share(&mut self) -> f64 {
        f64::from(self.byte()) / 255.0
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    fn below(&mut self, count: u8) -> u8 {
        self.byte() % count
    }

    fn shape(&mut self, fewest: u8, more: u8, least: f64) -> Vec<(f64, f64)> {
        (0..fewest + self.below(more)).map(|_| (self.between(least, 1.0), self.share())).collect()
    }

    /// What people's files do to a ring: points twice, spikes of no width, corners on a straight side, points a hair
    /// apart, a ring that comes back to one of its points.
    fn spoil(&mut self, ring: &mut Vec<(f64, f64)>) {
        for _ in 0..self.below(8).saturating_sub(4) {
            let at = usize::from(self.byte()) % ring.len();
            let (a, b) = (ring[at], ring[(at + 1) % ring.len()]);
            let middle = (f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1));
            let off = self.between(-30.0, 30.0);
            let spoilt = match self.below(9) {
                0 | 6 => vec![a],
                1 => vec![(a.0 + off, a.1 + off / 2.0), a],
                2 | 7 => vec![middle],
                3 | 8 => vec![(a.0 + off * 1e-9, a.1)],
                4 => vec![ring[usize::from(self.byte()) % ring.len()]],
                _ => vec![middle, (middle.0 + off, middle.1), (middle.0, middle.1 + 1e-3)],
            };
            let next = at + 1;
            ring.splice(next..next, spoilt);
        }
    }

    /// In the middle, over the edge, or with a corner or a side of the outer ring.
    fn hole(&mut self, outer: &[(f64, f64)], radius: f64) -> Vec<(f64, f64)> {
        let (angle, mut out) = (self.between(0.0, TAU), self.between(0.0, 0.5));
        if self.below(8) == 0 {
            out = self.between(0.5, 1.1);
        }
        let size = self.between(0.3, 9.0);
        let mut hole =
            ring((radius * out * angle.cos(), radius * out * angle.sin()), size, &self.shape(3, 5, 0.4));
        let at = usize::from(self.byte()) % outer.len();
        match self.below(16) {
            0 => hole[0] = outer[at],
            1 => {
                hole[0] = outer[at];
                hole[1] = outer[(at + 1) % outer.len()];
            }
            _ => {}
        }
        hole.reverse();
        self.spoil(&mut hole);
        hole
    }
}

/// What became of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The boundary is refused.
    Invalid,
    /// There is a plan, and the checker finds nothing in it.
    Planned,
    /// Refused by name.
    Refused,
    /// The planner's own checker kept its plan from the robot.
    Fault,
}

/// Draws a parcel, a rig and a job from any bytes and plans it.
///
/// # Panics
/// When a plan breaks a promise, or is longer than any sense.
pub(crate) fn planned_or_refused(bytes: &[u8]) -> Outcome {
    let mut bytes = Bytes(bytes.iter());
    let name = ["robot-3m", "robot-3m-reverse", "robot-3m-articulated", "boom-27m"]
        [usize::from(bytes.below(16) / 5)];
    let rig = rig(name);
    let radius = bytes.between(6.0, if name == "boom-27m" { 90.0 } else { 55.0 });
    let mut outer = ring((0.0, 0.0), radius, &bytes.shape(3, 12, 0.15));
    let holes: Vec<_> = (0..bytes.below(3)).map(|_| bytes.hole(&outer, radius)).collect();
    bytes.spoil(&mut outer);
    let Ok(field) = field(&outer, &holes) else { return Outcome::Invalid };
    let mut policy =
        Policy { rate_l_per_ha: LitresPerHectare::new(bytes.between(0.0, 400.0)), ..Policy::reference() };
    match bytes.below(6) {
        0 => policy.swath_heading_deg = Some(bytes.between(-400.0, 400.0)),
        1 => policy.ab_line = Some([bytes.point(radius), bytes.point(radius)]),
        2 => policy.curve = (0..2 + bytes.below(5)).map(|_| bytes.point(radius)).collect(),
        _ => {}
    }
    policy.entry = (bytes.below(4) == 0).then(|| bytes.point(2.0 * radius));
    let map = (bytes.below(3) == 0).then(|| weeds(&field, &mut bytes));
    policy.selective = map.is_some() && bytes.below(2) == 0;
    match plan(&field, map.as_ref(), &rig, &policy) {
        Ok(made) => {
            let errors: Vec<_> =
                check(&made, &field, &rig).into_iter().filter(|f| f.severity == Severity::Error).collect();
            assert!(errors.is_empty(), "{errors:?}");
            // Everything three times over, a turn per metre of edge, and a way from end to end.
            let (low, high) = field.boundary.extent();
            let box_m = (high.x - low.x) + (high.y - low.y);
            let most = 3.0 * field.boundary.area().get() / rig.boom.width.get() + 60.0 * box_m + 500.0;
            assert!(made.summary.path_m < most, "{} m for a box of {box_m} m", made.summary.path_m);
            Outcome::Planned
        }
        Err(PlanError::Refused(_)) => Outcome::Fault,
        Err(error) => {
            assert!(error.to_string().len() > 20, "a refusal without words: {error}");
            Outcome::Refused
        }
    }
}

impl Bytes<'_> {
    fn point(&mut self, radius: f64) -> Point2<kompas_field::FieldFrame> {
        Point2::new(self.between(-radius, radius), self.between(-radius, radius))
    }
}

fn weeds(field: &Field, bytes: &mut Bytes) -> WeedMap {
    let mut map = WeedMap::of(field);
    let every = 1 + usize::from(bytes.byte());
    let first = usize::from(bytes.byte());
    for cell in field.grid().cells().skip(first).step_by(every) {
        let mut tally = CellTally::default();
        tally.plants[1] = 1;
        map.add_tally(cell, &tally).expect("a cell of the grid");
    }
    map
}
