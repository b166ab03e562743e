//! Where nozzles stay shut because crop stands there.

use super::{NozzleRules, Target};
use crate::plants::{CropMap, CropPart};
use kompas_field::rig::Boom;
use kompas_field::units::Metres;
use kompas_field::{FieldFrame, Point2, RobotFrame, Transform2};

/// No leaf, a square of the picture, is a larger disc.
const LARGEST_LEAF_M: f64 = 0.05;

/// Crop around one target, as discs of the robot's frame that no fan may touch.
#[derive(Debug)]
pub(super) struct Shelter {
    discs: Vec<(Point2<RobotFrame>, f64)>,
    half_width: f64,
    half_length: f64,
    distance: f64,
}

impl Shelter {
    /// The crop that a fan over `target`, or on the way of at most `bridge` to it, could touch.
    pub(super) fn around(
        target: &Target,
        crop: &CropMap,
        boom: &Boom,
        rules: &NozzleRules,
        bridge: Metres,
        robot_from_field: &Transform2<RobotFrame, FieldFrame>,
    ) -> Self {
        let (half_width, half_length) = (boom.fan_width.get() / 2.0, boom.fan_length.get() / 2.0);
        let reach = target.reach.get() + bridge.get() + boom.fan_width.get() + half_length;
        let margins = rules.crop_distance.max(rules.crop_leaf_margin) + Metres::new(LARGEST_LEAF_M);
        let (mut discs, mut distance) = (Vec::new(), f64::INFINITY);
        for part in crop.around(target.centre, Metres::new(reach) + margins) {
            let (place, radius, edge) = match part {
                CropPart::Stem(place) => (place, rules.crop_distance.get(), 0.0),
                CropPart::Leaf(leaf) => {
                    let radius = leaf.radius().get();
                    (leaf.place, radius + rules.crop_leaf_margin.get(), radius)
                }
            };
            let away = place.distance(target.centre).get();
            distance = distance.min((away - edge).max(0.0));
            if away < reach + radius {
                discs.push((robot_from_field * place, radius));
            }
        }
        Self { discs, half_width, half_length, distance }
    }

    /// Whether there is any crop near.
    pub(super) const fn holds_any(&self) -> bool {
        !self.discs.is_empty()
    }

    /// From the target's middle to the nearest stem or leaf; only where there is any.
    pub(super) const fn distance(&self) -> Metres {
        Metres::new(self.distance)
    }

    /// The part of `from..to` around `at` that a nozzle at `y` may wet; none when `at` itself may not be.
    pub(super) fn clear_around(&self, y: f64, at: f64, (from, to): (f64, f64)) -> Option<(f64, f64)> {
        let mut clear = (from, to);
        for (low, high) in self.shut(y) {
            if low < at && at < high {
                return None;
            }
            if high <= at {
                clear.0 = clear.0.max(high);
            } else {
                clear.1 = clear.1.min(low);
            }
        }
        Some(clear)
    }

    /// Whether a nozzle at `y` may wet all of `from..to`.
    pub(super) fn is_clear(&self, y: f64, (from, to): (f64, f64)) -> bool {
        self.shut(y).all(|(low, high)| high <= from || low >= to)
    }

    /// Where along its way the middle of a fan at `y` would touch a disc.
    fn shut(&self, y: f64) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.discs.iter().filter_map(move |(place, radius)| {
            let beside = ((place.y - y).abs() - self.half_width).max(0.0);
            let half = (beside < *radius).then(|| (radius * radius - beside * beside).sqrt())?;
            Some((place.x - half - self.half_length, place.x + half + self.half_length))
        })
    }
}
