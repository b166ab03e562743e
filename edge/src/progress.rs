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
/// Progress is stored every few seconds: after a restart the robot may stand so much farther along.
const STORED_M: f64 = 12.0;
/// Who has followed a later piece of the path for so long is on it.
const FOLLOWED: Metres = Metres::new(3.0);
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
    /// Driven since the robot was last on the path.
    lost_m: f64,
    /// A later piece of the path that it follows, perhaps.
    coming_by: Option<ComingBy>,
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
        Self { pieces, at_m, length_m, everywhere: false, lost_m: STORED_M, coming_by: None }
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
        let before = self.coming_by.take();
        // All that is left of the path is looked through only by who is not found near.
        let found = near.or_else(again).or_else(|| {
            let place = coming(f64::INFINITY).find(|place| place.off <= FOUND)?;
            let by = self.coming_by.insert(ComingBy::at(before, place.distance, driven));
            (by.here - by.from >= FOLLOWED).then_some(place)
        });
        let Some(found) = found else {
            return Where { distance: self.at(), off: LOST, implement: false };
        };
        (self.at_m, self.lost_m, self.coming_by) = (self.at_m.max(found.distance.get()), 0.0, None);
        found
    }
}

/// A robot that comes along a later piece of the path.
#[derive(Debug, Clone, Copy)]
struct ComingBy {
    /// Where on the path it came upon it.
    from: Metres,
    /// Where on the path it is.
    here: Metres,
    /// Driven since.
    driven: Metres,
}

impl ComingBy {
    /// Goes on where the robot came as far along the path as it drove, and begins `here` where it did not. Between two
    /// fixes the place is ahead of the odometry by up to half a metre.
    fn at(before: Option<Self>, here: Metres, driven: Metres) -> Self {
        let goes_on = before.map(|by| Self { here, driven: by.driven + driven, ..by });
        let along = |by: &Self| (by.here - by.from - by.driven).abs() <= Metres::new(0.5) + by.driven * 0.1;
        goes_on.filter(along).unwrap_or(Self { from: here, here, driven: Metres::ZERO })
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
        let mut far = Progress::new(&[leg(&[[0.0, 0.0], [90.0, 0.0]], true)], Metres::ZERO);
        assert!(
            !far.follow(Point2::new(60.0, 0.1), Metres::ZERO).implement,
            "who crosses it did not work it"
        );
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
        // The way driven is told with each fix, a tenth of a second apart; the loop looks twice as often.
        let look = |step: i32, progress: &mut Progress| {
            let driven = if step % 2 == 0 { 0.1 } else { 0.0 };
            progress.follow(Point2::new(20.0 - 0.05 * f64::from(step), 3.1), Metres::new(driven)).implement
        };
        let first = (0..100).find(|&step| look(step, &mut progress));
        let metres = 0.05 * f64::from(first.expect("it is found"));
        assert!((2.9..=4.0).contains(&metres), "after {metres} m");
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
