//! `kompas-robot check`: what would keep a job from running, before anybody drives to the field.

use super::{ConfigArgs, exit};
use anyhow::{Error, Result};
use kompas_edge::clock::SystemClock;
use kompas_edge::config::Config;
use kompas_edge::disk::takes;
use kompas_edge::job::Job;
use kompas_edge::setup::{Drivers, SetupError, may_begin, open_segmenter};
use kompas_field::units::Metres;
use kompas_field::{Finding, Findings};

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Findings as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// Prints what is wrong, or that the robot is ready.
pub(super) fn check(args: &CheckArgs) -> Result<()> {
    let loaded = args.config.load().and_then(|(config, job, mut findings)| {
        findings.extend(no_broker(&config));
        findings.extend(opened(&config, &job));
        Findings(findings.clone()).into_result(())?;
        Ok((job, findings))
    });
    if args.json {
        let findings = match &loaded {
            Ok((_, warnings)) => warnings.clone(),
            Err(why) => why.downcast_ref::<Findings>().map(|found| found.0.clone()).unwrap_or_default(),
        };
        exit::print(&serde_json::to_string_pretty(&findings)?);
    }
    let (job, warnings) = loaded?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if !args.json {
        let area_ha = job.field.boundary.area().get() / 1e4;
        exit::print(&format!(
            "ready: rig {}, field {} ({area_ha:.2} ha), plan {} ({:.0} m)",
            job.rig.name(),
            job.field.id,
            job.plan.id.as_str().get(..12).unwrap_or(job.plan.id.as_str()),
            job.plan.summary.path_m
        ));
    }
    Ok(())
}

/// Opens what a run would: the model, where pictures come from, what was begun, and where records go.
fn opened(config: &Config, job: &Job) -> Vec<Finding> {
    let found = |code: &str, key: &str, why: SetupError, remedy: &str| {
        Finding::error(code, key, format!("{:#}", Error::new(why)), remedy)
    };
    let model = open_segmenter(&config.segmenter, job.rig.camera.as_ref()).err().map(|why| {
        found(
            "segmenter.closed",
            "segmenter",
            why,
            "correct segmenter.model, or choose segmenter.kind = \"exg\"",
        )
    });
    let remedy = "correct what the driver reads, or give --images";
    let pictures = match Drivers::open(config, job, SystemClock::start(), Metres::new(0.0)) {
        Ok(drivers) => {
            let row = |row| Finding::warning("driver.row", "driver", row, "correct that row of poses.csv");
            let cause = "there is no picture to look at";
            let none =
                (drivers.frames == 0).then(|| Finding::error("driver.no_pictures", "driver", cause, remedy));
            drivers.bad_rows.into_iter().map(row).chain(none).collect()
        }
        Err(why) => vec![found("driver.closed", "driver", why, remedy)],
    };
    let remedy = "go on with what was begun, or give it up";
    let mission = may_begin(config, job).err().map(|why| found("mission.closed", "plan", why, remedy));
    let outbox = takes(&config.records.outbox).err().map(|why| {
        let place = format!("records.outbox = {}", config.records.outbox.display());
        let remedy = "give a file in a folder that takes it, or --outbox";
        Finding::error("records.closed", place, format!("cannot be made or written: {why}"), remedy)
    });
    model.into_iter().chain(pictures).chain(mission).chain(outbox).collect()
}

/// A robot without a network is as it should be; one that nobody told where to send is not.
fn no_broker(config: &Config) -> Option<Finding> {
    let cause = "no broker is named: records stay on this robot, and no map shows them";
    let remedy = "set it to what kompas-cloud serve prints for robots, mqtt://HOST:PORT, or give --broker";
    config.broker.is_none().then(|| Finding::warning("uplink.no_broker", "uplink.broker", cause, remedy))
}
