//! A picture of any size in tiles that overlap, so that no pixel is judged from the edge of a tile.

/// A part of a picture, and the part of that part whose result counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Left, top, right and bottom (one past) of what counts, in the picture. The kept parts of all tiles
    /// cover the picture once.
    pub keep: [u32; 4],
}

/// The tiles of a `width` × `height` picture, row by row: none longer than `side`, neighbours overlapping by
/// `overlap` or more. Each pixel counts in the tile where it lies farther from the seam.
pub fn tiles(width: u32, height: u32, side: u32, overlap: u32) -> Vec<Tile> {
    let (columns, rows) = (cuts(width, side, overlap), cuts(height, side, overlap));
    let across = |row: &Cut| {
        let Cut { start: top, length: height, keep: [from, to] } = *row;
        columns.iter().map(move |column| Tile {
            left: column.start,
            top,
            width: column.length,
            height,
            keep: [column.keep[0], from, column.keep[1], to],
        })
    };
    rows.iter().flat_map(across).collect()
}

struct Cut {
    start: u32,
    length: u32,
    keep: [u32; 2],
}

/// One axis.
fn cuts(length: u32, side: u32, overlap: u32) -> Vec<Cut> {
    if length <= side {
        return vec![Cut { start: 0, length, keep: [0, length] }];
    }
    // At least a pixel of progress, whatever is asked.
    let fresh = side.saturating_sub(overlap).max(1);
    let count = (length - side).div_ceil(fresh) + 1;
    let start = |i: u32| {
        let at = u64::from(length - side) * u64::from(i) / u64::from(count - 1);
        u32::try_from(at).unwrap_or(length - side)
    };
    let seam = |i: u32| u32::midpoint(start(i), start(i - 1) + side);
    (0..count)
        .map(|i| {
            let from = if i == 0 { 0 } else { seam(i) };
            let to = if i + 1 == count { length } else { seam(i + 1) };
            Cut { start: start(i), length: side, keep: [from, to] }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_picture_that_fits_is_one_tile() {
        let whole = Tile { left: 0, top: 0, width: 1280, height: 960, keep: [0, 0, 1280, 960] };
        assert_eq!(tiles(1280, 960, 1280, 96), [whole]);
    }

    proptest! {
        #[test]
        fn kept_parts_cover_the_picture_once_and_stay_off_the_seams(
            width in 1_u32..3000, height in 1_u32..3000, side in 200_u32..1000, overlap in 0_u32..199,
        ) {
            let tiles = tiles(width, height, side, overlap);
            let kept: u64 = tiles.iter()
                .map(|t| u64::from(t.keep[2] - t.keep[0]) * u64::from(t.keep[3] - t.keep[1])).sum();
            prop_assert_eq!(kept, u64::from(width) * u64::from(height));
            let half = overlap / 2;
            for t in &tiles {
                let [left, top, right, bottom] = t.keep;
                prop_assert!(t.width <= side && t.height <= side);
                prop_assert!(t.left + t.width <= width && t.top + t.height <= height);
                prop_assert!(left == 0 || left >= t.left + half);
                prop_assert!(top == 0 || top >= t.top + half);
                prop_assert!(right == width || right + half <= t.left + t.width);
                prop_assert!(bottom == height || bottom + half <= t.top + t.height);
            }
            // No overlap of kept parts: with the area right, it is enough that each row's parts abut.
            for pair in tiles.windows(2).filter(|pair| pair[0].top == pair[1].top) {
                prop_assert_eq!(pair[0].keep[2], pair[1].keep[0]);
            }
        }
    }
}
