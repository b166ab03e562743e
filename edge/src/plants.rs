//! The plants met so far: which still wait for their decision, and where crop stands.

use kompas_field::decision::PlantNumber;
use kompas_field::units::Metres;
use kompas_field::{
    FieldCrop, FieldFrame, PlantRole, Point2, Pose2, Rig, RobotFrame, RobotInstant, Transform2,
};
use kompas_vision::{Camera, GroundDetection, Plant, Tracker, TrackerRules};
use std::collections::{BTreeMap, BTreeSet};

mod crop;

pub use crop::{CropMap, CropPart};

/// How far from the antenna of `rig` plants of up to `max_radius` matter: wherever they are seen or sprayed, and a metre
/// beyond.
pub fn near(rig: &Rig, max_radius: Metres) -> Metres {
    let view = rig.camera.as_ref().and_then(|camera| Camera::new(camera).footprint(4)).unwrap_or_default();
    let nozzles = rig.boom.nozzles.iter().map(|nozzle| nozzle.place);
    let farthest = view.into_iter().chain(nozzles).map(|p| p.x.hypot(p.y)).fold(0.0, f64::max);
    let reach = rig.boom.fan_width + rig.boom.carry_at(rig.robot.max_speed).max(rig.boom.carry) + max_radius;
    (Metres::new(farthest) + reach + Metres::new(1.0)).max(Metres::new(8.0))
}

/// Side of a square of the index of crop and parts.
const SQUARE_M: f64 = 0.5;

/// Tracked plants with the robot's own bookkeeping.
#[derive(Debug)]
pub struct KnownPlants {
    tracker: Tracker,
    crop: FieldCrop,
    /// Plants farther than this from the robot are not asked about until they are seen again.
    near: Metres,
    decided: BTreeSet<PlantNumber>,
    /// Not decided, and seen from around here.
    open: BTreeSet<PlantNumber>,
    crop_map: CropMap,
    /// Whose leaves are kept: those seen around here.
    with_leaves: BTreeSet<PlantNumber>,
}

impl KnownPlants {
    /// None yet. What lies within `near` of the antenna must be at hand: camera's view and boom with a plant's reach.
    pub fn new(rules: TrackerRules, crop: FieldCrop, near: Metres) -> Self {
        Self {
            tracker: Tracker::new(rules),
            crop,
            near,
            decided: BTreeSet::new(),
            open: BTreeSet::new(),
            crop_map: CropMap::default(),
            with_leaves: BTreeSet::new(),
        }
    }

    /// Takes in what one frame showed.
    pub fn see(&mut self, true_at: RobotInstant, seen: &[GroundDetection]) {
        for number in self.tracker.update(true_at, seen) {
            if !self.decided.contains(&number) {
                self.open.insert(number);
            }
            self.with_leaves.insert(number);
            self.place_crop(number);
        }
    }

    fn get(&self, number: PlantNumber) -> Option<&Plant> {
        usize::try_from(number.0).ok().and_then(|index| self.tracker.plants().get(index))
    }

    fn place_crop(&mut self, number: PlantNumber) {
        let at = usize::try_from(number.0).unwrap_or(usize::MAX);
        let Some(plant) = self.tracker.plants().get(at) else { return };
        if self.crop.role_of(plant.class()) == Some(PlantRole::Crop) {
            self.crop_map.place(plant);
        } else {
            self.crop_map.forget(number);
        }
    }

    /// Where crop stands.
    pub const fn crop_map(&self) -> &CropMap {
        &self.crop_map
    }

    /// Where crop stands, and nothing else.
    #[cfg(test)]
    pub(crate) fn into_crop_map(self) -> CropMap {
        self.crop_map
    }

    /// The plants to decide now, in order of number: those for which `ripe` holds in the robot's frame. Each
    /// comes out once.
    pub fn take_ripe(
        &mut self,
        pose: &Pose2<FieldFrame>,
        ripe: impl Fn(&Plant, Point2<RobotFrame>) -> bool,
    ) -> Vec<Plant> {
        let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(pose).inverse();
        let (mut out, mut far) = (Vec::new(), Vec::new());
        for &number in &self.open {
            let Some(plant) = self.get(number) else { continue };
            let place = &robot_from_field * plant.position;
            if ripe(plant, place) {
                out.push(plant.clone());
            } else if place.x.hypot(place.y) > self.near.get() {
                far.push(number);
            }
        }
        for number in out.iter().map(|plant| plant.number).chain(far) {
            self.open.remove(&number);
        }
        self.decided.extend(out.iter().map(|plant| plant.number));
        self.forget_leaves_far_from(pose.position);
        out
    }

    /// After the position jumped at `here`, places seen around it lie on another line than the robot: nothing of them
    /// counts any more, and what is seen again is another plant. Plants farther away stay known: the robot comes to them
    /// on the right line, or has left them long ago. Returns those that were still to be decided around here.
    pub fn begin_anew(&mut self, here: Point2<FieldFrame>) -> Vec<Plant> {
        let open = std::mem::take(&mut self.open);
        let open = open.iter().filter_map(|&number| self.get(number));
        let rest: Vec<Plant> =
            open.filter(|plant| plant.position.distance(here) <= self.near).cloned().collect();
        self.decided.extend(rest.iter().map(|plant| plant.number));
        for number in std::mem::take(&mut self.with_leaves) {
            self.tracker.forget_leaves(number);
        }
        self.crop_map = CropMap::default();
        self.tracker.forget_places(here, self.near);
        rest
    }

    /// A hectare has millions of leaves; those that matter again are seen again.
    fn forget_leaves_far_from(&mut self, here: Point2<FieldFrame>) {
        let far = |number: &PlantNumber| {
            let plant = self.get(*number)?;
            (plant.position.distance(here) > self.near + plant.extent()).then_some(*number)
        };
        let far: Vec<PlantNumber> = self.with_leaves.iter().filter_map(far).collect();
        for number in far {
            self.with_leaves.remove(&number);
            self.crop_map.forget(number);
            self.tracker.forget_leaves(number);
        }
    }

    /// Every plant never decided, at the end, and how many more were none: what the edge of a picture cut off a
    /// plant that was decided is no plant of its own.
    pub fn take_rest(&mut self) -> (Vec<Plant>, u64) {
        self.open.clear();
        let (decided, rest): (Vec<&Plant>, Vec<&Plant>) =
            self.tracker.plants().iter().partition(|plant| self.decided.contains(&plant.number));
        let mut by_square: BTreeMap<[i64; 2], Vec<&Plant>> = BTreeMap::new();
        for plant in decided {
            by_square.entry(square_of(plant.position)).or_default().push(plant);
        }
        let touches = |part: &Plant, whole: &&Plant| {
            part.position.distance(whole.position) <= part.radius() + whole.radius()
        };
        let is_part = |plant: &Plant| {
            let around = squares_around(plant.position).into_iter();
            let mut near = around.filter_map(|square| by_square.get(&square)).flatten();
            !plant.seen_whole() && near.any(|whole| touches(plant, whole))
        };
        let (parts, rest): (Vec<&Plant>, Vec<&Plant>) = rest.into_iter().partition(|plant| is_part(plant));
        let (parts, rest): (u64, Vec<Plant>) = (parts.len() as u64, rest.into_iter().cloned().collect());
        self.decided.extend(rest.iter().map(|plant| plant.number));
        (rest, parts)
    }
}

fn squares_around(place: Point2<FieldFrame>) -> [[i64; 2]; 9] {
    let [column, row] = square_of(place);
    std::array::from_fn(|i| {
        let step = [0, 1, -1];
        [column + step[i % 3], row + step[i / 3]]
    })
}

#[expect(clippy::cast_possible_truncation, reason = "metres in a field over half a metre fit in i64")]
fn square_of(place: Point2<FieldFrame>) -> [i64; 2] {
    [(place.x / SQUARE_M).floor() as i64, (place.y / SQUARE_M).floor() as i64]
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompas_field::units::Radians;
    use kompas_field::{Confidence, PlantClass, Sighting};

    fn seen(class: PlantClass, x: f64, y: f64) -> GroundDetection {
        let sighting = Sighting {
            position: Point2::new(x, y),
            sigma: Metres::new(0.01),
            class,
            confidence: Confidence::clamped(0.9),
            area_cm2: 4.0,
        };
        GroundDetection { sighting, cut: false, lean: Metres::ZERO, leaves: vec![] }
    }

    #[test]
    fn a_plant_beside_the_boom_waits_for_the_next_swath() {
        let mut plants = KnownPlants::new(TrackerRules::default(), FieldCrop::SugarBeet, Metres::new(8.0));
        plants
            .see(RobotInstant::START, &[seen(PlantClass::Weed, 1.0, 0.2), seen(PlantClass::Weed, 1.0, 1.8)]);
        let here = Pose2::new(Point2::new(0.8, 0.0), Radians::ZERO);
        let within = |_: &Plant, place: Point2<RobotFrame>| place.x < 0.5 && place.y.abs() < 1.0;
        assert_eq!(plants.take_ripe(&here, within).len(), 1);
        assert!(plants.take_ripe(&here, within).is_empty(), "each once");
        let next = Pose2::new(Point2::new(0.8, 2.0), Radians::ZERO);
        assert_eq!(plants.take_ripe(&next, within)[0].number, PlantNumber(1));
        assert_eq!(plants.take_rest(), (vec![], 0));
    }

    #[test]
    fn what_a_picture_cut_off_a_decided_plant_is_no_plant() {
        let mut plants = KnownPlants::new(TrackerRules::default(), FieldCrop::SugarBeet, Metres::new(8.0));
        let part = |x: f64, y: f64| GroundDetection { cut: true, ..seen(PlantClass::Weed, x, y) };
        // Leaves of 4 cm²: discs of 1.1 cm.
        plants.see(RobotInstant::START, &[seen(PlantClass::Weed, 1.0, 0.0)]);
        let here = Pose2::new(Point2::new(0.8, 0.0), Radians::ZERO);
        assert_eq!(plants.take_ripe(&here, |_, _| true).len(), 1);
        let beside = [part(1.0, 0.07), part(1.0, 0.5), seen(PlantClass::Weed, 1.0, -0.09)];
        plants.see(RobotInstant::START, &beside);
        let rest: Vec<u64> = plants.take_rest().0.iter().map(|plant| plant.number.0).collect();
        assert_eq!(rest, [1, 2, 3], "none of them lies on the decided plant");
        // 300 cm²: discs of 9.8 cm; farther apart than gate and radius, nearer than two radii.
        let large = |one: GroundDetection| GroundDetection {
            sighting: Sighting { area_cm2: 300.0, ..one.sighting },
            ..one
        };
        plants.see(RobotInstant::START, &[large(seen(PlantClass::Weed, 5.0, 0.0))]);
        assert_eq!(plants.take_ripe(&here, |_, _| true).len(), 1);
        plants.see(RobotInstant::START, &[large(part(5.17, 0.0))]);
        assert_eq!(plants.tracker.plants().len(), 6, "the tracker takes it for another plant");
        assert_eq!(plants.take_rest(), (vec![], 1));
    }

    #[test]
    fn after_a_jump_nothing_seen_before_counts() {
        let mut plants = KnownPlants::new(TrackerRules::default(), FieldCrop::SugarBeet, Metres::new(8.0));
        let ground = [seen(PlantClass::SugarBeet, 1.0, 0.0), seen(PlantClass::Weed, 1.2, 0.0)];
        plants.see(RobotInstant::START, &[seen(PlantClass::Weed, 30.0, 0.0)]);
        let there = Pose2::new(Point2::new(29.0, 0.0), Radians::ZERO);
        assert_eq!(plants.take_ripe(&there, |_, _| true).len(), 1);
        plants.see(RobotInstant::START, &ground);
        let undecided: Vec<u64> =
            plants.begin_anew(Point2::new(0.8, 0.0)).iter().map(|plant| plant.number.0).collect();
        assert_eq!(undecided, [1, 2]);
        assert_eq!(plants.crop_map().nearest_stem(Point2::new(1.0, 0.0)), None, "no crop at its old place");
        let here = Pose2::new(Point2::new(0.8, 0.0), Radians::ZERO);
        assert!(plants.take_ripe(&here, |_, _| true).is_empty(), "nothing waits at its old place");
        plants.see(RobotInstant::START, &ground);
        let again: Vec<u64> = plants.take_ripe(&here, |_, _| true).iter().map(|p| p.number.0).collect();
        assert_eq!(again, [3, 4], "seen again, it is decided on the new line");
        plants.see(RobotInstant::START, &[seen(PlantClass::Weed, 30.0, 0.0)]);
        assert!(plants.take_ripe(&here, |_, _| true).is_empty(), "far away it is known, and was decided");
        assert!(plants.crop_map().nearest_stem(Point2::new(1.0, 0.0)).is_some());
    }

    #[test]
    fn a_plant_left_behind_before_a_jump_is_decided_on_the_next_swath() {
        let mut plants = KnownPlants::new(TrackerRules::default(), FieldCrop::SugarBeet, Metres::new(8.0));
        plants.see(RobotInstant::START, &[seen(PlantClass::Weed, 1.0, 0.0)]);
        assert!(plants.begin_anew(Point2::new(20.0, 0.0)).is_empty());
        plants.see(RobotInstant::START, &[seen(PlantClass::Weed, 1.0, 0.0)]);
        let here = Pose2::new(Point2::new(0.8, 0.0), Radians::ZERO);
        assert_eq!(plants.take_ripe(&here, |_, _| true).len(), 1);
    }

    #[test]
    fn crop_is_found_where_it_was_last_seen() {
        let mut plants = KnownPlants::new(TrackerRules::default(), FieldCrop::SugarBeet, Metres::new(8.0));
        plants.see(
            RobotInstant::START,
            &[seen(PlantClass::SugarBeet, 0.49, 0.0), seen(PlantClass::Weed, 0.6, 0.0)],
        );
        let distance = plants.crop_map().nearest_stem(Point2::new(0.6, 0.0)).unwrap();
        assert!((distance.get() - 0.11).abs() < 1e-9);
        assert_eq!(plants.crop_map().nearest_stem(Point2::new(3.0, 0.0)), None);
    }
}
