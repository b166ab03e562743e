//! Ids are types: a plan id cannot be passed where a robot id is wanted.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// The longest id: it stands in topics, paths and file names.
const MAX_ID_LEN: usize = 64;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a {kind}: use 1 to {MAX_ID_LEN} of a-z, A-Z, 0-9, '-', '_'")]
pub struct InvalidId {
    /// The type wanted.
    pub kind: &'static str,
    /// What was given.
    pub given: String,
}

/// Letters, digits, `-` and `_` only: the same text is safe in an MQTT topic, a URL and a file name.
fn is_id(text: &str) -> bool {
    (1..=MAX_ID_LEN).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// [`InvalidId`] unless it is 1 to 64 letters, digits, `-` or `_`.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let given = text.into();
                if is_id(&given) { Ok(Self(given)) } else { Err(InvalidId { kind: stringify!($name), given }) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

typed_ids! {
    /// A batch of records on loan to the uplink.
    BatchId,
    /// One run of the robot program; new at every start.
    BootId,
    /// A farm: the root of its robots' topics.
    FarmId,
    /// A field as the farmer knows it.
    FieldId,
    /// One job on one field.
    MissionId,
    /// A released recognition model.
    ModelId,
    /// A plan: the digest of what it was made from.
    PlanId,
    /// A robot or drone.
    RobotId,
}

impl FieldId {
    /// After the file that holds it: its name without the ending, cut to 64 characters, with `-` for what an id cannot hold.
    ///
    /// # Errors
    /// [`InvalidId`] of a path without a file name.
    pub fn of_file(path: &Path) -> Result<Self, InvalidId> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let in_id = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        Self::new(stem.chars().map(in_id).take(MAX_ID_LEN).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_called_as_its_file() {
        let id = |path: &str| FieldId::of_file(Path::new(path)).map(|id| id.to_string());
        assert_eq!(id("parcels/Grote Akker (2).geojson").unwrap(), "Grote-Akker--2-");
        assert_eq!(id(&"ö".repeat(70)).unwrap(), "-".repeat(64));
        assert!(id("/").is_err());
    }

    #[test]
    fn an_id_is_safe_in_a_topic_and_a_path() {
        assert!(RobotId::new("kompas-01").is_ok());
        for bad in ["", "a/b", "a+b", "#", "..", "é", &"x".repeat(65)] {
            assert!(RobotId::new(bad).is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<RobotId>("\"a/b\"").is_err());
    }
}
