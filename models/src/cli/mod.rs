//! The commands, one file each.

mod crops;
mod evaluate;
mod export;
mod train;

use clap::{Parser, Subcommand};
use std::io::IsTerminal as _;
use std::process::ExitCode;

/// Trains, evaluates and exports the plant recognition model.
#[derive(Parser)]
#[command(name = "kompas-model", version, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train on a folder of labelled images; goes on where a killed run stopped.
    Train(train::TrainArgs),
    /// Write a picture of training crops as the configuration makes them.
    Crops(crops::CropsArgs),
    /// Print figures per source: pixels and plants.
    Evaluate(evaluate::EvaluateArgs),
    /// Lay the classes over a photograph.
    Predict(evaluate::PredictArgs),
    /// Write the card of model files.
    Card(evaluate::CardArgs),
    /// Write the weights of a run as an ONNX file.
    Export(export::ExportArgs),
    /// Write the weights of a run as an ONNX file with 8-bit integers.
    Quantise(export::QuantiseArgs),
}

/// Bad usage or input, as opposed to a failure of ours.
#[derive(Debug)]
pub(crate) struct BadInput;

impl std::fmt::Display for BadInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this input cannot be used")
    }
}

/// Runs the command; 0 it worked, 1 it failed, 2 the input is at fault.
pub(crate) fn run(args: &Args) -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    let done = match &args.command {
        Command::Train(args) => train::run(args),
        Command::Crops(args) => crops::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Predict(args) => evaluate::predict(args),
        Command::Card(args) => evaluate::write_card(args),
        Command::Export(args) => export::export(args),
        Command::Quantise(args) => export::quantise(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::from(if error.is::<BadInput>() { 2 } else { 1 })
        }
    }
}
