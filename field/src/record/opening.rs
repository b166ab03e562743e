//! Where the liquid of one nozzle opening went.

use super::NozzleOpening;
use crate::{CellIndex, FieldFrame, Point2};
use std::collections::BTreeMap;

impl NozzleOpening {
    /// In whole microlitres: sums do not depend on the order in which records arrive.
    #[expect(clippy::cast_possible_truncation, reason = "one opening's volume")]
    pub fn volume_ul(&self) -> i64 {
        (self.volume_ml * 1e3).round() as i64
    }

    /// The grid cells under the way of the nozzle, each with its share by length in whole microlitres; together exactly
    /// [`Self::volume_ul`]. Where the grid stands follows from the grid cell under the middle: the record of the field may
    /// come later. Off the grid: nothing.
    pub fn shares_ul(&self) -> BTreeMap<CellIndex, i64> {
        let Some(middle_cell) = self.cell else { return BTreeMap::new() };
        let (from, to, volume_ul) = (self.from, self.to, self.volume_ul());
        let along =
            |share: f64| Point2::new(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share);
        let middle = Point2::<FieldFrame>::new(f64::midpoint(from.x, to.x), f64::midpoint(from.y, to.y));
        let (west, south) =
            (middle.x.floor() - f64::from(middle_cell.col), middle.y.floor() - f64::from(middle_cell.row));
        let cell_at = |point: Point2<FieldFrame>| {
            let (east, north) = (point.x.floor() - west, point.y.floor() - south);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "within 200 km of zero"
            )]
            let cell = CellIndex { col: east as u32, row: north as u32 };
            // Beyond the west and south edge there is no number for a grid cell: that part stays with the middle.
            if east < 0.0 || north < 0.0 { middle_cell } else { cell }
        };
        let mut shares = BTreeMap::new();
        let mut booked_ul = 0;
        for piece in cuts(from, to).windows(2) {
            #[expect(clippy::cast_possible_truncation, reason = "at most the volume, a whole number")]
            let until_ul = (volume_ul as f64 * piece[1]).round() as i64;
            if until_ul > booked_ul {
                *shares.entry(cell_at(along(f64::midpoint(piece[0], piece[1])))).or_default() +=
                    until_ul - booked_ul;
                booked_ul = until_ul;
            }
        }
        if shares.is_empty() {
            shares.insert(middle_cell, volume_ul);
        }
        shares
    }
}

/// Where the way from `from` (0) to `to` (1) crosses from one grid cell into the next: lines on whole metres.
fn cuts(from: Point2<FieldFrame>, to: Point2<FieldFrame>) -> Vec<f64> {
    let mut cuts = vec![0.0, 1.0];
    for (start, end) in [(from.x, to.x), (from.y, to.y)] {
        let mut line = start.min(end).floor() + 1.0;
        while line < start.max(end) {
            cuts.push((line - start) / (end - start));
            line += 1.0;
        }
    }
    cuts.sort_by(f64::total_cmp);
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RobotInstant;

    fn shared(from: (f64, f64), to: (f64, f64), cell: (u32, u32), volume_ul: i64) -> Vec<(u32, u32, i64)> {
        let at = RobotInstant::START;
        let opening = NozzleOpening {
            nozzle: 0,
            opened_at: at,
            closed_at: at,
            from: Point2::new(from.0, from.1),
            to: Point2::new(to.0, to.1),
            cell: Some(CellIndex { col: cell.0, row: cell.1 }),
            volume_ml: volume_ul as f64 / 1e3,
            area_m2: 0.0,
        };
        opening.shares_ul().into_iter().map(|(cell, ul)| (cell.col, cell.row, ul)).collect()
    }

    #[test]
    fn spray_is_booked_where_it_fell() {
        // Along a row, as far as an edge; the grid begins at 7 east, 3 south of the datum.
        let long = shared((10.5, -2.5), (14.0, -2.5), (5, 0), 35_000);
        assert_eq!(long, [(3, 0, 5_000), (4, 0, 10_000), (5, 0, 10_000), (6, 0, 10_000)]);
        assert_eq!(shared((14.0, -2.5), (10.5, -2.5), (5, 0), 35_000), long, "driven the other way");
        assert_eq!(shared((0.5, 0.5), (2.5, 2.5), (1, 1), 400), [(0, 0, 100), (1, 1, 200), (2, 2, 100)]);
        assert_eq!(shared((4.2, 4.2), (4.2, 4.2), (4, 4), 7), [(4, 4, 7)], "standing still");
        assert_eq!(shared((4.2, 4.2), (6.2, 4.2), (5, 4), 0), [(5, 4, 0)], "nothing came");
        let beyond = shared((-1.0, 0.5), (2.0, 0.5), (0, 0), 300);
        assert_eq!(beyond, [(0, 0, 200), (1, 0, 100)], "what lies west of the grid stays with the middle");
        for volume_ul in [1, 2, 3, 1_001] {
            let all = shared((0.3, 0.1), (7.9, 5.3), (4, 2), volume_ul);
            assert_eq!(all.iter().map(|one| one.2).sum::<i64>(), volume_ul);
        }
    }
}
