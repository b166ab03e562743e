//! `kompas-plan resume`

use super::begun::Begun;
use super::make::{as_json, place, read_map, read_prescription};
use super::{Failure, print, write};
use anyhow::Context;
use kompas_field::units::{LitresPerHectare, Metres, Radians};
use kompas_field::{Geodetic, Pose2};
use kompas_planner::{Plan, PlanError, Policy, resume};
use std::f64::consts::FRAC_PI_2;
use std::path::PathBuf;

/// Arguments of `resume`.
#[derive(clap::Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    begun: Begun,
    /// Weed map of now; without it and without --prescription the plan's own rates stay.
    #[arg(long)]
    weed_map: Option<PathBuf>,
    /// Prescription of now: TASKDATA.XML with its grid (ISO 11783-10), or the folder of both.
    #[arg(long, conflicts_with = "weed_map")]
    prescription: Option<PathBuf>,
    /// Rate where a grid cell of --weed-map is treated, litres per hectare; without it the plan's.
    #[arg(long, requires = "weed_map")]
    rate_l_per_ha: Option<f64>,
    /// Where the robot stands: longitude,latitude in degrees.
    #[arg(long, allow_hyphen_values = true, value_parser = place)]
    at: (f64, f64),
    /// Where its nose points, degrees clockwise from north.
    #[arg(long, allow_negative_numbers = true)]
    heading_deg: f64,
    /// Metres of the plan that are done.
    #[arg(long, allow_negative_numbers = true)]
    driven_m: f64,
    /// Where to write the new plan.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: &ResumeArgs) -> Result<(), Failure> {
    let (plan, field, rig) = args.begun.read()?;
    let map = read_map(args.weed_map.as_deref(), &field)?;
    if !args.heading_deg.is_finite() || !args.driven_m.is_finite() || args.driven_m < 0.0 {
        return Err(Failure::Input(anyhow::anyhow!(
            "--heading-deg and --driven-m must be numbers, not below 0 metres"
        )));
    }
    let position = field.plane.to_field(Geodetic::etrs89(args.at.1, args.at.0)).context("--at")?;
    let pose = Pose2::new(position, Radians::new(FRAC_PI_2 - args.heading_deg.to_radians()));
    let prescription =
        args.prescription.as_deref().map(|path| read_prescription(path, &field)).transpose()?;
    let mut policy = Policy {
        prescription,
        zones: plan.zones.clone(),
        position_error: plan.position_error_m,
        ..Policy::reference()
    };
    if map.is_some() {
        policy.rate_l_per_ha = match args.rate_l_per_ha {
            Some(rate) => LitresPerHectare::try_from(rate).context("--rate-l-per-ha")?,
            None => only_rate(&plan).context(
                "the plan has no rate, or several, so none can be taken over for --weed-map: state --rate-l-per-ha",
            )?,
        };
    }
    let rest = resume(&plan, &pose, Metres::new(args.driven_m), &field, map.as_ref(), &rig, &policy)
        .map_err(|error| match error {
            PlanError::Refused(_) => Failure::Work(error.into()),
            _ => Failure::Input(error.into()),
        })?;
    write(&args.out, &rest.to_json())?;
    for finding in &rest.findings {
        tracing::warn!("{finding}");
    }
    print(&as_json(&rest));
    Ok(())
}

/// What a plan treats with, where that is one rate.
fn only_rate(plan: &Plan) -> Option<LitresPerHectare> {
    let of_cells = plan.prescription.cells().map(|(_, rate)| rate);
    let mut rates = of_cells
        .chain([plan.prescription.fallback().default_l_per_ha])
        .filter(|rate| *rate > LitresPerHectare::ZERO);
    let first = rates.next()?;
    rates.all(|rate| rate == first).then_some(first)
}
