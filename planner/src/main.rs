//! `kompas-plan`: field, rig and weed map to a plan.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

mod cli;

/// Plans field robot missions: boundary, rig and weed map to a checked, drivable plan.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a plan for a field.
    Make(cli::make::MakeArgs),
    /// Look at a plan with code that shares nothing with the planner.
    Check(cli::check::CheckArgs),
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter("info").with_target(false).init();
    let result = match Args::parse().command {
        Command::Make(args) => cli::make::run(&args),
        Command::Check(args) => cli::check::run(&args),
    };
    cli::report(result)
}
