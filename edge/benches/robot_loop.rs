//! Frames per second of the robot loop on the demonstration field, with the share of each stage.

use kompas_edge::bench::measure;
use kompas_edge::config::Config;
use kompas_edge::job::Job;
use std::path::Path;

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/simulator.toml");
    let config =
        Config::read(&file, vec![]).config.ok_or("the demonstration's configuration does not read")?;
    let (job, _) = Job::load(&config)?;
    measure(&config, &job, 120)?.lines().iter().for_each(|line| println!("{line}"));
    Ok(())
}
