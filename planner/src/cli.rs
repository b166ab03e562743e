//! The commands; each parses, calls the library and prints.

use anyhow::Context;
use kompas_field::ids::FieldId;
use kompas_field::rig::RigToml;
use kompas_field::{Field, FieldCrop, Rig};
use std::path::Path;
use std::process::ExitCode;

mod begun;
pub(crate) mod check;
pub(crate) mod make;
pub(crate) mod resume;
pub(crate) mod show;
mod supply;

/// What a command ends with, besides success.
pub(crate) enum Failure {
    /// Usage or input: exit code 2.
    Input(anyhow::Error),
    /// The work itself failed: exit code 1.
    Work(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Input(error)
    }
}

pub(crate) fn report(result: Result<(), Failure>) -> ExitCode {
    let (error, code) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Input(error)) => (error, 2),
        Err(Failure::Work(error)) => (error, 1),
    };
    tracing::error!("{error:#}");
    ExitCode::from(code)
}

pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

pub(crate) fn read_rig(path: &Path) -> anyhow::Result<Rig> {
    let raw: RigToml =
        toml::from_str(&read(path)?).with_context(|| format!("{} is not a rig file", path.display()))?;
    Rig::new(raw).with_context(|| format!("{} describes no usable rig", path.display()))
}

pub(crate) fn read_field(path: &Path, crop: FieldCrop) -> anyhow::Result<Field> {
    let id = FieldId::of_file(path).with_context(|| format!("{} has no usable name", path.display()))?;
    let (field, warnings) = kompas_planner::import::field_from_file(path, id, crop)
        .with_context(|| format!("{} gives no field", path.display()))?;
    for warning in warnings {
        tracing::warn!("{}: {warning}", path.display());
    }
    Ok(field)
}

/// Crops as written on the command line.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum CropArg {
    /// Sugar beet.
    #[value(name = "sugar_beet", alias = "sugar-beet")]
    SugarBeet,
    /// Potato.
    Potato,
    /// Anything else.
    Other,
}

impl From<CropArg> for FieldCrop {
    fn from(crop: CropArg) -> Self {
        match crop {
            CropArg::SugarBeet => Self::SugarBeet,
            CropArg::Potato => Self::Potato,
            CropArg::Other => Self::Other,
        }
    }
}

#[expect(clippy::print_stdout, reason = "the one place that prints results")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}
