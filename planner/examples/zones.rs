//! Random fields beside water, with what every nozzle wets, as JSON lines for a judge that is not ours.
//!
//! `cargo run --release -p kompas-planner --example zones -- 300` prints, per field, the zones (line and width) and the
//! tracks of all open nozzles in metres; `tests/figures/planner` asks shapely whether any comes too near.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small positive numbers throughout"
)]
#![expect(clippy::print_stdout, reason = "a program that prints its result")]

use kompas_field::ids::FieldId;
use kompas_field::rig::RigToml;
use kompas_field::units::Metres;
use kompas_field::{
    Boundary, CellIndex, CellTally, Field, FieldCrop, FieldPlane, Geodetic, Point2, RawBoundary, Rig, WeedMap,
};
use kompas_planner::{PathSampler, Plan, PlanError, Policy, SprayFreeZone, plan};
use std::f64::consts::TAU;

/// Numbers in [0, 1) from a counter (`SplitMix64`): the same fields everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.roll()
    }
}

fn main() -> anyhow::Result<()> {
    let count: u64 = std::env::args().nth(1).map_or(Ok(300), |n| n.parse())?;
    let raw: RigToml = toml::from_str(include_str!("../rigs/robot-3m.toml"))?;
    let rig = Rig::new(raw)?;
    for seed in 0..count {
        let mut dice = Dice(seed);
        let Some((field, zones)) = drawn(&mut dice) else { continue };
        let policy = Policy { zones, ..Policy::reference() };
        // Every second field is treated cell by cell.
        let map = (seed % 2 == 1).then(|| weeds(&field, &mut dice));
        let made = match plan(&field, map.as_ref(), &rig, &policy) {
            Ok(made) => made,
            Err(PlanError::Refused(findings)) => anyhow::bail!("field {seed}: {findings}"),
            Err(_) => continue,
        };
        print(seed, &made, &rig, &policy);
    }
    Ok(())
}

/// A field of five to nine corners with a ditch along some of its edges and one across.
fn drawn(dice: &mut Dice) -> Option<(Field, Vec<SprayFreeZone>)> {
    let corners = 5 + (dice.roll() * 5.0).floor() as u32;
    let size = dice.between(12.0, 40.0);
    let mut ring: Vec<Point2<_>> = (0..corners)
        .map(|k| {
            let angle = TAU * (f64::from(k) + dice.between(0.0, 0.6)) / f64::from(corners);
            let out = size * dice.between(0.6, 1.0);
            Point2::new(out * angle.cos(), out * angle.sin())
        })
        .collect();
    ring.push(ring[0]);
    let mut zones = Vec::new();
    let mut add = |line, width| {
        zones.push(SprayFreeZone {
            line,
            width_m: Metres::new(width),
            rule: "random".to_owned(),
            source: "drawn".to_owned(),
            checked: "2026-11-24".to_owned(),
        });
    };
    for edge in ring.windows(2) {
        if dice.roll() < 0.5 {
            add(edge.to_vec(), dice.between(0.3, 3.0));
        }
    }
    let across = [dice.between(-size, size), dice.between(-size, size)];
    add(vec![Point2::new(-size, across[0]), Point2::new(size, across[1])], dice.between(0.25, 1.5));
    let field = Field {
        id: FieldId::new("drawn").ok()?,
        crop: FieldCrop::SugarBeet,
        plane: FieldPlane::at(Geodetic::etrs89(52.87, 6.95)).ok()?,
        boundary: Boundary::new(&RawBoundary { outer: ring, exclusions: vec![] }).ok()?,
    };
    Some((field, zones))
}

fn weeds(field: &Field, dice: &mut Dice) -> WeedMap {
    let grid = field.grid();
    let mut map = WeedMap::of(field);
    let mut tally = CellTally::default();
    tally.plants[1] = 1;
    for _ in 0..80 {
        let (col, row) = (dice.roll() * f64::from(grid.cols), dice.roll() * f64::from(grid.rows));
        map.add_tally(CellIndex { col: col as u32, row: row as u32 }, &tally).expect("a cell of the grid");
    }
    map
}

fn print(seed: u64, plan: &Plan, rig: &Rig, policy: &Policy) {
    const LOOK_M: f64 = 0.25;
    let sampler = PathSampler::new(plan);
    let tracks: Vec<Vec<[f64; 2]>> = plan
        .schedule
        .iter()
        .filter_map(|run| {
            let nozzle = rig.boom.nozzles.get(usize::from(run.nozzle))?.place;
            let looks = ((run.to_m - run.from_m) / LOOK_M).ceil().max(1.0) as u32;
            (0..=looks)
                .map(|k| {
                    let at = run.from_m + (run.to_m - run.from_m) * f64::from(k) / f64::from(looks);
                    let on = sampler.at(Metres::new(at))?;
                    let place =
                        on.pose.position.moved(on.pose.heading, Metres::new(nozzle.x), Metres::new(nozzle.y));
                    Some(place.to_array())
                })
                .collect()
        })
        .collect();
    let zones: Vec<_> = policy
        .zones
        .iter()
        .map(|z| {
            let line: Vec<_> = z.line.iter().map(|p| p.to_array()).collect();
            serde_json::json!({ "line": line, "width_m": z.width_m.get() })
        })
        .collect();
    let line = serde_json::json!({ "seed": seed, "zones": zones, "tracks": tracks, "fan_width_m": rig.boom.fan_width.get(),
        "fan_length_m": rig.boom.fan_length.get(), "position_error_m": policy.position_error.get() });
    println!("{line}");
}
