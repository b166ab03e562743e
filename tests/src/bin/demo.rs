//! `make demo`: cloud and robot as two processes, one small field, the farmer's map.

use anyhow::{Context, Result, bail};
use clap::Parser;
use kompas_tests::cloud::Cloud;
use kompas_tests::demo_folder::{DemoFolderError, emptied};
use kompas_tests::process::released_model;
use kompas_tests::report::demo_report;
use kompas_tests::robot::Job;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Drive one small field from camera to map.
#[derive(Debug, Parser)]
#[command(name = "kompas-demo", version)]
struct Args {
    /// Stop when the field is done.
    #[arg(long)]
    exit: bool,
    /// Lay these photographs (FOLDER/images, FOLDER/masks) on the ground instead of drawing it.
    #[arg(long, value_name = "FOLDER")]
    images: Option<PathBuf>,
    /// What finds plants: `exg`, or a model file with its card beside it. Without it the released model looks at
    /// photographs, and excess green at drawn ground: no model was trained on drawings.
    #[arg(long, value_name = "exg|MODEL")]
    segmenter: Option<PathBuf>,
    /// The map's preferred port; a free one is taken when it is in use.
    #[arg(long, default_value_t = 8090)]
    port: u16,
    /// Where the demo keeps its files. What the last demo left there is deleted at the start; a folder with a `cloud` or
    /// `robot` that no demo made is refused.
    #[arg(long, default_value = "target/demo")]
    folder: PathBuf,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("demo: {error:#}"));
            ExitCode::from(if error.is::<DemoFolderError>() { 2 } else { 1 })
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let folder = std::path::absolute(&args.folder).context("no such folder")?;
    emptied(&folder)?;
    let mut cloud = Cloud::start_at(&folder.join("cloud"), &free_port(args.port), "127.0.0.1:0")?;
    say(&format!("map: {}", cloud.at.map_url));
    let mut job =
        Job::demo(&folder.join("robot")).with("--broker", &cloud.at.broker_url).with("--drain-s", &120);
    if let Some(images) = &args.images {
        job = job.with("--images", &std::path::absolute(images).context("no such folder")?.display());
    }
    let released = || args.images.as_ref().map(|_| released_model());
    if let Some(segmenter) = args.segmenter.clone().or_else(released) {
        job = job.with("--segmenter", &segmenter.display());
    }
    let robot = job.run()?;
    let written = robot["outbox"]["written"].as_u64().context("the robot does not say what it wrote")?;
    cloud.wait_for_records(written)?;
    let report = demo_report(&robot, &cloud)?;
    let path = folder.join("report.json");
    std::fs::write(&path, serde_json::to_string_pretty(&report)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    say(&summary(&report));
    say(&format!("report: {}", path.display()));
    if report["records_written"] != report["records_committed"] {
        bail!("written {} and committed {} differ", report["records_written"], report["records_committed"]);
    }
    if !args.exit {
        say(&format!("The map: {}    Ctrl-C stops.", cloud.at.map_url));
        while !cloud.has_ended()? {
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    Ok(())
}

fn free_port(preferred: u16) -> String {
    let taken = TcpListener::bind(("127.0.0.1", preferred)).is_err();
    format!("127.0.0.1:{}", if taken { 0 } else { preferred })
}

fn summary(report: &serde_json::Value) -> String {
    let plants = &report["plants"];
    format!(
        "frames {} · grid cells treated {} · records written {} = committed {}\n\
         weeds treated {} of {} · crop plants hit {} of {} · picture to decision {:.1} ms (p50)",
        report["frames"],
        report["cells_treated"],
        report["records_written"],
        report["records_committed"],
        plants["weeds_treated"],
        plants["weeds"],
        plants["crop_hit"],
        plants["crop"],
        report["frame_to_decision_ms"]["p50"].as_f64().unwrap_or(f64::NAN),
    )
}

#[expect(clippy::print_stderr, reason = "the one place that talks to the person at the terminal")]
fn say(line: &str) {
    eprintln!("{line}");
}
