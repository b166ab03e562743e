//! How far along the plan's path the robot is, and whether the plan treats there.

use geo::{Coord, Line};
use kompas_field::units::Metres;
use kompas_field::{FieldFrame, Point2};
use kompas_planner::plan::Leg;

/// Where on the path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Where {
    /// From the beginning of the path.
    pub distance: Metres,
    /// From the path, sideways.
    pub off: Metres,
    /// Whether the plan treats here.
    pub implement: bool,
}

/// Paths cross and touch themselves, so the search looks only this far back and ahead of the last place.
const BACK_M: f64 = 1.0;
const AHEAD_M: f64 = 3.0;
/// Farther beside the path than this, the robot is not on it.
const LOST: Metres = Metres::new(1.0);
/// Who has followed a later piece of the path for so long is on it.
const FOLLOWED_M: f64 = 3.0;
/// A robot this near to a later piece of path is on it.
const FOUND: Metres = Metres::new(0.3);

struct Piece {
    line: Line<f64>,
    from_m: f64,
    length_m: f64,
    implement: bool,
}

/// A place on a path that only moves on.
pub struct Progress {
    pieces: Vec<Piece>,
    at_m: f64,
    length_m: f64,
    everywhere: bool,
    /// Driven since the robot was last on the path; infinite before it was there at all.
    lost_m: f64,
    /// A later place on the path that it has come by, and how far it has followed the path from there.
    coming_by: Option<(f64, f64)>,
}

impl Progress {
    /// Of a robot that follows no path: treatment may be anywhere in the field.
    pub const fn free() -> Self {
        Self { pieces: Vec::new(), at_m: 0.0, length_m: 0.0, everywhere: true, lost_m: 0.0, coming_by: None }
    }

    /// On `legs` in driving order, `start` from their beginning.
    pub fn new(legs: &[Leg], start: Metres) -> Self {
        let mut pieces = Vec::new();
        let mut length_m = 0.0;
        for leg in legs {
            for pair in leg.points.windows(2) {
                let piece = pair[0].distance(pair[1]).get();
                if piece > 0.0 {
                    let line = Line::new(Coord::from(pair[0]), Coord::from(pair[1]));
                    pieces.push(Piece { line, from_m: length_m, length_m: piece, implement: leg.implement });
                    length_m += piece;
                }
            }
        }
        let at_m = start.get().clamp(0.0, length_m);
        Self { pieces, at_m, length_m, everywhere: false, lost_m: f64::INFINITY, coming_by: None }
    }

    /// The whole path.
    pub const fn length(&self) -> Metres {
        Metres::new(self.length_m)
    }

    /// How far it is.
    pub const fn at(&self) -> Metres {
        Metres::new(self.at_m)
    }

    /// Moves on to the place on the path nearest to `position`; `driven` is the way since the last call. A robot
    /// that was lost for a while is found again where the path first passes it by, as far along as it can have driven, or
    /// where it has followed the path for some metres: who only crosses a later swath on the way round an obstacle has not
    /// worked those before it. Beside the path it treats nothing.
    pub fn follow(&mut self, position: Point2<FieldFrame>, driven: Metres) -> Where {
        if self.everywhere {
            return Where { distance: self.at(), off: Metres::ZERO, implement: true };
        }
        self.lost_m += driven.get();
        let low = self.at_m - BACK_M;
        let first = self.pieces.partition_point(|piece| piece.from_m + piece.length_m < low);
        let (pieces, at_m) = (&self.pieces[first..], self.at_m);
        let coming = |way_m: f64| {
            let places = pieces.iter().map(|piece| piece.nearest(position));
            places.take_while(move |place| place.distance.get() <= at_m + AHEAD_M + way_m)
        };
        let near = coming(1.5 * driven.get()).min_by(|a, b| a.off.get().total_cmp(&b.off.get()));
        let near = near.filter(|place| place.off <= LOST);
        let again = || coming(1.1 * self.lost_m).find(|place| place.off <= FOUND);
        let by = coming(f64::INFINITY).find(|place| place.off <= FOUND);
        self.coming_by = by.map(|place| Self::followed(self.coming_by, place, driven.get()));
        let by = by.filter(|_| self.coming_by.is_some_and(|(_, followed_m)| followed_m >= FOLLOWED_M));
        let Some(found) = near.or_else(again).or(by) else {
            return Where { distance: self.at(), off: LOST, implement: false };
        };
        self.at_m = self.at_m.max(found.distance.get());
        self.lost_m = 0.0;
        found
    }

    /// How far the robot has followed the path to `place`: it came as far along it as it drove.
    fn followed(before: Option<(f64, f64)>, place: Where, driven_m: f64) -> (f64, f64) {
        let here_m = place.distance.get();
        let way_m = before.map_or(0.0, |(at_m, _)| here_m - at_m);
        let along = (0.7 * driven_m..=1.3 * driven_m + 0.1).contains(&way_m);
        (here_m, before.filter(|_| along).map_or(0.0, |(_, followed_m)| followed_m + way_m))
    }
}

impl Piece {
    fn nearest(&self, position: Point2<FieldFrame>) -> Where {
        let Line { start, end } = self.line;
        let (dx, dy) = ((end.x - start.x) / self.length_m, (end.y - start.y) / self.length_m);
        let along = ((position.x - start.x) * dx + (position.y - start.y) * dy).clamp(0.0, self.length_m);
        let foot = Point2::new(start.x + along * dx, start.y + along * dy);
        Where {
            distance: Metres::new(self.from_m + along),
            off: foot.distance(position),
            implement: self.implement,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompas_planner::plan::{Gear, LegKind};

    fn leg(points: &[[f64; 2]], implement: bool) -> Leg {
        let points = points.iter().map(|&point| point.into()).collect();
        Leg { kind: LegKind::Turn, implement, gear: Gear::Forward, points }
    }

    #[test]
    fn neighbouring_swaths_are_told_apart_by_the_way_driven() {
        let legs = [
            leg(&[[0.0, 0.0], [50.0, 0.0]], true),
            leg(&[[50.0, 0.0], [53.0, 1.5], [50.0, 3.0]], false),
            leg(&[[50.0, 3.0], [0.0, 3.0]], true),
        ];
        let mut progress = Progress::new(&legs, Metres::ZERO);
        for i in 0..=49 {
            // Nearer to the neighbour than to its own swath would be a robot lost; half a metre off is not.
            let place = progress.follow(Point2::new(f64::from(i), 0.5), Metres::new(1.0));
            assert!(place.implement && (place.distance.get() - f64::from(i)).abs() < 1e-9, "{place:?}");
        }
        assert!(!progress.follow(Point2::new(52.9, 1.5), Metres::new(3.0)).implement);
        let back = progress.follow(Point2::new(48.0, 2.9), Metres::new(5.0));
        assert!(back.implement && back.distance > Metres::new(55.0), "{back:?}");
    }

    #[test]
    fn a_robot_lost_for_a_while_is_found_again() {
        let legs = [leg(&[[0.0, 0.0], [50.0, 0.0]], true), leg(&[[50.0, 0.0], [50.0, 30.0]], false)];
        let mut progress = Progress::new(&legs, Metres::ZERO);
        assert!(progress.follow(Point2::new(5.0, 0.0), Metres::new(5.0)).implement);
        assert!(!progress.follow(Point2::new(30.0, 9.0), Metres::new(27.0)).implement, "beside the path");
        let found = progress.follow(Point2::new(40.0, 0.1), Metres::new(14.0));
        assert!(found.implement && (found.distance.get() - 40.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_robot_found_ahead_of_where_it_was_stored_goes_on_there() {
        let legs = [leg(&[[0.0, 0.0], [50.0, 0.0]], true)];
        let mut progress = Progress::new(&legs, Metres::new(10.0));
        let place = progress.follow(Point2::new(20.0, 0.1), Metres::ZERO);
        assert!(place.implement && (place.distance.get() - 20.0).abs() < 1e-9, "{place:?}");
    }

    #[test]
    fn who_follows_a_later_swath_is_on_it() {
        let legs = [
            leg(&[[0.0, 0.0], [50.0, 0.0]], true),
            leg(&[[50.0, 0.0], [50.0, 3.0]], false),
            leg(&[[50.0, 3.0], [0.0, 3.0]], true),
        ];
        let mut progress = Progress::new(&legs, Metres::ZERO);
        progress.follow(Point2::new(20.0, 0.0), Metres::new(20.0));
        assert!(!progress.follow(Point2::new(20.0, 1.5), Metres::new(1.5)).implement);
        let treated: Vec<bool> = (0..8)
            .map(|half_metres| {
                let x = 20.0 - 0.5 * f64::from(half_metres);
                let driven = if half_metres == 0 { 1.5 } else { 0.5 };
                progress.follow(Point2::new(x, 3.1), Metres::new(driven)).implement
            })
            .collect();
        assert_eq!(treated, [false, false, false, false, false, false, true, true], "after three metres");
        assert!((progress.at().get() - 86.5).abs() < 0.01, "{}", progress.at());
    }

    #[test]
    fn a_way_round_an_obstacle_over_a_later_swath_skips_nothing() {
        let legs = [
            leg(&[[0.0, 0.0], [50.0, 0.0]], true),
            leg(&[[50.0, 0.0], [50.0, 3.0]], false),
            leg(&[[50.0, 3.0], [0.0, 3.0]], true),
        ];
        let mut progress = Progress::new(&legs, Metres::ZERO);
        progress.follow(Point2::new(10.0, 0.0), Metres::new(10.0));
        for (x, y) in [(11.0, 1.5), (12.0, 3.0), (14.0, 3.0), (16.0, 1.5)] {
            assert!(!progress.follow(Point2::new(x, y), Metres::new(2.0)).implement, "({x}, {y})");
        }
        let back = progress.follow(Point2::new(17.0, 0.1), Metres::new(2.0));
        assert!(back.implement && (back.distance.get() - 17.0).abs() < 1e-9, "{back:?}");
    }

    #[test]
    fn a_resumed_robot_goes_on_where_it_was() {
        let legs = [leg(&[[0.0, 0.0], [50.0, 0.0]], true), leg(&[[50.0, 0.0], [0.0, 0.0]], true)];
        let mut progress = Progress::new(&legs, Metres::new(80.0));
        let place = progress.follow(Point2::new(19.0, 0.1), Metres::new(1.0));
        assert!((place.distance.get() - 81.0).abs() < 1e-9, "{place:?}");
    }
}
