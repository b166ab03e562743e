//! Spray-free zones: nothing falls into one, however its line is drawn.

mod common;

use common::{field, rig};
use kompas_field::Point2;
use kompas_field::units::Metres;
use kompas_planner::{NozzleRun, PathSampler, Policy, SprayFreeZone, check, plan};

fn l_shape() -> kompas_field::Field {
    let outer = [(0.0, 0.0), (140.0, 0.0), (140.0, 60.0), (70.0, 60.0), (70.0, 130.0), (0.0, 130.0)];
    let hole = vec![(30.0, 30.0), (30.0, 38.0), (37.0, 38.0), (37.0, 30.0)];
    field(&outer, &[hole]).expect("a valid field")
}

#[test]
fn nothing_is_sprayed_beside_water() {
    let (field, rig) = (l_shape(), rig("robot-3m"));
    let zone = SprayFreeZone {
        line: vec![Point2::new(-20.0, 0.0), Point2::new(160.0, 0.0)],
        width_m: Metres::new(1.5),
        rule: "test".to_owned(),
        source: "test".to_owned(),
        checked: "2026-11-24".to_owned(),
    };
    let policy = Policy { zones: vec![zone], ..Policy::reference() };
    let made = plan(&field, None, &rig, &policy).unwrap();
    let sampler = PathSampler::new(&made);
    let mut nearest = f64::MAX;
    for run in &made.schedule {
        let steps = std::iter::successors(Some(run.from_m), |at| Some(at + 0.1));
        for at in steps.take_while(|at| *at < run.to_m).chain([run.to_m]) {
            let on = sampler.at(Metres::new(at)).unwrap();
            let offset = rig.boom.nozzles[usize::from(run.nozzle)].place;
            let nozzle =
                on.pose.position.moved(on.pose.heading, Metres::new(offset.x), Metres::new(offset.y));
            nearest = nearest.min(nozzle.y);
        }
    }
    // Half a fan and the position error above the zone, and not so far that the field goes untreated.
    assert!(nearest > 1.5 + 0.125 + 0.03, "{nearest}");
    assert!(nearest < 3.0, "{nearest}");
    // Without the zone the same schedule is refused.
    let mut open = plan(&field, None, &rig, &Policy::reference()).unwrap();
    open.zones = made.zones.clone();
    open.id = open.id_of_contents();
    assert!(check(&open, &field, &rig).iter().any(|f| f.code == "plan.spray_free_zone"));
}

/// A ditch along the southern edge as a register draws it, a point every 20 cm: the same plan as for its two ends.
#[test]
fn a_ditch_of_thousands_of_points_is_planned_in_seconds() {
    let field = field(&[(0.0, 0.0), (450.0, 0.0), (450.0, 450.0), (0.0, 450.0)], &[]).unwrap();
    let rig = rig("robot-3m");
    let made = |points: u32| {
        let at = |k: u32| Point2::new(-25.0 + 500.0 * f64::from(k) / f64::from(points), -0.5);
        let zone = SprayFreeZone {
            line: (0..=points).map(at).collect(),
            width_m: Metres::new(3.0),
            rule: "test".to_owned(),
            source: "test".to_owned(),
            checked: "2026-11-24".to_owned(),
        };
        let policy = Policy { zones: vec![zone], ..Policy::reference() };
        plan(&field, None, &rig, &policy).unwrap()
    };
    let (ends, drawn) = (made(1), made(2500));
    assert_eq!(drawn.prescription, ends.prescription);
    assert_eq!(drawn.schedule.len(), ends.schedule.len());
    let apart = |a: &NozzleRun, b: &NozzleRun| (a.from_m - b.from_m).abs().max((a.to_m - b.to_m).abs());
    let most = drawn.schedule.iter().zip(&ends.schedule).map(|(a, b)| apart(a, b)).fold(0.0, f64::max);
    assert!(most < 0.03, "{most} m");
}
