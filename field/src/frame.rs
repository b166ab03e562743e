//! Frames as types. Points of different frames do not mix; a transform is named target-from-source.
//!
//! What the types do not protect: two fields each have a [`FieldFrame`], and a pose does not carry its
//! time. The field id and [`crate::time::Stamped`] beside a value say those.

use crate::units::{Metres, Radians};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::Mul;

pub mod heading;

/// East-north-up plane at the field's datum: x east, y north, in metres; heading from east, counter-clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldFrame {}

/// On the ground under the antenna: x forward, y left, in metres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RobotFrame {}

/// A point in frame `F`, in metres.
#[derive(Serialize, Deserialize)]
#[serde(bound = "", from = "[f64; 2]", into = "[f64; 2]")]
pub struct Point2<F> {
    /// East in [`FieldFrame`], forward in [`RobotFrame`]; metres.
    pub x: f64,
    /// North in [`FieldFrame`], left in [`RobotFrame`]; metres.
    pub y: f64,
    frame: PhantomData<fn() -> F>,
}

impl<F> Point2<F> {
    /// A point at `x`, `y` metres.
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y, frame: PhantomData }
    }

    /// Straight distance to `other`.
    ///
    /// # Panics
    /// If a coordinate is not finite.
    pub fn distance(self, other: Self) -> Metres {
        Metres::new((self.x - other.x).hypot(self.y - other.y))
    }

    /// Whether both coordinates are finite.
    pub const fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite()
    }

    /// The point `forward` ahead and `left` to the left of `self`, looking along `heading`.
    #[must_use]
    pub fn moved(self, heading: Radians, forward: Metres, left: Metres) -> Self {
        let (sin, cos) = heading.get().sin_cos();
        Self::new(
            self.x + forward.get() * cos - left.get() * sin,
            self.y + forward.get() * sin + left.get() * cos,
        )
    }

    /// The pair `[x, y]`.
    pub const fn to_array(self) -> [f64; 2] {
        [self.x, self.y]
    }
}

// By hand: a derive would ask the frame, which has no values, to be Clone, Debug and so on.
impl<F> Clone for Point2<F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F> Copy for Point2<F> {}
impl<F> PartialEq for Point2<F> {
    fn eq(&self, other: &Self) -> bool {
        self.x == other.x && self.y == other.y
    }
}
impl<F> Debug for Point2<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}, {})", self.x, self.y)
    }
}
impl<F> From<[f64; 2]> for Point2<F> {
    fn from([x, y]: [f64; 2]) -> Self {
        Self::new(x, y)
    }
}
impl<F> From<Point2<F>> for [f64; 2] {
    fn from(point: Point2<F>) -> Self {
        point.to_array()
    }
}
impl<F> From<Point2<F>> for geo::Coord<f64> {
    fn from(point: Point2<F>) -> Self {
        Self { x: point.x, y: point.y }
    }
}
impl<F> From<geo::Coord<f64>> for Point2<F> {
    fn from(coord: geo::Coord<f64>) -> Self {
        Self::new(coord.x, coord.y)
    }
}

/// Position and heading in frame `F`. Heading: radians from the frame's x axis, counter-clockwise.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Pose2<F> {
    /// Where the origin of the moving frame stands.
    pub position: Point2<F>,
    /// Where its x axis points.
    #[serde(rename = "heading_rad")]
    pub heading: Radians,
}

impl<F> Pose2<F> {
    /// At `position`, looking along `heading`.
    pub const fn new(position: Point2<F>, heading: Radians) -> Self {
        Self { position, heading }
    }
}
impl<F> Clone for Pose2<F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F> Copy for Pose2<F> {}
impl<F> PartialEq for Pose2<F> {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position && self.heading == other.heading
    }
}
impl<F> Debug for Pose2<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {}", self.position, self.heading)
    }
}

/// Turns points of `Source` into points of `Target`: a rotation, then a shift.
///
/// ```
/// use kompas_field::frame::{FieldFrame, Point2, Pose2, RobotFrame, Transform2};
/// use kompas_field::units::Radians;
/// let pose = Pose2::<FieldFrame>::new(Point2::new(10.0, 20.0), Radians::new(std::f64::consts::FRAC_PI_2));
/// let field_from_robot = Transform2::<FieldFrame, RobotFrame>::at(&pose);
/// let ahead = field_from_robot * Point2::<RobotFrame>::new(2.0, 0.0);
/// assert!((ahead.x - 10.0).abs() < 1e-12 && (ahead.y - 22.0).abs() < 1e-12);
/// ```
pub struct Transform2<Target, Source> {
    cos: f64,
    sin: f64,
    x: f64,
    y: f64,
    frames: PhantomData<fn(Source) -> Target>,
}

impl<Target, Source> Transform2<Target, Source> {
    /// The transform of a `Source` that stands at `pose` in `Target`.
    pub fn at(pose: &Pose2<Target>) -> Self {
        let (sin, cos) = pose.heading.get().sin_cos();
        Self { cos, sin, x: pose.position.x, y: pose.position.y, frames: PhantomData }
    }

    /// The way back.
    pub fn inverse(&self) -> Transform2<Source, Target> {
        let Self { cos, sin, x, y, .. } = *self;
        Transform2 { cos, sin: -sin, x: -(cos * x + sin * y), y: sin * x - cos * y, frames: PhantomData }
    }
}

impl<Target, Source> Mul<Point2<Source>> for &Transform2<Target, Source> {
    type Output = Point2<Target>;
    fn mul(self, point: Point2<Source>) -> Point2<Target> {
        Point2::new(
            self.cos * point.x - self.sin * point.y + self.x,
            self.sin * point.x + self.cos * point.y + self.y,
        )
    }
}

impl<Target, Source> Mul<Point2<Source>> for Transform2<Target, Source> {
    type Output = Point2<Target>;
    fn mul(self, point: Point2<Source>) -> Point2<Target> {
        &self * point
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn there_and_back_is_where_it_began(
            x in -1e4..1e4, y in -1e4..1e4, heading in -10.0..10.0, px in -1e4..1e4, py in -1e4..1e4,
        ) {
            let pose = Pose2::<FieldFrame>::new(Point2::new(x, y), Radians::new(heading));
            let field_from_robot = Transform2::<FieldFrame, RobotFrame>::at(&pose);
            let point = Point2::<RobotFrame>::new(px, py);
            let back = field_from_robot.inverse() * (field_from_robot * point);
            prop_assert!(back.distance(point).get() < 1e-8);
        }

        #[test]
        fn points_survive_json(x in any::<f64>(), y in any::<f64>()) {
            prop_assume!(x.is_finite() && y.is_finite());
            let point = Point2::<FieldFrame>::new(x, y);
            let text = serde_json::to_string(&point).unwrap();
            prop_assert_eq!(serde_json::from_str::<Point2<FieldFrame>>(&text).unwrap(), point);
        }
    }
}
