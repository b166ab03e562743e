//! `kompas-robot`: checks a job, runs it, measures the loop.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::exit::report(cli::run(&cli::Args::parse()))
}
