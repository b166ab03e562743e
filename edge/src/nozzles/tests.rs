use super::*;
use crate::drivers::NozzleCommand;
use crate::plants::{CropMap, KnownPlants};
use crate::testing::{self, at, nozzle_rules};
use kompas_field::rig::BoomToml;
use kompas_field::units::{MetresPerSecond, Radians, RadiansPerSecond};
use kompas_field::{Confidence, FieldCrop, PlantClass, Pose2, Sighting};
use kompas_vision::{GroundDetection, Leaf, TrackerRules};
use proptest::prelude::*;

/// Ten nozzles 10 cm apart, half a metre behind the antenna.
fn boom() -> Boom {
    boom_with([20.0, 10.0], 0.1)
}

fn boom_with([valve_open_ms, valve_close_ms]: [f64; 2], fan_width_m: f64) -> Boom {
    testing::boom(|boom| {
        *boom = BoomToml {
            forward_m: -0.5,
            carry_m: 0.03,
            carry_speed_mps: None,
            fan_width_m,
            valve_open_ms,
            valve_close_ms,
            ..boom.clone()
        };
    })
}

/// East along y = 0, antenna at `x_m`.
fn driving(x_m: f64, speed_mps: f64, turn_rate: f64) -> Motion {
    Motion {
        pose: Pose2::new(Point2::new(x_m, 0.0), Radians::ZERO),
        speed: MetresPerSecond::new(speed_mps),
        turn_rate: RadiansPerSecond::new(turn_rate),
        sigma: Metres::new(0.01),
    }
}

fn target(plant: u64, x: f64, y: f64, reach: f64) -> Target {
    Target { plant: PlantNumber(plant), centre: Point2::new(x, y), reach: Metres::new(reach), area_cm2: 1.0 }
}

/// One leaf of 3.14 cm² (a disc of 1 cm) at each place, with its stem far away.
fn crop(places: &[(f64, f64)]) -> CropMap {
    let mut known =
        KnownPlants::new(TrackerRules { gate: Metres::new(1e-6) }, FieldCrop::SugarBeet, Metres::new(8.0));
    let seen = |&(x, y): &(f64, f64)| {
        let sighting = Sighting {
            position: Point2::new(x, y + 0.3),
            sigma: Metres::new(0.01),
            class: PlantClass::SugarBeet,
            confidence: Confidence::clamped(0.9),
            area_cm2: std::f64::consts::PI,
        };
        let leaves = vec![Leaf { place: Point2::new(x, y), area_cm2: std::f64::consts::PI }];
        GroundDetection { sighting, cut: false, lean: Metres::ZERO, leaves }
    };
    known.see(RobotInstant::START, &places.iter().map(seen).collect::<Vec<_>>());
    known.into_crop_map()
}

/// The first thing due.
fn due(queue: &mut NozzleQueue, now_s: f64, motion: &Motion, crop: &CropMap) -> Option<Due> {
    let mut round = queue.due(at(now_s), motion);
    queue.next_due(&mut round, crop)
}

/// Drives in steps of 50 ms and gives every command as it is committed, and how many targets were missed.
fn drive(queue: &mut NozzleQueue, speed_mps: f64, until_s: f64) -> (Vec<NozzleCommand>, usize) {
    drive_among(queue, speed_mps, until_s, &CropMap::default())
}

fn drive_among(
    queue: &mut NozzleQueue,
    speed_mps: f64,
    until_s: f64,
    crop: &CropMap,
) -> (Vec<NozzleCommand>, usize) {
    let (mut out, mut missed) = (Vec::new(), 0);
    let moments = (0u32..).map(|step| f64::from(step) * 0.05);
    for now_s in moments.take_while(|&now_s| now_s < until_s) {
        let mut round = queue.due(at(now_s), &driving(now_s * speed_mps, speed_mps, 0.0));
        while let Some(due) = queue.next_due(&mut round, crop) {
            match due {
                Due::Open { wanted, .. } => {
                    for wanted in wanted {
                        queue.committed(&wanted);
                        out.push(wanted.command);
                    }
                }
                Due::Late { .. } | Due::Sheltered { .. } | Due::Beside { .. } => missed += 1,
            }
        }
    }
    (out, missed)
}

#[test]
fn the_formula_of_the_design() {
    // Nozzle 4 hangs at y = +0.05, x = −0.5. A disc of 0.05 around (2.0, 0.05): edges at 1.95 and 2.05.
    let mut queue = NozzleQueue::new(boom(), nozzle_rules());
    queue.add(target(0, 2.0, 0.05, 0.05));
    let (commands, late) = drive(&mut queue, 1.0, 4.0);
    assert_eq!(late, 0);
    let four = commands.iter().find(|command| command.nozzle == 4).unwrap();
    assert!((four.open_at.since(at(0.0)).get() - (1.95 + 0.5 - 0.03 - 0.02)).abs() < 1e-6, "{four:?}");
    assert!((four.close_at.since(at(0.0)).get() - (2.05 + 0.5 - 0.03 - 0.01)).abs() < 1e-6, "{four:?}");
    assert_eq!(commands.len(), 1, "the neighbours' fans touch its edge only: {commands:?}");
}

#[test]
fn droplets_bring_the_speed_of_their_nozzle_with_them() {
    // As in the formula above, measured at 0.5 m/s: they land 3 cm ahead there, and 6 or 12 cm at these speeds.
    let boom = testing::boom(|toml| {
        *toml = BoomToml { forward_m: -0.5, carry_m: 0.03, carry_speed_mps: Some(0.5), ..toml.clone() };
    });
    for (speed_mps, carry_m) in [(1.0, 0.06), (2.0, 0.12)] {
        let mut queue = NozzleQueue::new(boom.clone(), nozzle_rules());
        queue.add(target(0, 2.0, 0.05, 0.05));
        let (commands, late) = drive(&mut queue, speed_mps, 4.0);
        assert_eq!(late, 0);
        let four = commands.iter().find(|command| command.nozzle == 4).unwrap();
        let opens_s = (1.95 + 0.5 - carry_m) / speed_mps - 0.02;
        assert!((four.open_at.since(at(0.0)).get() - opens_s).abs() < 1e-6, "{speed_mps}: {four:?}");
        let passed = |x_m| {
            let here = driving(0.0, speed_mps, 0.0);
            queue.passed(&here, Point2::new(x_m, 0.0), Metres::new(0.05))
        };
        assert!(passed(-0.56 + carry_m) && !passed(-0.54 + carry_m), "{speed_mps}");
    }
}

#[test]
fn in_a_bend_the_outer_nozzle_is_faster() {
    let queue = NozzleQueue::new(boom(), nozzle_rules());
    let motion = driving(0.0, 1.0, 0.5);
    let transform = Transform2::<FieldFrame, RobotFrame>::at(&motion.pose).inverse();
    let round = Round::new(at(5.0), motion, transform, 10, Metres::ZERO);
    let windows = queue.windows(&round, Point2::new(0.5, 0.0), Metres::new(0.49));
    let (left, right) = (windows.first().unwrap(), windows.last().unwrap());
    let chord = (0.49f64.powi(2) - 0.4f64.powi(2)).sqrt();
    let way = 1.0 - chord - 0.03;
    assert!((left.lead.get() - (way / (1.0 - 0.5 * 0.45) - 0.02)).abs() < 1e-9);
    assert!((right.lead.get() - (way / (1.0 + 0.5 * 0.45) - 0.02)).abs() < 1e-9);
}

#[test]
fn what_is_late_is_a_miss() {
    let mut queue = NozzleQueue::new(boom(), nozzle_rules());
    queue.add(target(7, -0.42, 0.05, 0.05));
    let late = due(&mut queue, 1.0, &driving(0.0, 1.0, 0.0), &CropMap::default());
    let Some(Due::Late { target, by }) = &late else { panic!("{late:?}") };
    assert_eq!(target.plant, PlantNumber(7));
    assert!((by.get() - (0.02 + 0.03 - 0.03)).abs() < 1e-9, "{by}");
    assert!(queue.is_empty());
}

#[test]
fn a_standing_robot_opens_nothing() {
    let mut queue = NozzleQueue::new(boom(), nozzle_rules());
    queue.add(target(0, -0.4, 0.05, 0.05));
    assert_eq!(due(&mut queue, 1.0, &driving(0.0, 0.0, 0.0), &CropMap::default()), None);
    assert_eq!(queue.len(), 1);
}

#[test]
fn plants_in_a_row_keep_the_valve_open() {
    let mut queue = NozzleQueue::new(boom(), nozzle_rules());
    for i in 0..5 {
        queue.add(target(i, 2.0 + 0.08 * i as f64, 0.05, 0.05));
    }
    let (commands, late) = drive(&mut queue, 1.0, 5.0);
    assert_eq!((commands.len(), late), (5, 0));
    assert!(commands.windows(2).all(|pair| pair[1].open_at == pair[0].close_at), "{commands:?}");
}

/// The fan's front edge, 1 cm ahead of its middle, comes no closer to the leaf (a disc of 1 cm at 2.04) than 5 mm.
#[test]
fn a_nozzle_closes_before_a_leaf_of_the_crop() {
    let mut queue = NozzleQueue::new(boom(), nozzle_rules());
    queue.add(target(0, 2.0, 0.05, 0.05));
    let (commands, missed) = drive_among(&mut queue, 1.0, 4.0, &crop(&[(2.04, 0.05)]));
    assert_eq!((commands.len(), missed), (1, 0), "{commands:?}");
    let closes_over = commands[0].close_at.since(at(0.0)).get() - 0.5 + 0.03 + 0.01;
    assert!((closes_over - (2.04 - 0.01 - 0.005 - 0.01)).abs() < 1e-6, "{closes_over}");
}

#[test]
fn a_weed_under_a_leaf_of_the_crop_is_a_miss_that_says_how_near() {
    let mut queue = NozzleQueue::new(boom(), nozzle_rules());
    queue.add(target(3, -0.3, 0.05, 0.03));
    let found = due(&mut queue, 1.0, &driving(0.0, 1.0, 0.0), &crop(&[(-0.3, 0.07)]));
    let Some(Due::Sheltered { target, distance }) = found else { panic!("{found:?}") };
    assert_eq!(target.plant, PlantNumber(3));
    assert!((distance.get() - 0.01).abs() < 1e-6, "{distance}");
}

#[test]
fn what_no_nozzle_passes_over_is_told_once_the_boom_is_past() {
    let mut queue = NozzleQueue::new(boom(), nozzle_rules());
    queue.add(target(5, 2.0, 0.9, 0.05));
    let (commands, missed) = drive(&mut queue, 1.0, 2.0);
    assert_eq!((commands.len(), missed, queue.len()), (0, 0, 1));
    let found = due(&mut queue, 9.0, &driving(2.9, 1.0, 0.0), &CropMap::default());
    assert!(matches!(found, Some(Due::Beside { .. })), "{found:?}");
    assert!(queue.is_empty());
}

/// A valve that opens in 200 ms and closes in 50 is held open over 18 cm between two spots at 1 m/s.
#[test]
fn a_slow_valve_is_not_held_open_over_crop() {
    let mut queue = NozzleQueue::new(boom_with([200.0, 50.0], 0.06), nozzle_rules());
    queue.add(target(0, 2.0, 0.05, 0.02));
    queue.add(target(1, 2.21, 0.05, 0.02));
    let (commands, _) = drive_among(&mut queue, 1.0, 4.0, &crop(&[(2.09, 0.05)]));
    let lands = |t: RobotInstant, valve_s: f64| t.since(at(0.0)).get() + valve_s - 0.5 + 0.03;
    assert!(!commands.is_empty());
    let held = commands.windows(2).any(|pair| pair[0].close_at == pair[1].open_at);
    assert!(!held, "{commands:?}");
    for command in &commands {
        let (from, to) = (lands(command.open_at, 0.2) - 0.01, lands(command.close_at, 0.05) + 0.01);
        assert!(to < 2.08 || from > 2.1, "{from} to {to}");
    }
}

#[test]
fn a_valve_told_at_a_crawl_overruns_once_the_robot_drives_off() {
    let mut queue = NozzleQueue::new(boom(), nozzle_rules());
    queue.add(target(0, -0.39, 0.05, 0.05));
    let slow = driving(0.0, 0.2, 0.0);
    let Some(Due::Open { wanted, .. }) = due(&mut queue, 1.0, &slow, &CropMap::default()) else {
        panic!("it is due")
    };
    for wanted in &wanted {
        queue.committed(wanted);
    }
    assert!(!queue.overruns(at(1.0), &slow));
    assert!(!queue.overruns(at(1.3), &driving(0.06, 0.2, 0.0)), "as fast as before");
    assert!(!queue.overruns(at(1.3), &driving(0.065, 0.22, 0.0)), "a little faster");
    assert!(queue.overruns(at(1.3), &driving(0.1, 0.6, 0.0)), "drives off");
    queue.shut(at(1.3));
    assert!(!queue.overruns(at(1.35), &driving(0.1, 0.6, 0.0)), "shut");
}

/// Valves that close 90 ms after they should wet 18 cm more at 2 m/s: over the edge of a spot they are not opened at all.
#[test]
fn a_valve_that_closes_too_late_for_a_spot_is_not_told() {
    let mut queue = NozzleQueue::new(boom_with([10.0, 100.0], 0.1), nozzle_rules());
    for (plant, reach) in [(0, 0.03), (1, 0.06), (2, 0.12), (3, 0.19)] {
        queue.add(target(plant, 2.0 + plant as f64, 0.03, reach));
    }
    let (mut told, mut missed) = (0, 0);
    for now_s in (0u32..).map(|step| f64::from(step) * 0.05).take_while(|&now_s| now_s < 4.0) {
        let motion = driving(now_s * 2.0, 2.0, 0.0);
        assert!(!queue.overruns(at(now_s), &motion), "at constant speed nothing overruns");
        let mut round = queue.due(at(now_s), &motion);
        while let Some(due) = queue.next_due(&mut round, &CropMap::default()) {
            let Due::Open { wanted, .. } = due else {
                missed += 1;
                continue;
            };
            for wanted in &wanted {
                queue.committed(wanted);
                told += 1;
            }
        }
    }
    assert!(told >= 4 && missed == 2, "{told} told, {missed} missed");
}

#[test]
fn a_crawling_robot_opens_nothing_and_waits() {
    let mut queue = NozzleQueue::new(boom(), nozzle_rules());
    queue.add(target(0, -0.4, 0.05, 0.05));
    assert_eq!(due(&mut queue, 1.0, &driving(0.0, 0.09, 0.0), &CropMap::default()), None);
    assert_eq!(queue.len(), 1);
    assert!(due(&mut queue, 1.1, &driving(0.0, 0.3, 0.0), &CropMap::default()).is_some());
}

#[test]
fn the_rate_is_flow_over_speed_and_fan() {
    let queue = NozzleQueue::new(boom(), nozzle_rules());
    // 0.5 l/min over 0.1 m at 1 m/s: half a litre on 6 m².
    let rate = queue.rate_at(MetresPerSecond::new(1.0)).get();
    assert!((rate - 0.5 / 6.0 * 1e4).abs() < 1e-9, "{rate}");
    assert!((queue.rate_at(MetresPerSecond::new(2.0)).get() - rate / 2.0).abs() < 1e-9);
}

#[test]
fn who_stands_between_two_booms_or_two_fans_is_under_one() {
    let under = |margin: f64, fan_width_m: f64, y: f64| {
        let rules = NozzleRules { margin: Metres::new(margin), ..nozzle_rules() };
        NozzleQueue::new(boom_with([20.0, 10.0], fan_width_m), rules).stands_under(Point2::new(1.0, y))
    };
    assert!(
        under(0.0, 0.1, 0.45) && under(0.0, 0.1, -0.515),
        "without a margin, and 4 cm between two swaths"
    );
    assert!(under(0.01, 0.04, 0.1), "between two narrow fans");
    assert!(!under(0.01, 0.1, 0.54) && !under(0.01, 0.1, -0.54), "the next swath reaches more of it");
}

#[test]
fn clearing_forgets_what_waited() {
    let mut queue = NozzleQueue::new(boom(), nozzle_rules());
    queue.add(target(3, 9.0, 0.0, 0.05));
    assert_eq!(queue.clear(at(1.0)).len(), 1);
    assert!(queue.is_empty());
}

proptest! {
    /// However plants stand and however fast it drives: every plant that is queued in time is wetted from edge
    /// to edge by a nozzle above it, within 5 mm, and commands of one nozzle never overlap.
    #[test]
    fn every_plant_is_hit(
        places in prop::collection::vec((2.0..8.0f64, -0.45..0.45f64, 0.02..0.12f64), 1..40), speed in 0.3..2.0f64,
    ) {
        let mut queue = NozzleQueue::new(boom(), nozzle_rules());
        for (i, &(x, y, reach)) in places.iter().enumerate() {
            queue.add(target(i as u64, x, y, reach));
        }
        let (commands, late) = drive(&mut queue, speed, 10.0 / speed + 1.0);
        prop_assert_eq!(late, 0);
        for nozzle in 0..10u16 {
            let mut own: Vec<_> = commands.iter().filter(|c| c.nozzle == nozzle).collect();
            own.sort();
            prop_assert!(own.windows(2).all(|pair| pair[0].close_at <= pair[1].open_at), "{:?}", own);
        }
        let lands = |t: RobotInstant, valve_s: f64| (t.since(at(0.0)).get() + valve_s) * speed - 0.5 + 0.03;
        for &(x, y, reach) in &places {
            let nozzle = (0..10u16).min_by(|a, b| {
                let off = |n: &u16| (0.45 - 0.1 * f64::from(*n) - y).abs();
                off(a).total_cmp(&off(b))
            }).unwrap();
            let mut wet: Vec<(f64, f64)> = commands.iter().filter(|c| c.nozzle == nozzle)
                .map(|c| (lands(c.open_at, 0.02), lands(c.close_at, 0.01))).collect();
            wet.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut from = x - reach + 0.005;
            for (a, b) in wet {
                // A valve that goes on without a gap has no delays at the seam.
                if a <= from + 0.011 * speed { from = from.max(b + 0.011 * speed); }
            }
            prop_assert!(from >= x + reach - 0.005, "{x} {y} {reach}: dry from {from}");
        }
    }

    /// However weeds and crop stand: where a fan wets the ground there is no leaf of the crop, within 2 mm.
    #[test]
    fn no_leaf_of_the_crop_is_wetted(
        weeds in prop::collection::vec((2.0..5.0f64, -0.45..0.45f64, 0.02..0.06f64), 1..40),
        leaves in prop::collection::vec((2.0..5.0f64, -0.45..0.45f64), 1..30), speed in 0.3..2.0f64,
    ) {
        let mut queue = NozzleQueue::new(boom(), nozzle_rules());
        for (i, &(x, y, reach)) in weeds.iter().enumerate() {
            queue.add(target(i as u64, x, y, reach));
        }
        let (commands, _) = drive_among(&mut queue, speed, 8.0 / speed + 1.0, &crop(&leaves));
        let lands = |t: RobotInstant, valve_s: f64| (t.since(at(0.0)).get() + valve_s) * speed - 0.5 + 0.03;
        let apart = |(x, y): (f64, f64), from: f64, to: f64, lane: f64| {
            ((from - x).max(x - to).max(0.0)).hypot(((lane - y).abs() - 0.05).max(0.0))
        };
        for command in &commands {
            let lane = 0.45 - 0.1 * f64::from(command.nozzle);
            let (from, to) = (lands(command.open_at, 0.02) - 0.01, lands(command.close_at, 0.01) + 0.01);
            for &leaf in &leaves {
                prop_assert!(apart(leaf, from.min(to), to, lane) >= 0.01 - 0.002, "{leaf:?} {command:?}");
            }
        }
    }
}
