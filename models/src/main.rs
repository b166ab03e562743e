//! `kompas-model`: train, evaluate and export the plant recognition model.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(&cli::Args::parse())
}
