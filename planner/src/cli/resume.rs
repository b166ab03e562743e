//! `kompas-plan resume`

use super::begun::Begun;
use super::make::{as_json, place, read_map};
use super::{Failure, print, write};
use anyhow::Context;
use kompas_field::units::{LitresPerHectare, Metres, Radians};
use kompas_field::{Geodetic, Pose2};
use kompas_planner::{PlanError, Policy, resume};
use std::f64::consts::FRAC_PI_2;
use std::path::PathBuf;

/// Arguments of `resume`.
#[derive(clap::Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    begun: Begun,
    /// Weed map of now; without one the whole rest is treated.
    #[arg(long)]
    weed_map: Option<PathBuf>,
    /// Rate where a grid cell is treated, litres per hectare.
    #[arg(long, default_value_t = 200.0)]
    rate_l_per_ha: f64,
    /// Where the robot stands: longitude,latitude in degrees.
    #[arg(long, value_parser = place)]
    at: (f64, f64),
    /// Where its nose points, degrees clockwise from north.
    #[arg(long)]
    heading_deg: f64,
    /// Metres of the plan that are done.
    #[arg(long)]
    driven_m: f64,
    /// Where to write the new plan.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: &ResumeArgs) -> Result<(), Failure> {
    let (plan, field, rig) = args.begun.read()?;
    let map = read_map(args.weed_map.as_deref())?;
    if !args.heading_deg.is_finite() || !args.driven_m.is_finite() || args.driven_m < 0.0 {
        return Err(Failure::Input(anyhow::anyhow!(
            "--heading-deg and --driven-m must be numbers, not below 0 metres"
        )));
    }
    let position = field.plane.to_field(Geodetic::etrs89(args.at.1, args.at.0)).context("--at")?;
    let pose = Pose2::new(position, Radians::new(FRAC_PI_2 - args.heading_deg.to_radians()));
    let policy = Policy {
        zones: plan.zones.clone(),
        rate_l_per_ha: LitresPerHectare::try_from(args.rate_l_per_ha).context("--rate-l-per-ha")?,
        ..Policy::reference()
    };
    let rest = resume(&plan, &pose, Metres::new(args.driven_m), &field, map.as_ref(), &rig, &policy)
        .map_err(|error| match error {
            PlanError::Refused(_) => Failure::Work(error.into()),
            _ => Failure::Input(error.into()),
        })?;
    write(&args.out, &rest.to_json())?;
    print(&as_json(&rest));
    Ok(())
}
