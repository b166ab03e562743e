//! Tank and battery of `kompas-plan make`.

use super::read;
use anyhow::Context;
use kompas_field::Field;
use kompas_planner::Supply;
use kompas_planner::import::refill::refills_from_geojson;
use std::path::PathBuf;

/// How long tank and battery last, and where they are filled.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("load").multiple(true).args(["tank_l", "range_m"])))]
pub(super) struct SupplyArgs {
    /// Where the robot is filled or charged: GeoJSON points on the field, with `heading_deg` where the robot has to stand
    /// one way. Needs --tank-l or --range-m.
    #[arg(long, requires = "load")]
    refill: Option<PathBuf>,
    /// Usable contents of the tank, litres.
    #[arg(long, requires = "refill")]
    tank_l: Option<f64>,
    /// Metres on one charge, turns counted.
    #[arg(long, requires = "refill")]
    range_m: Option<f64>,
}

impl SupplyArgs {
    pub(super) fn read(&self, field: &Field) -> anyhow::Result<Option<Supply>> {
        let Some(path) = &self.refill else { return Ok(None) };
        for (name, value) in [("--tank-l", self.tank_l), ("--range-m", self.range_m)] {
            anyhow::ensure!(
                value.is_none_or(|v| v.is_finite() && v > 0.0),
                "{name} must be a number above 0"
            );
        }
        let places = refills_from_geojson(&read(path)?, field).with_context(|| path.display().to_string())?;
        Ok(Some(Supply { places, tank_l: self.tank_l, range_m: self.range_m }))
    }
}
