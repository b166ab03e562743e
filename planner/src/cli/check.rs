//! `kompas-plan check`

use super::{CropArg, Failure, print, read, read_field, read_rig};
use anyhow::Context;
use kompas_field::Severity;
use kompas_planner::{Plan, check};
use std::path::PathBuf;

/// Arguments of `check`.
#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    /// The plan.
    #[arg(long)]
    plan: PathBuf,
    /// Boundary the plan is for, GeoJSON.
    #[arg(long)]
    field: PathBuf,
    /// Rig the plan is for.
    #[arg(long)]
    rig: PathBuf,
    /// What grows there.
    #[arg(long, value_enum, default_value = "sugar-beet")]
    crop: CropArg,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let field = read_field(&args.field, args.crop.into())?;
    let rig = read_rig(&args.rig)?;
    let plan = Plan::from_json(&read(&args.plan)?)
        .with_context(|| format!("{} cannot be used", args.plan.display()))?;
    let findings = check(&plan, &field, &rig);
    if args.json {
        print(&serde_json::to_string(&findings).context("findings as JSON")?);
    } else {
        for finding in &findings {
            print(&finding.to_string());
        }
        if findings.is_empty() {
            print("nothing found: the plan may be driven");
        }
    }
    let errors = findings.iter().filter(|f| f.severity == Severity::Error).count();
    if errors == 0 {
        Ok(())
    } else {
        Err(Failure::Work(anyhow::anyhow!("{errors} findings forbid driving this plan")))
    }
}
