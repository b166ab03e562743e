//! Exit codes: 0 done, 1 failed, 2 wrong use or input. Data to stdout, talk to stderr.

use kompas_cloud_sync::OutboxError;
use kompas_edge::bench::BenchError;
use kompas_edge::drivers::folder::{AlbumError, FolderError};
use kompas_edge::setup::{SetupError, is_of_others};
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
    let input = why.is::<FolderError>()
        || why.is::<AlbumError>()
        || why.is::<BadInput>()
        || why.downcast_ref::<OutboxError>().is_some_and(is_of_others)
        || why.downcast_ref::<SetupError>().is_some_and(SetupError::is_input)
        || why.downcast_ref::<BenchError>().is_some_and(BenchError::is_input)
        || why.downcast_ref::<SurveyError>().is_some_and(SurveyError::is_input);
    ExitCode::from(if input { 2 } else { 1 })
}

/// A line of data.
#[expect(clippy::print_stdout, reason = "the one place that prints data")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}
