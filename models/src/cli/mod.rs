//! The commands, one file each.

mod adapt;
mod bench;
mod compare;
mod composites;
mod correct;
mod crops;
mod cross_validate;
mod evaluate;
mod export;
mod gallery;
mod learnt;
mod offsets;
mod train;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use kompas_models::data::names::ClassNames;
use kompas_models::data::{DataSet, Rejected, refuse_if_too_many};
use kompas_models::net::Params;
use kompas_models::onnx;
use kompas_models::train::Config;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
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
    /// Teach a model a field from photographs of it that nobody labelled.
    Adapt(adapt::AdaptArgs),
    /// Train without each of some groups in turn and print how well they are recognised.
    CrossValidate(cross_validate::CrossValidateArgs),
    /// Write a picture of training crops as the configuration makes them.
    Crops(crops::CropsArgs),
    /// Write a folder of labelled images with its labels put right.
    Correct(correct::CorrectArgs),
    /// Print figures per source: pixels and plants.
    Evaluate(evaluate::EvaluateArgs),
    /// Print the figures with offsets added to the scores that a file gives, to choose `score_offsets` by.
    Offsets(offsets::OffsetsArgs),
    /// Write the best and the worst predictions per source as pictures and tables.
    Gallery(gallery::GalleryArgs),
    /// Paste potato into beet scenes and beet onto potato soil, and print what they are taken for.
    Composites(composites::CompositesArgs),
    /// Compare two folders of masks pixel by pixel.
    Compare(compare::CompareArgs),
    /// Measure model files: frame to plants and its stages, one thread.
    Bench(bench::BenchArgs),
    /// Lay the classes over a photograph.
    Predict(evaluate::PredictArgs),
    /// Write the card of model files.
    Card(evaluate::CardArgs),
    /// Write the weights of a run as an ONNX file.
    Export(export::ExportArgs),
    /// Write the weights of a run as an ONNX file with 8-bit integers.
    Quantise(export::QuantiseArgs),
}

/// Where labelled images are.
#[derive(clap::Args)]
pub(crate) struct DataArgs {
    /// Folder of labelled images: with `index.csv` and a folder per source, or a COCO, YOLO or PhenoBench folder.
    #[arg(long = "data", value_name = "DIR")]
    folder: PathBuf,
    /// What a class name of a COCO or YOLO folder means, as NAME=CLASS; may be given several times.
    #[arg(long = "class", value_name = "NAME=CLASS")]
    classes: Vec<String>,
}

impl DataArgs {
    /// What the folder holds. What of it cannot be used is told.
    fn read(&self) -> Result<DataSet> {
        let names = ClassNames::parse(&self.classes).map_err(anyhow::Error::msg).context(BadInput)?;
        let data = kompas_models::data::read(&self.folder, &names).context(BadInput)?;
        tell_skipped(&data.rejected, data.items.len())?;
        Ok(data)
    }
}

/// Tells which files are skipped and why, and refuses the input where they are too many beside the `usable`.
fn tell_skipped(rejected: &[Rejected], usable: usize) -> Result<()> {
    for file in rejected {
        tracing::warn!("skipped {}: {}", file.place, file.reason);
    }
    refuse_if_too_many(rejected, usable).context(BadInput)
}

/// What a recipe says, its file of corrections read.
fn recipe(path: &Path) -> Result<Config> {
    let place = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(place).context(BadInput)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Config::parse(&text, folder).with_context(place).context(BadInput)
}

/// The weights in a run's `.safetensors` or in a 32-bit ONNX file.
fn weights(path: &Path) -> Result<Params> {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) {
        onnx::read(path).context(BadInput)
    } else {
        Params::read(path).context(BadInput)
    }
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
        Command::Adapt(args) => adapt::run(args),
        Command::CrossValidate(args) => cross_validate::run(args),
        Command::Correct(args) => correct::run(args),
        Command::Crops(args) => crops::run(args),
        Command::Offsets(args) => offsets::run(args),
        Command::Gallery(args) => gallery::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Composites(args) => composites::run(args),
        Command::Bench(args) => bench::run(args),
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

/// A multiple of the working size.
fn zoom(text: &str) -> Result<f64, String> {
    let range = 0.1..=4.0;
    let number = text.trim().parse().ok().filter(|zoom| range.contains(zoom));
    number.ok_or_else(|| format!("a number from {} to {}", range.start(), range.end()))
}

/// What scores are divided by.
fn temperature(text: &str) -> Result<f64, String> {
    let range = 0.1..=10.0;
    let number = text.trim().parse().ok().filter(|temperature: &f64| range.contains(temperature));
    number.ok_or_else(|| format!("a number from {} to {}", range.start(), range.end()))
}

/// Writes `value` to the file `name` of a run's folder, whole or not at all.
fn write_whole(out: &Path, name: &str, value: &impl serde::Serialize) -> Result<()> {
    let place = out.join(name);
    let part = place.with_extension("part");
    std::fs::write(&part, serde_json::to_vec_pretty(value)?)
        .and_then(|()| std::fs::rename(&part, &place))
        .with_context(|| format!("cannot write {}", place.display()))
}
