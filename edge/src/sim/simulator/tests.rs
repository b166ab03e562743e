use super::super::testing::{self, WALL, config};
use super::super::truth::is_treated;
use super::super::{PathSpan, SimToml};
use super::*;
use crate::drivers::{
    EmergencyStop as _, FixSource as _, FrameSource as _, NozzleCommand, NozzleDriver as _,
};
use crate::guard::Permit;
use kompas_field::units::Seconds;
use kompas_field::{Digest, PlantClass, RobotFrame, Transform2};

fn simulator(settings: &SimToml, start_m: f64) -> Simulator {
    let (field, route, _) = testing::small_field();
    let start = Metres::new(start_m);
    Simulator::start_at(&field, &route, &testing::rig(160), &config(settings), WALL, start).unwrap()
}

/// Drives to the end as the robot loop does; `command` says what to schedule at each moment.
fn drive(simulator: &Simulator, mut command: impl FnMut(RobotInstant) -> Vec<NozzleCommand>) -> Vec<String> {
    let (mut camera, mut boom, clock) = (simulator.camera().unwrap(), simulator.boom(), simulator.clock());
    let mut names = Vec::new();
    let mut at = RobotInstant::START;
    let mut live_until = |until: RobotInstant| {
        while at < until {
            at = at.after(Seconds::new(0.05)).min(until);
            clock.advance_to(at);
            let permits: Vec<Permit> = command(at).into_iter().map(Permit::in_test).collect();
            boom.schedule(&permits).unwrap();
            boom.openings_until(at);
        }
    };
    while let Some(frame) = camera.next_frame() {
        names.push(frame.value.name);
        live_until(frame.true_at);
    }
    live_until(simulator.end().after(Seconds::new(1.0)));
    names
}

/// When the first swath's droplets fall across `place`, by steps of 1 ms, and how far left of the robot.
fn passage(simulator: &Simulator, place: Point2<FieldFrame>) -> (RobotInstant, f64) {
    let boom = &simulator.shared.rig.boom;
    let ahead_m = boom.nozzles[0].place.x + boom.carry.get();
    let in_robot = |ms: u64| {
        let at = RobotInstant::from_nanos(ms * 1_000_000);
        (at, Transform2::<FieldFrame, RobotFrame>::at(&simulator.motion_at(at).pose).inverse() * place)
    };
    let off = |ms: &u64| (in_robot(*ms).1.x - ahead_m).abs();
    let ms = (0..25_000).min_by(|a, b| off(a).total_cmp(&off(b))).unwrap();
    (in_robot(ms).0, in_robot(ms).1.y)
}

#[test]
fn a_plant_under_an_open_nozzle_is_treated_and_one_aside_is_not() {
    let simulator = simulator(&SimToml::with_seed(42), 0.0);
    let world = simulator.world();
    let boom = &simulator.shared.rig.boom;
    let mut weeds = (0u32..).zip(world.plants()).filter(|(_, plant)| plant.class == PlantClass::Weed);
    let in_first_swath =
        |stem: Point2<FieldFrame>| (6.0..22.0).contains(&stem.x) && (3.6..4.4).contains(&stem.y);
    let (target, plant) = weeds.find(|(_, plant)| in_first_swath(plant.stem)).unwrap();
    let (passes_at, left_m) = passage(&simulator, plant.stem);
    let aside = |n: &u16| (boom.nozzles[usize::from(*n)].place.y - left_m).abs();
    let nozzle = (0..30).min_by(|a, b| aside(a).total_cmp(&aside(b))).unwrap();
    let valves = boom.nozzles[usize::from(nozzle)];
    // Half a fan before to half a fan after, at about 1 m/s, with the valve's delays taken off.
    let order = NozzleCommand {
        open_at: passes_at.after(-valves.valve_open).after(Seconds::new(-0.02)),
        close_at: passes_at.after(-valves.valve_close).after(Seconds::new(0.02)),
        nozzle,
    };
    let mut orders = vec![order];
    let early = Seconds::new(0.06);
    drive(&simulator, |now| {
        let due = orders.iter().position(|order| order.open_at <= now.after(early));
        due.map(|i| orders.remove(i)).into_iter().collect()
    });
    let truth = simulator.shared.truth();
    let rule = &simulator.config.get().score;
    let treated = |number, role| is_treated(world, number, role, rule, &truth.boom.wetted);
    assert!(treated(target, PlantRole::Weed));
    let stem = world.plants()[target as usize].stem;
    for (number, plant) in (0u32..).zip(world.plants()) {
        if plant.stem.distance(stem).get() > 0.3 {
            assert!(!treated(number, PlantRole::Weed) && !treated(number, PlantRole::Crop), "{plant:?}");
        }
    }
    let beside = stem.moved(kompas_field::units::Radians::ZERO, Metres::ZERO, Metres::new(0.3));
    assert!(truth.boom.wetted.is_wet(stem) && !truth.boom.wetted.is_wet(beside));
    drop(truth);
    let score = simulator.score();
    assert_eq!((score.commands, score.late_commands, score.lost_commands), (1, 0, 0));
    assert!(score.weeds_treated >= 1 && score.weeds > 20 && score.crop > 50, "{score:?}");
}

#[test]
fn everything_open_treats_everything_that_counts() {
    let simulator = simulator(&SimToml::with_seed(3), 0.0);
    let second = Seconds::new(1.0);
    let mut next = RobotInstant::START.after(second);
    drive(&simulator, |now| {
        if now.after(Seconds::new(0.2)) < next {
            return Vec::new();
        }
        let open_at = next;
        next = next.after(second);
        (0..30).map(|nozzle| NozzleCommand { open_at, close_at: open_at.after(second), nozzle }).collect()
    });
    let score = simulator.score();
    assert_eq!((score.weeds_treated, score.crop_hit), (score.weeds, score.crop));
    assert!(score.weeds > 20 && score.crop > 50);
    assert!((score.worked_m2 - 2.0 * 23.0 * 1.5).abs() < 0.5, "{}", score.worked_m2);
    // Two swaths of 23 m, the ends and the turn; the wander laps nothing.
    assert!((65.0..90.0).contains(&score.sprayed_m2), "{}", score.sprayed_m2);
    let driven = simulator.end().since(RobotInstant::START).get() + 1.0;
    assert!((score.open_s / 30.0 / driven - 1.0).abs() < 0.05, "{} {driven}", score.open_s / 30.0);
    for class in &score.classes {
        assert!(class.judged <= class.seen && class.seen <= class.in_field, "{class:?}");
    }
}

#[test]
fn what_never_opens_treats_nothing() {
    let simulator = simulator(&SimToml::with_seed(3), 0.0);
    drive(&simulator, |_| Vec::new());
    let score = simulator.score();
    assert_eq!((score.weeds_treated, score.crop_hit, score.sprayed_m2), (0, 0, 0.0));
    assert!(score.weeds > 20 && score.crop > 50);
}

#[test]
fn closing_all_ends_spray_by_the_closing_delay() {
    let simulator = simulator(&SimToml::with_seed(3), 0.0);
    let (mut boom, clock) = (simulator.boom(), simulator.clock());
    let instant = |ms: u64| RobotInstant::from_nanos(ms * 1_000_000);
    let order = |open_ms, close_ms, nozzle| {
        Permit::in_test(NozzleCommand { open_at: instant(open_ms), close_at: instant(close_ms), nozzle })
    };
    boom.schedule(&[order(3000, 9000, 0), order(8000, 9000, 1), order(3000, 3500, 2), order(3500, 4000, 2)])
        .unwrap();
    clock.advance_to(instant(5000));
    boom.close_all(instant(5000));
    let moves = boom.openings_until(instant(20_000));
    let told: Vec<(u16, u64, u64)> = moves
        .iter()
        .map(|m| (m.nozzle, m.opened_at.nanos() / 1_000_000, m.closed_at.nanos() / 1_000_000))
        .collect();
    // Nozzle 1 never opened; nozzle 2 went on without a gap.
    assert_eq!(told, [(2, 3000, 4000), (0, 3000, 5000)]);
    let open_s = simulator.score().open_s;
    assert!((open_s - (2.0 + 1.0 - 2.0 * 0.008)).abs() < 0.02, "{open_s}");
    assert!(boom.openings_until(instant(30_000)).is_empty());
    assert!(boom.schedule(&[order(40_000, 41_000, 30)]).is_err());
}

#[test]
fn the_emergency_stop_is_latched_where_the_script_says() {
    let mut settings = SimToml::with_seed(3);
    settings.estop = vec![PathSpan { from_m: 8.0, until_m: 12.0 }];
    let simulator = simulator(&settings, 0.0);
    let (stop, clock) = (simulator.estop(), simulator.clock());
    for decimetres in 0..200 {
        let distance = Metres::new(f64::from(decimetres) * 0.1 + 0.05);
        clock.advance_to(simulator.shared.drive.instant_at(distance));
        assert_eq!(stop.is_latched(), (8.0..12.0).contains(&distance.get()), "{distance}");
    }
}

#[test]
fn same_seed_same_pictures_and_fixes() {
    let run = |render_ahead| {
        let mut settings = SimToml::with_seed(9);
        settings.camera.render_ahead = render_ahead;
        let simulator = simulator(&settings, 0.0);
        let (mut camera, mut gnss) = (simulator.camera().unwrap(), simulator.gnss());
        let mut bytes = Vec::new();
        for _ in 0..5 {
            let frame = camera.next_frame().unwrap();
            bytes.extend(format!("{:?} {:?}", frame.true_at, gnss.fixes_until(frame.true_at)).into_bytes());
            bytes.extend(frame.value.image.unwrap().into_raw());
        }
        Digest::of_bytes(&bytes)
    };
    // Drawn ahead or not.
    assert_eq!(run(0), run(2));
}

#[test]
fn a_restart_goes_on_in_the_same_world() {
    let (whole, rest) = (simulator(&SimToml::with_seed(9), 0.0), simulator(&SimToml::with_seed(9), 20.0));
    assert_eq!(whole.world().plants(), rest.world().plants());
    let (mut all, mut later) = (whole.camera().unwrap(), rest.camera().unwrap());
    let first = later.next_frame().unwrap().value;
    let same =
        std::iter::from_fn(|| all.next_frame()).find(|frame| frame.value.name == first.name).unwrap().value;
    let (a, b) = (same.image.unwrap().into_raw(), first.image.unwrap().into_raw());
    let differ = a.iter().zip(&b).filter(|(a, b)| a.abs_diff(**b) > 8).count();
    // The moment is rounded to nanoseconds: a pixel on the edge of a texel may fall to the other side.
    assert!(differ * 1000 < a.len(), "{differ} of {}", a.len());
    assert!(rest.frame_count() < whole.frame_count());
}

#[test]
fn pictures_overlap_and_cover_every_plant_that_the_boom_passes() {
    let simulator = simulator(&SimToml::with_seed(5), 0.0);
    drive(&simulator, |_| Vec::new());
    let truth = simulator.shared.truth();
    let unseen =
        truth.met.passed.iter().zip(&truth.met.seen).filter(|(passed, seen)| **passed && !**seen).count();
    let passed = truth.met.passed.iter().filter(|passed| **passed).count();
    assert!(passed > 200, "{passed}");
    // The path begins too late to see the very first ground ahead of the boom.
    assert!(unseen * 50 <= passed, "{unseen} of {passed}");
}
