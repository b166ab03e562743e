//! `kompas-plan check`

use super::begun::Begun;
use super::{Failure, print};
use anyhow::Context;
use kompas_field::Severity;
use kompas_planner::check;

/// Arguments of `check`.
#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    begun: Begun,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let (plan, field, rig) = args.begun.read()?;
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
