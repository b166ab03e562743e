//! Missions for ground stations: what a rover is told, and where a drone may be.

mod common;

use common::{field, rig, weeds};
use geo::{Area, Contains};
use kompas_field::{Field, Geodetic};
use kompas_planner::export::qgroundcontrol::{Item, plan_file, rover, waypoint_list};
use kompas_planner::survey::{DroneToml, survey};
use kompas_planner::{Gear, Policy, plan};
use std::f64::consts::TAU;
use std::path::Path;

#[test]
fn a_rover_is_told_every_change_of_gear() {
    let field = field(&[(0.0, 0.0), (60.0, 0.0), (60.0, 200.0), (0.0, 200.0)], &[]).unwrap();
    let map = weeds(&field, &[(12, 14), (24, 14), (33, 14), (45, 14)]);
    let policy = Policy { selective: true, swath_heading_deg: Some(0.0), ..Policy::reference() };
    let made = plan(&field, Some(&map), &rig("robot-3m-reverse"), &policy).unwrap();
    let mission = rover(&made, &field);
    // Driven again by what it is told: the same way, every metre in its gear.
    let mut gear = Gear::Forward;
    let (mut at, mut driven) = (None, [0.0, 0.0]);
    for item in &mission.items {
        match item {
            Item::Gear(told) => {
                assert_ne!(*told, gear);
                gear = *told;
            }
            Item::Waypoint { at: place, .. } => {
                let next = made.datum.to_field(*place).unwrap();
                if let Some(last) = at.replace(next) {
                    let step = next.distance(last).get();
                    assert!(step > 0.009, "{step}");
                    driven[usize::from(gear == Gear::Reverse)] += step;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(gear, Gear::Forward);
    for (way, gear) in [(driven[0], Gear::Forward), (driven[1], Gear::Reverse)] {
        let legs = made.path.iter().filter(|leg| leg.gear == gear).flat_map(|leg| leg.points.windows(2));
        let planned: f64 = legs.map(|w| w[0].distance(w[1]).get()).sum();
        assert!(planned > 10.0 && (way - planned).abs() < 0.2, "{way} of {planned} m");
    }
    // Both forms say it in MAVLink's number.
    let backwards = waypoint_list(&mission).lines().filter(|l| l.contains("\t194\t1.00000000\t")).count();
    assert!(backwards > 3, "{backwards}");
    let file = plan_file(&mission);
    let commands = file["mission"]["items"].as_array().unwrap().iter();
    assert_eq!(commands.filter(|i| i["command"] == 194 && i["params"][0] == 1.0).count(), backwards);
}

/// The waypoints of a survey and its fence, in the field's plane.
fn flown(field: &Field, turns_outside: bool) -> (geo::LineString<f64>, geo::Polygon<f64>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/drone-survey.toml");
    let drone: DroneToml =
        toml::from_str(&std::fs::read_to_string(path).expect("a committed drone")).expect("a drone file");
    let (mission, _) = survey(field, &DroneToml { turns_outside, ..drone }).expect("a survey");
    let local = |place: &Geodetic| geo::Coord::from(field.plane.to_field(*place).expect("a place nearby"));
    let place = |item: &Item| match item {
        Item::TakeOff { at, .. } | Item::Waypoint { at, .. } => Some(local(at)),
        _ => None,
    };
    let way = mission.items.iter().filter_map(place).collect();
    let [ring] = &mission.fence[..] else { panic!("{} rings", mission.fence.len()) };
    assert!(ring.len() < 90, "{} corners", ring.len());
    (way, geo::Polygon::new(ring.iter().map(local).collect(), vec![]))
}

#[test]
fn a_drone_never_leaves_its_fence() {
    let slanted = [(0.0, 0.0), (150.0, 60.0), (130.0, 140.0), (-20.0, 80.0)];
    let notched =
        [(0.0, 0.0), (160.0, 0.0), (160.0, 120.0), (90.0, 120.0), (80.0, 20.0), (70.0, 120.0), (0.0, 120.0)];
    let round: Vec<_> = (0..2000)
        .map(|k| (TAU * f64::from(k) / 2000.0).sin_cos())
        .map(|(sin, cos)| (90.0 * cos, 60.0 * sin))
        .collect();
    for outer in [&slanted[..], &notched, &round] {
        let field = field(outer, &[]).unwrap();
        for turns_outside in [false, true] {
            let (way, fence) = flown(&field, turns_outside);
            assert!(fence.contains(&way), "leaves {fence:?}");
            assert!(fence.contains(field.boundary.polygon()));
            let hull = geo::ConvexHull::convex_hull(&way).unsigned_area();
            assert!(fence.unsigned_area() < 1.3 * hull, "{} of {hull} m²", fence.unsigned_area());
        }
    }
}
