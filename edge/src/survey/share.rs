//! Which photograph counts the plants of which ground.

use super::view::View;
use geo::Intersects;
use kompas_field::{Boundary, FieldFrame, Point2};
use kompas_vision::tiles::Tile;

/// The number of the photograph that a place on the ground belongs to: of those that show it and 0.15 m
/// around it, the one whose point under the lens is nearest; where none does, of those that show it at all.
/// The first of equals. `None` where no photograph shows it.
pub(super) fn owner(views: &[View], place: Point2<FieldFrame>) -> Option<usize> {
    let nearest = |shows: fn(&View, Point2<FieldFrame>) -> bool| {
        let candidates = views.iter().enumerate().filter(|(_, view)| shows(view, place));
        let nearer =
            candidates.min_by(|(_, a), (_, b)| a.distance_sq(place).total_cmp(&b.distance_sq(place)));
        nearer.map(|(number, _)| number)
    };
    nearest(View::shows_whole).or_else(|| nearest(View::shows))
}

/// Plants up to twice this wide are seen whole where they belong to a photograph.
const AROUND_M: f64 = 0.3;
/// A tile is judged in so many blocks a side.
const BLOCKS: u32 = 4;

/// The kept part of `tile` and 0.3 m around it, in the picture: its first and its last corner.
fn widened(view: &View, tile: &Tile) -> ([f64; 2], [f64; 2]) {
    let around_px = AROUND_M / view.gsd_m;
    let size = view.camera.size_px().map(f64::from);
    let [left, top, right, bottom] = tile.keep.map(f64::from);
    let from = [left, top].map(|at| (at - around_px).max(0.0));
    (from, [(right + around_px).min(size[0]), (bottom + around_px).min(size[1])])
}

/// Whether the kept part of `tile`, or 0.3 m around it, shows ground inside the boundary. What grows elsewhere, or in an
/// exclusion, is not on the map, and says nothing about the field's crop and weeds.
pub(super) fn shows_field(view: &View, tile: &Tile, boundary: &Boundary) -> bool {
    let (from, to) = widened(view, tile);
    // The ground is flat and the lens has no distortion: what is straight in the picture is straight on the ground.
    let corners = [from, [to[0], from[1]], to, [from[0], to[1]]];
    let ring: Option<Vec<geo::Coord>> =
        corners.map(|pixel| view.place(pixel).map(Into::into)).into_iter().collect();
    // A corner above the horizon: nobody knows what is not shown.
    ring.is_none_or(|ring| geo::Polygon::new(ring.into(), vec![]).intersects(boundary.polygon()))
}

/// Whether a place in the kept part of `tile`, or 0.3 m around it, may belong to photograph `number`. Where not,
/// the tile need not be looked at: in a flight with the usual overlap that is most of every photograph.
pub(super) fn may_own(views: &[View], number: usize, tile: &Tile) -> bool {
    let view = &views[number];
    let (from, to) = widened(view, tile);
    let at =
        |axis: usize, step: u32| from[axis] + (to[axis] - from[axis]) * f64::from(step) / f64::from(BLOCKS);
    let steps = || 0..BLOCKS;
    steps().any(|row| {
        steps().any(|column| {
            let corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
                .map(|(right, down)| view.place([at(0, column + right), at(1, row + down)]));
            !views.iter().enumerate().any(|(other, rival)| {
                other != number
                    && corners
                        .iter()
                        .all(|place| place.is_some_and(|p| goes_before(rival, other, view, number, p)))
            })
        })
    })
}

/// Whether `rival` shows a plant at `place` whole and is nearer than `view`. Holds between places where it holds:
/// a picture's outline on the ground and the places nearer to one of two points are both convex.
fn goes_before(rival: &View, other: usize, view: &View, number: usize, place: Point2<FieldFrame>) -> bool {
    let (theirs, ours) = (rival.distance_sq(place), view.distance_sq(place));
    (theirs < ours || (theirs <= ours && other < number)) && rival.shows_whole(place)
}

#[cfg(test)]
mod tests {
    use super::super::tags::Tags;
    use super::super::view::tests::{plane, tags};
    use super::*;
    use kompas_field::RawBoundary;
    use kompas_field::units::Metres;
    use kompas_vision::tiles::tiles;
    use proptest::prelude::*;

    /// 7.21 m to the sides and 5.41 m to the top and bottom, from 10 m; more from higher up.
    fn view(at: [f64; 2], yaw_deg: f64, height_m: f64) -> View {
        let lens = plane().to_geodetic(Point2::new(at[0], at[1]));
        let tags = Tags { yaw_deg, lat_deg: lens.lat_deg, lon_deg: lens.lon_deg, ..tags() };
        View::new(&tags, Some(Metres::new(height_m)), &plane()).unwrap()
    }

    #[test]
    fn a_place_belongs_to_the_nearest_that_shows_it_whole() {
        let views = [view([0.0, 0.0], 0.0, 10.0), view([2.0, 0.0], 0.0, 10.0)];
        assert_eq!(owner(&views, Point2::new(0.9, 3.0)), Some(0));
        assert_eq!(owner(&views, Point2::new(1.1, 3.0)), Some(1));
        assert_eq!(owner(&views, Point2::new(-7.15, 0.0)), Some(0), "at its edge, and in no other");
        assert_eq!(owner(&views, Point2::new(0.0, 6.0)), None);
        // Turned east the long side lies north; 7.15 m to the north the nearer shows only the edge of a plant.
        let views = [view([0.0, 0.1], 90.0, 10.0), view([0.0, 0.0], 0.0, 30.0)];
        assert_eq!(owner(&views, Point2::new(0.0, 7.0)), Some(0));
        assert_eq!(owner(&views, Point2::new(0.0, 7.2)), Some(1));
    }

    /// Lines 4 m apart, a photograph every 3 m: 72 % of both sides overlap.
    #[test]
    fn most_of_an_ordinary_flight_need_not_be_looked_at() {
        let flight: Vec<View> =
            (0..25).map(|i| view([4.0 * f64::from(i % 5), 3.0 * f64::from(i / 5)], 0.0, 10.0)).collect();
        let parts = tiles(4000, 3000, 1024, 166);
        let looked_at = parts.iter().filter(|tile| may_own(&flight, 12, tile)).count();
        assert!((1..=parts.len() / 2).contains(&looked_at), "{looked_at} of {}", parts.len());
    }

    /// The field is 4 m wide in the picture's 14.4 m, with an exclusion as wide as a tile.
    #[test]
    fn ground_outside_the_boundary_is_not_looked_at() {
        let square = |x: [f64; 2], y: [f64; 2]| {
            [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]), (x[0], y[0])]
                .map(|(x, y)| Point2::new(x, y))
                .to_vec()
        };
        let raw = RawBoundary {
            outer: square([-2.0, 2.0], [-20.0, 20.0]),
            exclusions: vec![square([-1.9, 1.9], [-9.0, -1.0])],
        };
        let boundary = Boundary::new(&raw).unwrap();
        let view = view([0.0, 0.0], 0.0, 10.0);
        let shown: Vec<bool> =
            tiles(4000, 3000, 1000, 0).iter().map(|tile| shows_field(&view, tile, &boundary)).collect();
        // Columns of 3.6 m: the outer two lie 3.6 m and more from the middle.
        let row = [false, true, true, false];
        assert_eq!(shown, [row, row, row].concat());
        let hole = tiles(4000, 3000, 100, 0);
        let seen = |pixel: [u32; 2]| {
            let holds = |tile: &&Tile| {
                tile.keep[0] <= pixel[0]
                    && pixel[0] < tile.keep[2]
                    && tile.keep[1] <= pixel[1]
                    && pixel[1] < tile.keep[3]
            };
            shows_field(&view, hole.iter().find(holds).unwrap(), &boundary)
        };
        assert!(seen([2000, 1000]) && !seen([2000, 2200]), "in the exclusion");
        // 2.2 m east of the middle is 0.2 m outside, and a plant there reaches in.
        assert!(seen([2610, 500]) && !seen([2800, 500]));
    }

    proptest! {
        #[test]
        fn what_belongs_to_a_photograph_is_looked_at(
            poses in prop::collection::vec((-8.0..8.0f64, -8.0..8.0f64, 0.0..360.0f64, 8.0..14.0f64), 1..9),
            across in 0.0..1.0f64, down in 0.0..1.0f64,
        ) {
            let views: Vec<View> = poses.iter().map(|&(x, y, yaw, height)| view([x, y], yaw, height)).collect();
            let pixel = [4000.0 * across, 3000.0 * down];
            let place = views[0].place(pixel).unwrap();
            if owner(&views, place) == Some(0) {
                let kept = |tile: &&Tile| {
                    let [left, top, right, bottom] = tile.keep.map(f64::from);
                    (left..right).contains(&pixel[0]) && (top..bottom).contains(&pixel[1])
                };
                let parts = tiles(4000, 3000, 1024, 166);
                prop_assert!(may_own(&views, 0, parts.iter().find(kept).unwrap()));
            }
        }
    }
}
