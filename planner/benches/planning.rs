//! Planning time as ratios within one run. `cargo bench -p kompas-planner` prints one line of JSON.
//!
//! The baseline is what planners over a coverage graph do before they order anything: shortest ways between all ends of
//! the swaths of a 100 ha square at 3 m, by Floyd and Warshall over the ends as they lie along the headland. Seconds
//! depend on the machine and on who else uses it; a ratio of 1 means "as long as only that step".
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, not a product"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{field, parcels, rig};
use kompas_field::ids::FieldId;
use kompas_field::units::{Metres, Radians};
use kompas_field::{CellTally, Field, FieldCrop, Point2, Pose2, WeedMap};
use kompas_planner::import::field_from_geojson;
use kompas_planner::{PathSampler, Plan, Policy, plan, resume};
use std::f64::consts::TAU;
use std::hint::black_box;
use std::time::Instant;

const RUNS: usize = 5;

/// Median of a few runs.
fn seconds(mut work: impl FnMut()) -> f64 {
    let mut taken: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    taken[RUNS / 2]
}

fn square(side: f64) -> Field {
    field(&[(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)], &[]).unwrap()
}

/// Shortest ways between all ends of swaths: along the swath, or from end to end at the same side.
fn all_pairs(swaths: &[[Point2<kompas_field::FieldFrame>; 2]]) -> f64 {
    let ends: Vec<Point2<_>> = swaths.iter().flatten().copied().collect();
    let n = ends.len();
    let mut ways = vec![f64::MAX; n * n];
    for i in 0..n {
        ways[i * n + i] = 0.0;
        for j in [i ^ 1, (i + 2) % n, (i + n - 2) % n] {
            ways[i * n + j] = ends[i].distance(ends[j]).get();
        }
    }
    for k in 0..n {
        for i in 0..n {
            let first = ways[i * n + k];
            for j in 0..n {
                let over = first + ways[k * n + j];
                if over < ways[i * n + j] {
                    ways[i * n + j] = over;
                }
            }
        }
    }
    ways.iter().sum()
}

/// The parcel that takes longest of those at hand, or a drawn one with 16 holes.
fn worst_parcel() -> (String, Field) {
    let name = "de_bb_extreme_concave_25ha6";
    if let Some(file) = parcels().into_iter().find(|p| p.file_stem().is_some_and(|s| s == name)) {
        let text = std::fs::read_to_string(file).unwrap();
        let field = field_from_geojson(&text, FieldId::new(name).unwrap(), FieldCrop::SugarBeet).unwrap();
        return (name.to_owned(), field);
    }
    let holes: Vec<Vec<(f64, f64)>> = (0..16)
        .map(|k| {
            let (x, y) = (75.0 + 120.0 * f64::from(k % 4), 75.0 + 120.0 * f64::from(k / 4));
            // Against the sense of the outer ring.
            (0..9)
                .map(|c| TAU * f64::from(c) / -9.0)
                .map(|a| (x + 12.0 * a.cos(), y + 8.0 * a.sin()))
                .collect()
        })
        .collect();
    let outer = [(0.0, 0.0), (520.0, 20.0), (500.0, 540.0), (20.0, 500.0)];
    ("drawn, 16 holes".to_owned(), field(&outer, &holes).unwrap())
}

/// Ten plants per square metre on 40 ha; every fiftieth cell has a weed.
fn four_million_plants(field: &Field) -> (WeedMap, u32) {
    let mut map = WeedMap::of(field);
    let mut plants = 0;
    for (number, cell) in (0u32..).zip(field.grid().cells()) {
        let mut tally = CellTally::default();
        tally.plants[0] = 10;
        tally.plants[1] = u32::from(number.wrapping_mul(2_654_435_761) % 50 == 0);
        plants += tally.plants[0] + tally.plants[1];
        map.add_tally(cell, &tally).unwrap();
    }
    (map, plants)
}

/// The rest of a plan after 40 % of it, the robot pushed a little aside.
fn replanned(made: &Plan, field: &Field) -> f64 {
    let rig = rig("robot-3m");
    let driven = Metres::new(0.4 * made.summary.path_m);
    let on = PathSampler::new(made).at(driven).unwrap();
    let position = Point2::new(on.pose.position.x + 0.2, on.pose.position.y + 0.1);
    let pose = Pose2::new(position, Radians::new(on.pose.heading.get() + 0.1));
    let ahead = Metres::new(driven.get() + 15.0);
    seconds(|| {
        black_box(resume(made, &pose, ahead, field, None, &rig, &Policy::reference()).unwrap());
    })
}

fn main() {
    let (rig, policy) = (rig("robot-3m"), Policy::reference());
    let hundred = square(1000.0);
    let made = plan(&hundred, None, &rig, &policy).unwrap();
    let ends: Vec<_> = made
        .swaths
        .iter()
        .map(|s| if s.from.x + s.from.y < s.to.x + s.to.y { [s.from, s.to] } else { [s.to, s.from] })
        .collect();
    let baseline = seconds(|| {
        black_box(all_pairs(black_box(&ends)));
    });
    let whole = |field: &Field| {
        seconds(|| {
            black_box(plan(field, None, &rig, &policy).unwrap());
        })
    };
    let (name, worst) = worst_parcel();
    let forty = square(632.5);
    let (map, plants) = four_million_plants(&forty);
    let mapped = seconds(|| {
        black_box(plan(&forty, Some(&map), &rig, &policy).unwrap());
    });
    let ratio = |seconds: f64| serde_json::json!({ "seconds": (seconds * 1e4).round() / 1e4, "ratio": (seconds / baseline * 1e3).round() / 1e3 });
    let figures = serde_json::json!({
        "baseline": format!("all pairs of {} swath ends, Floyd and Warshall", 2 * ends.len()),
        "baseline_seconds": (baseline * 1e4).round() / 1e4,
        "square_100ha_3m": ratio(whole(&hundred)),
        "worst_parcel": name,
        "worst_parcel_3m": ratio(whole(&worst)),
        "replan_100ha": ratio(replanned(&made, &hundred)),
        "plants": plants,
        "plants_on_40ha": ratio(mapped),
    });
    println!("{figures}");
}
