use super::*;
use crate::drivers::BoomFault;
use crate::testing::{self, boom, guard_rules, nozzle_rules};
use kompas_field::units::{Metres, MetresPerSecond};
use kompas_field::{Boundary, Confidence, PlantClass, Point2, RawBoundary, Sighting};
use kompas_vision::{GroundDetection, Leaf, Tracker, TrackerRules};
use std::cell::RefCell;
use std::rc::Rc;

/// What a boom was asked for, and whether it answers.
#[derive(Debug, Default)]
struct Wire {
    cut: bool,
    commands: usize,
    shut: usize,
}

/// A boom at the end of a wire that can be cut.
struct Wired(Rc<RefCell<Wire>>);

impl NozzleDriver for Wired {
    fn schedule(&mut self, permits: &[Permit]) -> Result<(), BoomFault> {
        let mut wire = self.0.borrow_mut();
        if wire.cut {
            return Err(BoomFault::NoAnswer("cut".to_owned()));
        }
        wire.commands += permits.len();
        Ok(())
    }

    fn close_all(&mut self, _now: RobotInstant) {
        self.0.borrow_mut().shut += 1;
    }

    fn openings_until(&mut self, _until: RobotInstant) -> Vec<ValveMove> {
        Vec::new()
    }
}

struct NeverStopped;

impl EmergencyStop for NeverStopped {
    fn is_latched(&self) -> bool {
        false
    }
}

/// In the middle of a field of 100 m by 100 m, everything well.
fn sprayer() -> (Sprayer, Rc<RefCell<Wire>>) {
    let corners = [[-50.0, -50.0], [50.0, -50.0], [50.0, 50.0], [-50.0, 50.0], [-50.0, -50.0]];
    let outer = corners.map(Point2::from).to_vec();
    let boundary = Boundary::new(&RawBoundary { outer, exclusions: vec![] }).unwrap();
    let wire = Rc::new(RefCell::new(Wire::default()));
    let queue = NozzleQueue::new(boom(|_| ()), nozzle_rules());
    let guard = Guard::new(guard_rules(), boundary, &[]);
    let boom = Box::new(Wired(Rc::clone(&wire)));
    (Sprayer::new(queue, guard, boom, Box::new(NeverStopped)), wire)
}

/// East along y = 0 at 1 m/s, at the origin after a second.
fn well(now_s: f64) -> Inputs {
    testing::well(now_s, Point2::new(now_s - 1.0, 0.0))
}

/// Weeds, each with one leaf at its stem and one 6 cm to the left.
fn weeds(places: &[(f64, f64)]) -> Vec<Plant> {
    let seen = places.iter().map(|&(x, y)| {
        let leaf = |y: f64| Leaf { place: Point2::new(x, y), area_cm2: 2.0 };
        let sighting = Sighting {
            position: Point2::new(x, y),
            sigma: Metres::new(0.01),
            class: PlantClass::Weed,
            confidence: Confidence::clamped(0.9),
            area_cm2: 4.0,
        };
        GroundDetection { sighting, cut: false, lean: Metres::ZERO, leaves: vec![leaf(y), leaf(y + 0.06)] }
    });
    let mut tracker = Tracker::new(TrackerRules::default());
    tracker.update(RobotInstant::START, &seen.collect::<Vec<_>>());
    tracker.plants().to_vec()
}

#[test]
fn a_boom_that_breaks_off_is_told_and_nothing_counts_as_sprayed() {
    let (mut sprayer, wire) = sprayer();
    for plant in weeds(&[(0.1, 0.0), (0.12, 0.3), (2.0, 0.0)]) {
        sprayer.add(&plant, |_| true);
    }
    let crop = CropMap::default();
    assert_eq!(sprayer.serve(well(0.5), &crop).change, Some(None), "nothing is near, everything is well");
    wire.borrow_mut().cut = true;
    let shut_before = wire.borrow().shut;
    let served = sprayer.serve(well(1.0), &crop);
    let because = ClosedBecause::BoomUnavailable;
    assert_eq!(served.change, Some(Some(because)), "told at once, not when it answers again");
    let rule = || Outcome::Missed { rule: Rule::Closed { because } };
    let wanted: Vec<_> = (0..3).map(|number| (PlantNumber(number), rule())).collect();
    assert_eq!(served.outcomes, wanted, "those due, and those that waited");
    assert!(wire.borrow().shut > shut_before);
    wire.borrow_mut().cut = false;
    let served = sprayer.serve(well(1.05), &crop);
    assert_eq!((served.change, wire.borrow().commands), (Some(None), 0), "it answers again");
}

#[test]
fn a_robot_that_stops_over_a_spot_sprays_it_no_longer() {
    let (mut sprayer, wire) = sprayer();
    sprayer.serve(well(0.5), &CropMap::default());
    sprayer.add(&weeds(&[(0.1, 0.0)])[0], |_| true);
    sprayer.serve(well(1.0), &CropMap::default());
    let (commands, shut) = (wire.borrow().commands, wire.borrow().shut);
    let standing = |now_s: f64| {
        let inputs = well(now_s);
        let stands = |motion: Motion| Motion { speed: MetresPerSecond::new(0.02), ..motion };
        Inputs { motion: inputs.motion.map(stands), ..inputs }
    };
    let served = sprayer.serve(standing(1.05), &CropMap::default());
    assert!(commands > 0 && wire.borrow().shut > shut);
    let rule = Rule::Closed { because: ClosedBecause::TooSlow };
    assert_eq!(served.outcomes, [(PlantNumber(0), Outcome::Missed { rule })]);
    let shut = wire.borrow().shut;
    sprayer.serve(standing(1.1), &CropMap::default());
    assert_eq!(wire.borrow().shut, shut, "once");
}

#[test]
fn a_leaf_over_ground_without_a_rate_is_left() {
    let (mut sprayer, wire) = sprayer();
    sprayer.serve(well(0.5), &CropMap::default());
    let plants = weeds(&[(0.1, 0.0)]);
    sprayer.add(&plants[0], |leaf| leaf.y > 0.03);
    sprayer.serve(well(1.0), &CropMap::default());
    let nozzles = wire.borrow().commands;
    let outcomes = sprayer.serve(well(1.5), &CropMap::default()).outcomes;
    assert!(nozzles > 0 && matches!(outcomes[..], [(_, Outcome::Treated { .. })]), "{outcomes:?}");
    sprayer.add(&plants[0], |_| false);
    let outcomes = sprayer.serve(well(1.55), &CropMap::default()).outcomes;
    assert_eq!(outcomes, [(PlantNumber(0), Outcome::Missed { rule: Rule::CellNotPrescribed })]);
}

/// Of the stem's own leaf 2 cm² are wetted, and twice as much stands farther out than the rules spray.
#[test]
fn leaves_too_far_from_the_stem_are_missed_and_not_forgotten() {
    let (mut sprayer, wire) = sprayer();
    sprayer.serve(well(0.5), &CropMap::default());
    let leaf = |x: f64| Leaf { place: Point2::new(x, 0.0), area_cm2: 2.0 };
    let sighting = Sighting {
        position: Point2::new(0.1, 0.0),
        sigma: Metres::new(0.01),
        class: PlantClass::Potato,
        confidence: Confidence::clamped(0.9),
        area_cm2: 6.0,
    };
    let leaves = vec![leaf(0.1), leaf(0.35), leaf(0.4)];
    let mut tracker = Tracker::new(TrackerRules::default());
    tracker
        .update(RobotInstant::START, &[GroundDetection { sighting, cut: false, lean: Metres::ZERO, leaves }]);
    sprayer.add(&tracker.plants()[0], |_| true);
    sprayer.serve(well(1.0), &CropMap::default());
    assert!(wire.borrow().commands > 0);
    let outcomes = sprayer.serve(well(1.5), &CropMap::default()).outcomes;
    assert_eq!(outcomes, [(PlantNumber(0), Outcome::Missed { rule: Rule::OutOfReach })]);
}

#[test]
fn valves_are_shut_however_the_loop_ends() {
    let (sprayer, wire) = sprayer();
    drop(sprayer);
    assert_eq!(wire.borrow().shut, 1);
}
