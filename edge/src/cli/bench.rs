//! `kompas-robot bench`.

use super::ConfigArgs;
use super::exit::print;
use anyhow::Result;
use kompas_edge::bench::measure;

#[derive(Debug, clap::Args)]
pub(super) struct BenchArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Pictures to measure with.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    frames: usize,
    /// Figures as JSON on stdout.
    #[arg(long)]
    json: bool,
}

pub(super) fn bench(args: &BenchArgs) -> Result<()> {
    let (config, job, _) = args.config.load()?;
    let figures = measure(&config, &job, args.frames.max(1))?;
    if args.json {
        print(&serde_json::to_string_pretty(&figures)?);
    } else {
        figures.lines().iter().for_each(|line| print(line));
    }
    Ok(())
}
