use super::*;
use kompas_field::Sighting;
use proptest::prelude::*;

fn seen(x: f64, y: f64, class: PlantClass, confidence: f64) -> GroundDetection {
    let sighting = Sighting {
        position: Point2::new(x, y),
        sigma: Metres::new(0.01),
        class,
        confidence: Confidence::clamped(confidence),
        area_cm2: 20.0,
    };
    GroundDetection { sighting, cut: false, lean: Metres::ZERO, leaves: vec![] }
}

fn part(x: f64, y: f64, area_cm2: f64) -> GroundDetection {
    let whole = seen(x, y, PlantClass::SugarBeet, 0.8);
    GroundDetection { sighting: Sighting { area_cm2, ..whole.sighting }, cut: true, ..whole }
}

fn at(frame: u64) -> RobotInstant {
    RobotInstant::from_nanos(frame * 33_000_000)
}

#[test]
fn one_plant_in_many_frames_is_one_plant() {
    let mut tracker = Tracker::new(TrackerRules::default());
    for (frame, wobble) in (0..10).zip([0.0, 0.01, -0.01, 0.005, -0.005].into_iter().cycle()) {
        let numbers = tracker.update(
            at(frame),
            &[seen(1.0 + wobble, 2.0, PlantClass::Weed, 0.9), seen(1.1, 2.0, PlantClass::Potato, 0.9)],
        );
        assert_eq!(numbers, [PlantNumber(0), PlantNumber(1)]);
    }
    let plant = &tracker.plants()[0];
    assert_eq!((tracker.plants().len(), plant.frames_seen, plant.class()), (2, 10, PlantClass::Weed));
    assert!(plant.position.distance(Point2::new(1.0, 2.0)).get() < 1e-9);
    assert!((plant.confidence().get() - 0.9).abs() < 1e-9);
    assert_eq!((plant.first_seen, plant.last_seen), (at(0), at(9)));
}

#[test]
fn the_class_is_the_one_seen_most_surely_and_doubt_lowers_the_confidence() {
    let mut tracker = Tracker::new(TrackerRules::default());
    let frames = [(PlantClass::Weed, 0.6), (PlantClass::SugarBeet, 0.9), (PlantClass::SugarBeet, 0.9)];
    for (frame, (class, confidence)) in (0..).zip(frames) {
        tracker.update(at(frame), &[seen(0.0, 0.0, class, confidence)]);
    }
    assert_eq!(tracker.plants()[0].class(), PlantClass::SugarBeet);
    assert!((tracker.plants()[0].confidence().get() - 0.6).abs() < 1e-9);
}

#[test]
fn a_plant_that_enters_the_picture_is_not_two() {
    let mut tracker = Tracker::new(TrackerRules::default());
    // A beet of 12 cm comes in from the top: the middle of what is seen moves as more of it is seen.
    tracker.update(at(0), &[part(5.05, 0.0, 15.0)]);
    tracker.update(at(1), &[part(5.03, 0.0, 50.0)]);
    let mut whole = seen(5.0, 0.0, PlantClass::SugarBeet, 0.9);
    whole.sighting.area_cm2 = 110.0;
    tracker.update(at(2), &[whole]);
    assert_eq!(tracker.plants().len(), 1);
    let plant = &tracker.plants()[0];
    assert_eq!((plant.position.to_array()[0].to_bits(), plant.seen_whole()), (5.0_f64.to_bits(), true));
    // Leaving at the bottom, a part neither moves nor shrinks it, nor makes another.
    tracker.update(at(3), &[part(5.05, 0.0, 15.0)]);
    assert_eq!(tracker.plants().len(), 1);
    let plant = &tracker.plants()[0];
    assert!(
        (plant.area_cm2 - 110.0).abs() < 1e-9 && plant.position.distance(Point2::new(5.0, 0.0)).get() < 1e-9
    );
}

#[test]
fn a_part_beside_a_whole_plant_goes_to_the_nearest() {
    let mut tracker = Tracker::new(TrackerRules::default());
    tracker.update(at(0), &[seen(0.0, 0.0, PlantClass::Weed, 0.9), seen(0.06, 0.0, PlantClass::Weed, 0.9)]);
    assert_eq!(tracker.update(at(1), &[part(0.05, 0.0, 5.0)]), [PlantNumber(1)]);
}

#[test]
fn two_plants_in_one_frame_stay_two_however_close() {
    let mut tracker = Tracker::new(TrackerRules::default());
    let pair = [seen(0.0, 0.0, PlantClass::Weed, 0.9), seen(0.02, 0.0, PlantClass::Weed, 0.9)];
    for frame in 0..3 {
        assert_eq!(tracker.update(at(frame), &pair), [PlantNumber(0), PlantNumber(1)]);
    }
}

#[test]
fn one_canopy_seen_from_two_sides_is_one_plant() {
    let side = |x| GroundDetection { lean: Metres::new(0.04), ..seen(x, 0.0, PlantClass::Weed, 0.9) };
    let mut tracker = Tracker::new(TrackerRules::default());
    tracker.update(at(0), &[side(0.0)]);
    assert_eq!(tracker.update(at(1), &[side(0.1)]), [PlantNumber(0)], "4 cm and twice the lean");
    // From right above it stands where it stands: now 4 cm and one lean are all that is left.
    tracker.update(at(2), &[seen(0.05, 0.0, PlantClass::Weed, 0.9)]);
    assert_eq!(tracker.update(at(3), &[side(0.15)]), [PlantNumber(1)]);
}

proptest! {
    /// Plants on a 10 cm raster, seen with up to 1.5 cm of error in any order: as many as there are.
    #[test]
    fn plants_farther_apart_than_the_gate_are_neither_merged_nor_doubled(
        places in prop::collection::btree_set((0_i32..12, -6_i32..6), 1..40),
        frames in prop::collection::vec(prop::collection::vec((-0.01..0.01, -0.01..0.01), 40), 1..6),
        rotate in 0_usize..40,
    ) {
        let mut tracker = Tracker::new(TrackerRules::default());
        let places: Vec<(i32, i32)> = places.into_iter().collect();
        for (frame, errors) in (0..).zip(&frames) {
            let mut detections: Vec<GroundDetection> = places.iter().zip(errors)
                .map(|(&(x, y), (dx, dy))| {
                    seen(f64::from(x) * 0.1 + dx, f64::from(y) * 0.1 + dy, PlantClass::Weed, 0.9)
                })
                .collect();
            let turn = rotate % detections.len();
            detections.rotate_left(turn);
            tracker.update(at(frame), &detections);
        }
        prop_assert_eq!(tracker.plants().len(), places.len());
        prop_assert!(tracker.plants().iter().all(|plant| plant.frames_seen as usize == frames.len()));
    }
}

/// Seen upright the leaf lies 3 cm from the stem, leaning 6 cm, and a part shows none of it.
#[test]
fn leaves_are_those_of_the_sighting_that_leans_least_around_the_stem_as_known() {
    let with_leaf = |x: f64, lean_m: f64, away: f64| {
        let leaves = vec![Leaf { place: Point2::new(x + away, 2.0), area_cm2: 5.0 }];
        GroundDetection { lean: Metres::new(lean_m), leaves, ..seen(x, 2.0, PlantClass::Weed, 0.9) }
    };
    let mut tracker = Tracker::new(TrackerRules::default());
    tracker.update(at(0), &[GroundDetection { cut: true, ..with_leaf(0.99, 0.0, 0.01) }]);
    tracker.update(at(1), &[with_leaf(0.99, 0.02, 0.06)]);
    tracker.update(at(2), &[with_leaf(1.01, 0.01, 0.03)]);
    tracker.update(at(3), &[with_leaf(1.0, 0.03, 0.09)]);
    let plant = &tracker.plants()[0];
    let leaves: Vec<Leaf> = plant.leaves().collect();
    assert_eq!(leaves.len(), 1);
    assert!(leaves[0].place.distance(Point2::new(plant.position.x + 0.03, 2.0)).get() < 1e-9, "{leaves:?}");
    assert!((plant.extent().get() - 0.03).abs() < 1e-9);
}

/// Driven past on the next swath, a plant may only be seen cut: what is seen of it still is where it is.
#[test]
fn leaves_forgotten_are_learnt_again_from_a_part_and_better_from_the_whole() {
    let with_leaf = |x: f64, leaf_x: f64, cut: bool| {
        let leaves = vec![Leaf { place: Point2::new(leaf_x, 2.0), area_cm2: 5.0 }];
        GroundDetection { cut, leaves, ..seen(x, 2.0, PlantClass::Weed, 0.9) }
    };
    let mut tracker = Tracker::new(TrackerRules::default());
    let leaf = |tracker: &Tracker| tracker.plants()[0].leaves().map(|leaf| leaf.place.x).collect::<Vec<_>>();
    tracker.update(at(0), &[with_leaf(1.0, 1.03, false)]);
    tracker.forget_leaves(PlantNumber(0));
    assert_eq!(leaf(&tracker), Vec::<f64>::new());
    tracker.update(at(1), &[with_leaf(1.02, 1.05, true)]);
    assert_eq!(leaf(&tracker), [1.05]);
    // More of it comes into view, then less.
    let mut more = with_leaf(1.01, 1.05, true);
    more.leaves.push(Leaf { place: Point2::new(0.99, 2.0), area_cm2: 5.0 });
    tracker.update(at(2), &[more]);
    assert_eq!(leaf(&tracker), [1.05, 0.99]);
    assert!((tracker.plants()[0].extent().get() - 0.05).abs() < 1e-9, "from the stem as it is known");
    tracker.update(at(3), &[with_leaf(1.02, 1.05, true)]);
    assert_eq!(leaf(&tracker).len(), 2);
    tracker.update(at(4), &[with_leaf(1.0, 0.96, false)]);
    assert_eq!(leaf(&tracker), [0.96]);
}
