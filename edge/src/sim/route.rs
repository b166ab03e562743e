//! The path that the simulated robot follows: polylines with the implement on or off.

use kompas_field::frame::heading::wrap;
use kompas_field::units::{Metres, Radians};
use kompas_field::{FieldFrame, Point2, Pose2};

/// Closer points are one point.
const SAME_POINT_M: f64 = 1e-6;
/// A corner is taken within this distance: a robot cannot turn its nose in no time.
const CORNER_M: f64 = 0.25;

/// One leg of a route.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteLeg {
    /// In driving order.
    pub points: Vec<Point2<FieldFrame>>,
    /// Whether the implement is on.
    pub treating: bool,
    /// Whether the robot drives it backwards, nose against the direction of travel.
    pub reverse: bool,
}

/// Why legs are no route.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RouteError {
    /// A coordinate is NaN or infinite.
    #[error("leg {leg}, point {point} is not finite")]
    NotFinite {
        /// Counted from 0.
        leg: usize,
        /// Counted from 0.
        point: usize,
    },
    /// Nothing to drive.
    #[error("the route has no length: it needs a leg with two different points")]
    Empty,
    /// Nothing to treat.
    #[error("no leg of the route has the implement on")]
    NothingToTreat,
}

/// A path with arc length. A gap between legs is driven straight with the implement off.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// At least two, each apart from the one before.
    points: Vec<Point2<FieldFrame>>,
    /// Distance from the beginning, same length as `points`.
    distance_m: Vec<f64>,
    /// Per segment, one less than `points`.
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Segment {
    /// Of travel.
    direction: f64,
    treating: bool,
    reverse: bool,
}

impl Segment {
    fn nose(self) -> f64 {
        if self.reverse { self.direction + std::f64::consts::PI } else { self.direction }
    }
}

impl Route {
    /// Joins legs in driving order.
    ///
    /// # Errors
    /// [`RouteError`].
    pub fn new(legs: &[RouteLeg]) -> Result<Self, RouteError> {
        let mut route = Self { points: Vec::new(), distance_m: Vec::new(), segments: Vec::new() };
        for (number, leg) in legs.iter().enumerate() {
            for (i, &point) in leg.points.iter().enumerate() {
                if !point.is_finite() {
                    return Err(RouteError::NotFinite { leg: number, point: i });
                }
                route.push(point, i > 0 && leg.treating, i > 0 && leg.reverse);
            }
        }
        if route.segments.is_empty() {
            return Err(RouteError::Empty);
        }
        if !route.segments.iter().any(|segment| segment.treating) {
            return Err(RouteError::NothingToTreat);
        }
        Ok(route)
    }

    fn push(&mut self, point: Point2<FieldFrame>, treating: bool, reverse: bool) {
        if let Some(&last) = self.points.last() {
            let step = last.distance(point).get();
            if step < SAME_POINT_M {
                return;
            }
            let direction = (point.y - last.y).atan2(point.x - last.x);
            self.segments.push(Segment { direction, treating, reverse });
            self.distance_m.push(self.distance_m.last().copied().unwrap_or(0.0) + step);
        } else {
            self.distance_m.push(0.0);
        }
        self.points.push(point);
    }

    /// From beginning to end.
    pub fn length(&self) -> Metres {
        Metres::new(self.distance_m.last().copied().unwrap_or(0.0))
    }

    fn segment_at(&self, distance_m: f64) -> usize {
        self.distance_m.partition_point(|&d| d <= distance_m).saturating_sub(1).min(self.segments.len() - 1)
    }

    /// Whether the implement is on at `distance` from the beginning.
    pub fn treats_at(&self, distance: Metres) -> bool {
        self.segments[self.segment_at(distance.get())].treating
    }

    /// Whether the robot drives backwards there.
    pub fn reverses_at(&self, distance: Metres) -> bool {
        self.segments[self.segment_at(distance.get())].reverse
    }

    /// Stretches with the implement on, as distances from the beginning; those that touch are one.
    pub fn treated_spans(&self) -> Vec<(Metres, Metres)> {
        let mut spans: Vec<(f64, f64)> = Vec::new();
        for (i, segment) in self.segments.iter().enumerate() {
            let (from, until) = (self.distance_m[i], self.distance_m[i + 1]);
            match spans.last_mut() {
                _ if !segment.treating => {}
                Some(last) if from - last.1 < SAME_POINT_M => last.1 = until,
                _ => spans.push((from, until)),
            }
        }
        spans.into_iter().map(|(from, until)| (Metres::new(from), Metres::new(until))).collect()
    }

    /// Where a robot that followed the path exactly would stand at `distance` from the beginning, nose
    /// forward; corners of the polyline are turned within half a metre.
    pub fn pose_at(&self, distance: Metres) -> Pose2<FieldFrame> {
        let at = distance.get().clamp(0.0, self.length().get());
        let i = self.segment_at(at);
        let (from, until) = (self.distance_m[i], self.distance_m[i + 1]);
        let share = (at - from) / (until - from);
        let (a, b) = (self.points[i], self.points[i + 1]);
        let position = Point2::new(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share);
        let nose = self.segments[i].nose();
        let blend = CORNER_M.min((until - from) / 2.0);
        let turn = if i > 0 && at - from < blend {
            let other = self.segments[i - 1];
            corner(other.nose(), nose) * -0.5 * (1.0 - (at - from) / blend)
        } else if i + 1 < self.segments.len() && until - at < blend {
            corner(nose, self.segments[i + 1].nose()) * 0.5 * (1.0 - (until - at) / blend)
        } else {
            0.0
        };
        Pose2::new(position, wrap(Radians::new(nose + turn)))
    }

    /// The direction of most treated metres, either way: in (−90°, 90°] from east. Rows run along it.
    pub fn swath_heading(&self) -> Radians {
        // Doubling the angle makes there and back the same direction.
        let (mut x, mut y) = (0.0, 0.0);
        for (i, segment) in self.segments.iter().enumerate().filter(|(_, segment)| segment.treating) {
            let length = self.distance_m[i + 1] - self.distance_m[i];
            let (sin, cos) = (2.0 * segment.direction).sin_cos();
            x += length * cos;
            y += length * sin;
        }
        Radians::new(y.atan2(x) / 2.0)
    }

    /// The first point with the implement on: rows lie symmetrically about the swath that begins there.
    pub fn first_treated(&self) -> Point2<FieldFrame> {
        let i = self.segments.iter().position(|segment| segment.treating).unwrap_or(0);
        self.points[i]
    }
}

/// The turn from one heading to the next; a change of gear is no turn.
fn corner(from: f64, to: f64) -> f64 {
    wrap(Radians::new(to - from)).get()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(points: &[[f64; 2]], treating: bool) -> RouteLeg {
        RouteLeg { points: points.iter().map(|&p| p.into()).collect(), treating, reverse: false }
    }

    #[test]
    fn legs_join_and_gaps_are_driven_with_the_implement_off() {
        let route = Route::new(&[
            leg(&[[0.0, 0.0], [0.0, 10.0]], true),
            leg(&[[0.0, 10.0], [3.0, 10.0]], false),
            leg(&[[3.0, 9.0], [3.0, 0.0]], true),
        ])
        .unwrap();
        assert!((route.length().get() - 23.0).abs() < 1e-9);
        let spans: Vec<(f64, f64)> = route.treated_spans().iter().map(|(a, b)| (a.get(), b.get())).collect();
        assert_eq!(spans, [(0.0, 10.0), (14.0, 23.0)]);
        let pose = route.pose_at(Metres::new(5.0));
        assert!((pose.position.y - 5.0).abs() < 1e-9);
        assert!((pose.heading.get() - std::f64::consts::FRAC_PI_2).abs() < 1e-9);
        assert!((route.swath_heading().get().abs() - std::f64::consts::FRAC_PI_2).abs() < 1e-9);
    }

    #[test]
    fn headings_change_without_steps() {
        let route = Route::new(&[leg(&[[0.0, 0.0], [5.0, 0.0], [6.0, 0.5], [6.5, 2.0]], true)]).unwrap();
        let heading = |i: i32| route.pose_at(Metres::new(f64::from(i) * 0.01)).heading.get();
        assert!(route.length().get() > 7.0);
        assert!((0..700).all(|i| (heading(i + 1) - heading(i)).abs() < 0.05));
    }

    #[test]
    fn what_cannot_be_driven_is_refused() {
        assert_eq!(Route::new(&[]), Err(RouteError::Empty));
        assert_eq!(Route::new(&[leg(&[[1.0, 1.0], [1.0, 1.0]], true)]), Err(RouteError::Empty));
        assert_eq!(Route::new(&[leg(&[[1.0, 1.0], [2.0, 1.0]], false)]), Err(RouteError::NothingToTreat));
        let nan = Route::new(&[leg(&[[1.0, f64::NAN], [2.0, 1.0]], true)]);
        assert_eq!(nan, Err(RouteError::NotFinite { leg: 0, point: 0 }));
    }
}
