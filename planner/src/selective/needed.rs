//! Which lines of the drive pass over a grid cell to treat.

use kompas_field::units::LitresPerHectare;
use kompas_field::{Grid, Point2, Prescription};

use crate::coverage::swaths::{Swath, stretch};
use crate::geometry::lane::{Lane, Sense};
use crate::geometry::pose::{Pt, distance, lerp};

/// Length of lane that is looked at as one.
const PIECE_M: f64 = 4.0;
/// Shorter gaps between needed pieces are driven over: leaving the lane and coming back costs more.
const SKIP_PIECES: u32 = 6;

/// Cells to treat, for many questions.
pub(crate) struct Wanted {
    grid: Grid,
    cells: Vec<bool>,
}

impl Wanted {
    pub(crate) fn of(prescription: &Prescription) -> Self {
        let grid = prescription.grid();
        let mut cells = vec![false; grid.cols as usize * grid.rows as usize];
        for (cell, rate) in prescription.cells() {
            cells[grid.position(cell)] = rate > LitresPerHectare::ZERO;
        }
        Self { grid, cells }
    }

    /// Whether a cell to treat lies within `half` of the line. Looks every half metre, so it may say yes for a cell
    /// that the band only touches, never no for one it covers.
    pub(crate) fn beside(&self, line: &[Pt], half: f64) -> bool {
        const LOOK_M: f64 = 0.5;
        line.windows(2).any(|pair| {
            let span = distance(pair[0], pair[1]);
            if span < 1e-9 {
                return false;
            }
            let (ux, uy) = ((pair[1].x - pair[0].x) / span, (pair[1].y - pair[0].y) / span);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
            let (steps, across) = ((span / LOOK_M).ceil() as u32, (2.0 * half / LOOK_M).ceil() as u32);
            (0..=steps).any(|k| {
                let t = span * f64::from(k) / f64::from(steps);
                (0..=across).any(|j| {
                    let y = -half + 2.0 * half * f64::from(j) / f64::from(across);
                    self.at(pair[0].x + ux * t - uy * y, pair[0].y + uy * t + ux * y)
                })
            })
        })
    }

    /// Metres along a straight line at which cells to treat lie within `half` of it, every half metre at most.
    pub(crate) fn places(&self, line: &[Pt], half: f64) -> Vec<f64> {
        const PIECE_M: f64 = 0.5;
        let [a, .., b] = line else { return vec![] };
        let span = distance(*a, *b);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
        let count = (span / PIECE_M).ceil() as u32;
        let at = |k: u32| span * f64::from(k) / f64::from(count);
        (0..count)
            .filter(|k| {
                let (from, to) = (at(*k) / span, at(k + 1) / span);
                self.beside(&[lerp(*a, *b, from), lerp(*a, *b, to)], half)
            })
            .map(|k| f64::midpoint(at(k), at(k + 1)))
            .collect()
    }

    /// The stretches of a headland lane that pass over cells to treat, as worked lines of their own.
    pub(crate) fn stretches(&self, lane: &Lane, width: f64) -> Vec<Swath> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
        let count = (lane.length() / PIECE_M).ceil() as u32;
        let run = lane.length() / f64::from(count);
        let needed: Vec<bool> = (0..count)
            .map(|k| self.beside(&lane.stretch(run * f64::from(k), run, Sense::With), width / 2.0))
            .collect();
        let mut spans: Vec<(u32, u32)> = Vec::new();
        for (k, _) in (0..count).zip(&needed).filter(|(_, needed)| **needed) {
            match spans.last_mut() {
                Some(last) if k - last.1 <= SKIP_PIECES => last.1 = k + 1,
                _ => spans.push((k, k + 1)),
            }
        }
        spans
            .into_iter()
            .map(|(from, to)| stretch(lane, run * f64::from(from), run * f64::from(to - from), width))
            .collect()
    }

    fn at(&self, x: f64, y: f64) -> bool {
        self.grid.cell_at(Point2::new(x, y)).is_some_and(|cell| self.cells[self.grid.position(cell)])
    }
}
