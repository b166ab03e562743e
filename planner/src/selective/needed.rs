//! Which lines of the drive pass over a grid cell to treat.

use kompas_field::units::LitresPerHectare;
use kompas_field::{CellIndex, Grid, Point2, Prescription};
use std::borrow::Cow;
use std::f64::consts::FRAC_PI_2;

use crate::coverage::swaths::{Swath, stretch};
use crate::geometry::lane::{Lane, Sense};
use crate::geometry::pose::{Pose, Pt, direction, distance, lerp};

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

    /// Middles of the cells to treat that the boom, reaching `half` to either side, passes over on none of the worked lines:
    /// neither along a chord nor in the wedge from one chord to the next.
    pub(crate) fn left_out(&self, worked: &[Cow<[Pt]>], half: f64) -> Vec<Pt> {
        let mut open = self.cells.clone();
        for line in worked {
            let mut before: Option<Pose> = None;
            for pair in line.windows(2) {
                let here = Pose::new(pair[0], direction(pair[0], pair[1]));
                self.close_band(&mut open, here, distance(pair[0], pair[1]), half);
                if let Some(before) = before {
                    self.close(&mut open, here.at, half, |p| {
                        ahead(before, p) >= 0.0 && ahead(here, p) <= 0.0 && distance(here.at, p) <= half
                    });
                }
                before = Some(Pose::new(pair[1], here.heading));
            }
        }
        let cells =
            (0..self.grid.rows).flat_map(|row| (0..self.grid.cols).map(move |col| CellIndex { col, row }));
        cells
            .filter(|cell| open[self.grid.position(*cell)])
            .map(|cell| self.grid.centre(cell).into())
            .collect()
    }

    /// Strikes out the cells beside `run` metres straight ahead of `from`.
    fn close_band(&self, open: &mut [bool], from: Pose, run: f64, half: f64) {
        /// Lines are looked at in pieces, so that the boxes around them hold few cells that are not beside.
        const PIECE_M: f64 = 10.0;
        /// Rounding of a path to micrometres.
        const TOUCH_M: f64 = 1e-3;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
        let pieces = (run / PIECE_M).ceil() as u32;
        let long = run / f64::from(pieces.max(1)) / 2.0 + TOUCH_M;
        for k in 0..pieces {
            let middle = from.ahead((f64::from(k) + 0.5) * run / f64::from(pieces));
            let across = |p: Pt| ahead(Pose::new(middle.at, middle.heading + FRAC_PI_2), p);
            self.close(open, middle.at, long.hypot(half), |p| {
                ahead(middle, p).abs() <= long && across(p).abs() <= half + TOUCH_M
            });
        }
    }

    /// Strikes out the cells within about `reach` of `at` whose middles are `worked`.
    fn close(&self, open: &mut [bool], at: Pt, reach: f64, worked: impl Fn(Pt) -> bool) {
        let (low, high) = (self.clamped(at, -reach), self.clamped(at, reach));
        for cell in
            (low.row..=high.row).flat_map(|row| (low.col..=high.col).map(move |col| CellIndex { col, row }))
        {
            let position = self.grid.position(cell);
            open[position] = open[position] && !worked(self.grid.centre(cell).into());
        }
    }

    /// The cell that `off` metres east and north of `p` lies in, or the nearest one of the grid.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the grid")]
    fn clamped(&self, p: Pt, off: f64) -> CellIndex {
        let at = |m: f64, origin: f64, count: u32| {
            (m + off - origin).floor().clamp(0.0, f64::from(count.max(1) - 1)) as u32
        };
        let corner: Pt = self.grid.corners(CellIndex { col: 0, row: 0 })[0].into();
        CellIndex { col: at(p.x, corner.x, self.grid.cols), row: at(p.y, corner.y, self.grid.rows) }
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

/// Metres that `p` lies ahead of a pose.
fn ahead(pose: Pose, p: Pt) -> f64 {
    let (sin, cos) = pose.heading.sin_cos();
    (p.x - pose.at.x) * cos + (p.y - pose.at.y) * sin
}
