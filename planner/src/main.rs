//! `kompas-plan`: field, rig and weed map to a plan.

use clap::{Parser, Subcommand};
use std::io::IsTerminal as _;
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
    /// Plan the rest from where the robot stands, after new weeds or another way.
    Resume(cli::resume::ResumeArgs),
    /// Look at a plan with code that is not the planner's.
    Check(cli::check::CheckArgs),
    /// Draw a plan as SVG.
    Show(cli::show::ShowArgs),
    /// Make a survey mission for a drone.
    Mission(cli::show::MissionArgs),
    /// Write a plan in another format.
    Export(cli::show::ExportArgs),
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter("info")
        .with_target(false)
        .init();
    let result = match Args::parse().command {
        Command::Make(args) => cli::make::run(&args),
        Command::Resume(args) => cli::resume::run(&args),
        Command::Check(args) => cli::check::run(&args),
        Command::Show(args) => cli::show::show(&args),
        Command::Mission(args) => cli::show::mission(&args),
        Command::Export(args) => cli::show::export(&args),
    };
    cli::report(result)
}
