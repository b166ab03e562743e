//! Turns of rigs that state how fast they steer, and of rigs that may reverse.

mod common;

use common::{field, parcels, rig};
use kompas_field::ids::FieldId;
use kompas_field::rig::RigToml;
use kompas_field::{FieldCrop, Rig, Severity};
use kompas_planner::import::field_from_geojson;
use kompas_planner::{Gear, LegKind, Plan, Policy, check, plan};

fn rectangle() -> kompas_field::Field {
    field(&[(0.0, 0.0), (90.0, 0.0), (90.0, 60.0), (0.0, 60.0)], &[]).expect("a valid field")
}

fn with(name: &str, change: impl Fn(&mut RigToml)) -> Rig {
    let mut raw = RigToml::from(rig(name));
    change(&mut raw);
    Rig::new(raw).expect("a usable rig")
}

fn is_named(plan: &Plan, leg: usize) -> bool {
    plan.curvature_jumps.iter().any(|n| *n as usize == leg)
}

/// The fastest change of curvature on a leg and the ends of its neighbours, from headings of chords; only for legs
/// whose chords are all of one kind, as turns are.
fn fastest(plan: &Plan, leg: usize) -> f64 {
    let mut points: Vec<[f64; 2]> = Vec::new();
    let before = &plan.path[leg - 1].points;
    let after = &plan.path[leg + 1].points;
    // A metre of the straight before and after.
    let toward = |a: [f64; 2], b: [f64; 2]| {
        let d = (a[0] - b[0]).hypot(a[1] - b[1]);
        [a[0] + (b[0] - a[0]) / d, a[1] + (b[1] - a[1]) / d]
    };
    let all: Vec<[f64; 2]> = plan.path[leg].points.iter().map(|p| [p.x, p.y]).collect();
    points.push(toward(all[0], [before[before.len() - 2].x, before[before.len() - 2].y]));
    points.extend(&all);
    points.push(toward(all[all.len() - 1], [after[1].x, after[1].y]));
    let heading = |a: [f64; 2], b: [f64; 2]| (b[1] - a[1]).atan2(b[0] - a[0]);
    let chord = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]).min(0.25);
    let bends: Vec<(f64, f64)> = points
        .windows(3)
        .map(|p| {
            let turn = (heading(p[1], p[2]) - heading(p[0], p[1])).sin().asin();
            (
                turn / f64::midpoint(chord(p[0], p[1]), chord(p[1], p[2])),
                (p[2][0] - p[1][0]).hypot(p[2][1] - p[1][1]),
            )
        })
        .collect();
    bends.windows(2).map(|b| (b[1].0 - b[0].0).abs() / b[0].1).fold(0.0, f64::max)
}

#[test]
fn turns_between_swaths_bend_no_faster_than_the_rig_steers() {
    let (field, rig) = (rectangle(), rig("robot-3m-articulated"));
    let rate = rig.robot.curvature_rate.expect("this rig states one");
    let made = plan(&field, None, &rig, &Policy::reference()).unwrap();
    assert!(check(&made, &field, &rig).iter().all(|f| f.severity != Severity::Error));
    let swath = |i: usize| matches!(made.path[i].kind, LegKind::Swath { .. });
    let turns: Vec<usize> = (1..made.path.len() - 1)
        .filter(|i| made.path[*i].kind == LegKind::Turn && swath(i - 1) && swath(i + 1))
        .collect();
    assert!(turns.len() > 8, "{} turns", turns.len());
    for turn in turns {
        assert!(!is_named(&made, turn), "turn {turn} jumps");
        let fastest = fastest(&made, turn);
        assert!(fastest < 1.2 * rate, "turn {turn}: {fastest} 1/m²");
    }
    // What does jump, the headland's corners, is said.
    assert_eq!(
        made.curvature_jumps.is_empty(),
        !made.findings.iter().any(|f| f.code == "plan.curvature_jumps")
    );
}

#[test]
fn the_checker_sees_bends_that_begin_at_once_and_reads_what_the_plan_names() {
    let (field, articulated) = (rectangle(), rig("robot-3m-articulated"));
    let mut jumping = plan(&field, None, &rig("robot-3m"), &Policy::reference()).unwrap();
    assert!(jumping.curvature_jumps.is_empty(), "a rig without a rate says nothing");
    let steering =
        |plan: &Plan| check(plan, &field, &articulated).iter().filter(|f| f.code == "plan.steering").count();
    assert!(steering(&jumping) > 0);
    jumping.curvature_jumps = (0..u32::try_from(jumping.path.len()).unwrap()).collect();
    assert_eq!(steering(&jumping), 0);
    // A steady plan whose list is emptied is refused as well.
    let mut silent = plan(&field, None, &articulated, &Policy::reference()).unwrap();
    if !silent.curvature_jumps.is_empty() {
        silent.curvature_jumps.clear();
        assert!(steering(&silent) > 0);
    }
}

#[test]
fn on_real_parcels_nearly_every_turn_is_steady() {
    let rig = rig("robot-3m-articulated");
    let (mut turns, mut jumps, mut legs) = (0, 0, 0);
    for file in parcels().into_iter().filter(|f| f.metadata().is_ok_and(|m| m.len() < 20_000)).take(8) {
        let text = std::fs::read_to_string(&file).unwrap();
        let id = FieldId::new("parcel").unwrap();
        let field = field_from_geojson(&text, id, FieldCrop::SugarBeet).unwrap();
        let made = plan(&field, None, &rig, &Policy::reference()).unwrap();
        assert!(check(&made, &field, &rig).iter().all(|f| f.severity != Severity::Error));
        let turn = |i: &usize| made.path[*i].kind == LegKind::Turn;
        turns += (0..made.path.len()).filter(turn).count();
        jumps += (0..made.path.len()).filter(turn).filter(|i| is_named(&made, *i)).count();
        legs += made.curvature_jumps.len();
    }
    println!("{jumps} of {turns} turns jump, {legs} legs in all");
    assert!(jumps * 20 <= turns, "{jumps} of {turns} turns jump");
}

#[test]
fn a_rig_that_may_reverse_does_so_where_it_is_cheaper() {
    let field = rectangle();
    let made = |cost: f64| {
        let rig = with("robot-3m-reverse", |raw| raw.robot.cusp_cost_m = Some(cost));
        let made = plan(&field, None, &rig, &Policy::reference()).unwrap();
        assert!(check(&made, &field, &rig).iter().all(|f| f.severity != Severity::Error));
        made
    };
    let reversed = |plan: &Plan| plan.path.iter().filter(|leg| leg.gear == Gear::Reverse).count();
    let (dear, cheap) = (made(500.0), made(0.05));
    assert_eq!(reversed(&dear), 0);
    assert!(reversed(&cheap) > 3, "{} reversals", reversed(&cheap));
    assert!(cheap.summary.path_m < dear.summary.path_m, "{} m", cheap.summary.path_m);
}

#[test]
fn a_steering_rate_out_of_range_is_refused_by_name() {
    let mut raw = RigToml::from(rig("robot-3m"));
    raw.robot.curvature_rate_1_per_m2 = Some(-1.0);
    raw.robot.cusp_cost_m = Some(-2.0);
    let said = Rig::new(raw).unwrap_err().to_string();
    assert!(
        said.contains("robot.curvature_rate_1_per_m2 = -1") && said.contains("robot.cusp_cost_m"),
        "{said}"
    );
}

/// The smallest circle through neighbouring points, for a reader that thins points to an eighth of `radius` but keeps where
/// the gear changes: it gives up the point before, and looks a quarter of `radius` to either side.
fn smallest_read(plan: &Plan, radius: f64) -> f64 {
    let chord = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let mut smallest = f64::MAX;
    for run in plan.path.chunk_by(|a, b| a.gear == b.gear) {
        let points: Vec<[f64; 2]> = run.iter().flat_map(|leg| &leg.points).map(|p| [p.x, p.y]).collect();
        let mut kept = vec![points[0]];
        for (k, p) in points.iter().enumerate().skip(1) {
            if chord(kept[kept.len() - 1], *p) >= radius / 8.0 {
                kept.push(*p);
            } else if k + 1 == points.len() && kept.len() > 1 {
                kept.pop();
                kept.push(*p);
            }
        }
        for three in kept.windows(3) {
            let [a, b, c] = [three[0], three[1], three[2]];
            let turn =
                ((c[1] - b[1]).atan2(c[0] - b[0]) - (b[1] - a[1]).atan2(b[0] - a[0])).sin().asin().abs();
            let (before, after) = (chord(a, b).min(radius / 4.0), chord(b, c).min(radius / 4.0));
            if turn > 0.01 {
                smallest = smallest.min(f64::midpoint(before, after) / turn);
            }
        }
    }
    smallest
}

#[test]
fn readers_that_keep_the_points_of_gear_changes_see_no_bend_too_tight() {
    let corner = [(0.0, 0.0), (300.0, 0.0), (300.0, 90.0), (140.0, 90.0), (110.0, 260.0), (0.0, 260.0)];
    let l_shape = field(&corner, &[]).expect("a valid field");
    let eager = with("robot-3m-reverse", |raw| raw.robot.cusp_cost_m = Some(0.05));
    for (field, rig) in [(rectangle(), eager), (l_shape, rig("boom-27m"))] {
        let made = plan(&field, None, &rig, &Policy::reference()).unwrap();
        let radius = rig.robot.min_turning_radius.get();
        assert!(made.path.iter().any(|leg| leg.gear == Gear::Reverse), "{}: no change of gear", rig.name());
        let read = smallest_read(&made, radius);
        assert!(read >= 0.97 * radius, "{}: {read:.3} m", rig.name());
    }
}
