//! Which lines of the drive pass over a grid cell to treat.

use kompas_field::units::LitresPerHectare;
use kompas_field::{Grid, Point2, Prescription};

use crate::geometry::pose::{Pt, distance};

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

    fn at(&self, x: f64, y: f64) -> bool {
        self.grid.cell_at(Point2::new(x, y)).is_some_and(|cell| self.cells[self.grid.position(cell)])
    }
}
