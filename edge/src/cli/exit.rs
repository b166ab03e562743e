//! Exit codes: 0 done, 1 failed, 2 wrong use or input. Data to stdout, talk to stderr.

use kompas_edge::drivers::folder::{AlbumError, FolderError};
use kompas_edge::setup::SetupError;
use kompas_edge::survey::SurveyError;
use kompas_field::Findings;
use std::process::ExitCode;

/// A run that went through and still is not well.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failed(pub(crate) String);

/// What was given cannot be worked with.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadInput(pub(crate) String);

/// Says what was wrong, and gives the code.
#[expect(clippy::print_stderr, reason = "the one place that talks to the person at the terminal")]
pub(crate) fn report(result: anyhow::Result<()>) -> ExitCode {
    let Err(why) = result else { return ExitCode::SUCCESS };
    if let Some(Findings(findings)) = why.downcast_ref::<Findings>() {
        for finding in findings {
            eprintln!("{finding}");
        }
        return ExitCode::from(2);
    }
    eprintln!("kompas-robot: {why:#}");
    let input = match why.downcast_ref::<SetupError>() {
        Some(
            SetupError::Folder(_)
            | SetupError::StalePlan { .. }
            | SetupError::OpenMission { .. }
            | SetupError::Simulator(_)
            | SetupError::Model(_)
            | SetupError::NoOnnxRuntime,
        ) => true,
        _ => {
            why.is::<FolderError>()
                || why.is::<AlbumError>()
                || why.is::<BadInput>()
                || why.downcast_ref::<SurveyError>().is_some_and(SurveyError::is_input)
        }
    };
    ExitCode::from(if input { 2 } else { 1 })
}

/// A line of data.
#[expect(clippy::print_stdout, reason = "the one place that prints data")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}
