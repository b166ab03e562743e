//! What a checker returns: place, cause, remedy.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It may be used; a person should know.
    Warning,
    /// It must not be used.
    Error,
}

/// One thing that is wrong, said so that the reader can mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for programs, for example `boundary.self_intersection`.
    pub code: String,
    /// Where: a key, a ring and vertex, a position.
    pub place: String,
    /// What is wrong, with the value.
    pub cause: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// A finding that forbids use.
    pub fn error(
        code: impl Into<String>,
        place: impl Into<String>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            code: code.into(),
            place: place.into(),
            cause: cause.into(),
            remedy: remedy.into(),
        }
    }

    /// A finding that informs.
    pub fn warning(
        code: impl Into<String>,
        place: impl Into<String>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, cause, remedy) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {} [{}]", self.place, self.cause, self.remedy, self.code)
    }
}

/// All findings at once, as an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// `Ok(value)` when nothing of severity [`Severity::Error`] was found.
    ///
    /// # Errors
    /// All findings, errors first.
    pub fn into_result<T>(mut self, value: T) -> Result<T, Self> {
        if self.0.iter().any(|finding| finding.severity == Severity::Error) {
            self.0.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
            return Err(self);
        }
        Ok(value)
    }
}
