//! What every command on a finished plan is given.

use super::{CropArg, read, read_field, read_rig};
use anyhow::Context;
use kompas_field::{Field, Rig};
use kompas_planner::Plan;
use std::path::PathBuf;

/// A plan with the field and the rig it is for.
#[derive(clap::Args)]
pub(super) struct Begun {
    /// The plan.
    #[arg(long)]
    plan: PathBuf,
    /// Boundary the plan is for.
    #[arg(long)]
    field: PathBuf,
    /// Rig the plan is for.
    #[arg(long)]
    rig: PathBuf,
    /// What grows there.
    #[arg(long, value_enum, default_value = "sugar_beet")]
    crop: CropArg,
}

impl Begun {
    pub(super) fn read(&self) -> anyhow::Result<(Plan, Field, Rig)> {
        let plan = Plan::from_json(&read(&self.plan)?)
            .with_context(|| format!("{} cannot be used", self.plan.display()))?;
        Ok((plan, read_field(&self.field, self.crop.into())?, read_rig(&self.rig)?))
    }
}
