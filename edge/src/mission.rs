//! One job: its states, and the file that lets a robot that was killed go on.
//!
//! # Invariants of the file
//! - It is replaced whole (written beside, synced, renamed), so it is there before or after, never torn.
//! - `progress_m` is stored after the records of that stretch were handed to the recorder: what is driven
//!   again after a crash may be recorded twice. What a kill that leaves no time to end (SIGKILL, power) may cost is what
//!   the loop had not handed on yet: openings of the last second, plants and track of the last five.
//! - A plan of an older generation than the last one driven on this field is refused.
//! - An open mission that has driven or sprayed makes room for another plan only when that is of a later generation, or
//!   when a person gives it up; either way the records say that it ended.

use kompas_field::ids::{BootId, FieldId, MissionId, PlanId};
use kompas_field::record::MissionFinished;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Where a mission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissionState {
    /// No plan.
    Idle,
    /// A plan was accepted.
    Ready,
    /// The robot works.
    Treating,
    /// A person, or the end of the program, stopped it for now.
    Paused,
    /// The whole path was driven.
    Finished,
    /// It ended before that, for good.
    Aborted,
}

/// What may happen to a mission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissionEvent {
    /// A plan passed its checks.
    PlanAccepted,
    /// Go, or go on.
    Start,
    /// Stop for now.
    Pause,
    /// The end of the path.
    PathDone,
    /// Stop for good.
    Abort,
}

/// An event that the state does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a mission that is {state:?} cannot take {event:?}")]
pub struct WrongMove {
    /// Before.
    pub state: MissionState,
    /// What was asked.
    pub event: MissionEvent,
}

impl MissionState {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`WrongMove`]; nothing changes then.
    pub const fn on(self, event: MissionEvent) -> Result<Self, WrongMove> {
        use MissionEvent as E;
        match (self, event) {
            (Self::Idle | Self::Finished | Self::Aborted, E::PlanAccepted) => Ok(Self::Ready),
            (Self::Ready | Self::Paused, E::Start) => Ok(Self::Treating),
            (Self::Treating, E::Pause) => Ok(Self::Paused),
            (Self::Treating, E::PathDone) => Ok(Self::Finished),
            (Self::Ready | Self::Treating | Self::Paused, E::Abort) => Ok(Self::Aborted),
            (state, event) => Err(WrongMove { state, event }),
        }
    }

    /// Whether a program that starts now should go on with it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Ready | Self::Treating | Self::Paused)
    }
}

/// Counts that a mission keeps over crashes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Pictures looked at.
    pub frames: u64,
    /// Of these without use.
    pub frames_unusable: u64,
    /// Plants decided.
    pub plants: u64,
    /// Of these treated.
    pub plants_treated: u64,
    /// From valve moves.
    pub volume_l: f64,
    /// By odometry.
    pub driven_m: f64,
}

/// A mission as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissionFile {
    /// [`MissionFile::SCHEMA`].
    pub schema: String,
    /// The job.
    pub mission: MissionId,
    /// Its field.
    pub field: FieldId,
    /// Its plan.
    pub plan: PlanId,
    /// The plan's generation.
    pub generation: u32,
    /// Where it stands.
    pub state: MissionState,
    /// Along the plan's path.
    pub progress_m: f64,
    /// The run of the program that wrote this.
    pub boot: BootId,
    /// So far.
    pub totals: Totals,
}

/// Why a mission cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum MissionFileError {
    /// The disk's.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// Not a mission.
    #[error("{} is not a mission file: move it away to begin a new mission", path.display())]
    NotAMission {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A later program's.
    #[error("{} has schema {found:?}, this program reads {}: use the newer program", path.display(), MissionFile::SCHEMA)]
    Schema {
        /// The file.
        path: PathBuf,
        /// In the file.
        found: String,
    },
}

impl MissionFile {
    /// Name and version.
    pub const SCHEMA: &'static str = "kompas.mission/1";

    /// Whether anything of its field was driven or sprayed.
    pub fn has_worked(&self) -> bool {
        self.progress_m > 0.0 || self.totals.volume_l > 0.0
    }

    /// Its end as the records tell it; whole only where the whole path was driven.
    pub fn finished(&self) -> MissionFinished {
        let Totals { frames, frames_unusable, plants, plants_treated, volume_l, driven_m } = self.totals;
        MissionFinished {
            mission: self.mission.clone(),
            completed: self.state == MissionState::Finished,
            frames,
            frames_unusable,
            plants,
            plants_treated,
            volume_l,
            driven_m,
        }
    }

    /// Beside the outbox, because it tells how far the outbox's records reach; of one field, so that a job elsewhere in
    /// between does not make a robot begin anew.
    pub fn path_beside(outbox: &Path, field: &FieldId) -> PathBuf {
        outbox.with_extension(format!("mission.{field}.json"))
    }

    /// The stored mission of a field; also where a program before this one kept it, in one file for all fields.
    ///
    /// # Errors
    /// [`MissionFileError`].
    pub fn of_field(outbox: &Path, field: &FieldId) -> Result<Option<Self>, MissionFileError> {
        let own = Self::read(&Self::path_beside(outbox, field))?;
        let shared = || Self::read(&outbox.with_extension("mission.json"));
        let stored = own.map_or_else(shared, |mission| Ok(Some(mission)))?;
        Ok(stored.filter(|mission| mission.field == *field))
    }

    /// The stored mission; `None` where there never was one.
    ///
    /// # Errors
    /// [`MissionFileError`].
    pub fn read(path: &Path) -> Result<Option<Self>, MissionFileError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(why) if matches!(why.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(source) => return Err(MissionFileError::Io { doing: "read", path: path.to_owned(), source }),
        };
        let file: Self = serde_json::from_slice(&text)
            .map_err(|source| MissionFileError::NotAMission { path: path.to_owned(), source })?;
        if file.schema != Self::SCHEMA {
            return Err(MissionFileError::Schema { path: path.to_owned(), found: file.schema });
        }
        Ok(Some(file))
    }

    /// Replaces the stored mission.
    ///
    /// # Errors
    /// [`MissionFileError::Io`]; the one before is still there then.
    pub fn store(&self, path: &Path) -> Result<(), MissionFileError> {
        let fail = |doing| move |source| MissionFileError::Io { doing, path: path.to_owned(), source };
        let beside = path.with_extension("json.new");
        let text = serde_json::to_vec_pretty(self)
            .map_err(|source| MissionFileError::NotAMission { path: path.to_owned(), source })?;
        let mut file = File::create(&beside).map_err(fail("write beside"))?;
        file.write_all(&text).map_err(fail("write beside"))?;
        file.sync_all().map_err(fail("sync"))?;
        std::fs::rename(&beside, path).map_err(fail("replace"))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail("sync the folder of"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> MissionFile {
        MissionFile {
            schema: MissionFile::SCHEMA.to_owned(),
            mission: MissionId::new("m-1").unwrap(),
            field: FieldId::new("f-1").unwrap(),
            plan: PlanId::new("p-1").unwrap(),
            generation: 1,
            state: MissionState::Treating,
            progress_m: 12.5,
            boot: BootId::new("b-1").unwrap(),
            totals: Totals::default(),
        }
    }

    #[test]
    fn a_stored_mission_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = MissionFile::path_beside(&folder.path().join("outbox.db"), &file().field);
        assert_eq!(MissionFile::read(&path).unwrap(), None);
        file().store(&path).unwrap();
        let later = MissionFile { progress_m: 99.0, ..file() };
        later.store(&path).unwrap();
        assert_eq!(MissionFile::read(&path).unwrap(), Some(later));
    }

    #[test]
    fn a_mission_kept_in_the_one_file_of_before_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = folder.path().join("outbox.db");
        let of = |field: &str| MissionFile::of_field(&outbox, &FieldId::new(field).unwrap()).unwrap();
        assert_eq!(of("f-1"), None);
        file().store(&folder.path().join("outbox.mission.json")).unwrap();
        assert_eq!((of("f-1"), of("f-2")), (Some(file()), None));
        let later = MissionFile { progress_m: 99.0, ..file() };
        later.store(&MissionFile::path_beside(&outbox, &later.field)).unwrap();
        assert_eq!(of("f-1"), Some(later));
    }

    #[test]
    fn a_damaged_or_newer_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.json");
        std::fs::write(&path, b"{\"schema\":").unwrap();
        assert!(MissionFile::read(&path).unwrap_err().to_string().contains("m.json"));
        MissionFile { schema: "kompas.mission/9".to_owned(), ..file() }.store(&path).unwrap();
        assert!(matches!(MissionFile::read(&path), Err(MissionFileError::Schema { .. })));
    }

    #[test]
    fn every_move_is_known_or_refused() {
        use MissionEvent as E;
        use MissionState as S;
        let states = [S::Idle, S::Ready, S::Treating, S::Paused, S::Finished, S::Aborted];
        let events = [E::PlanAccepted, E::Start, E::Pause, E::PathDone, E::Abort];
        let allowed = [
            (S::Idle, E::PlanAccepted, S::Ready),
            (S::Finished, E::PlanAccepted, S::Ready),
            (S::Aborted, E::PlanAccepted, S::Ready),
            (S::Ready, E::Start, S::Treating),
            (S::Paused, E::Start, S::Treating),
            (S::Treating, E::Pause, S::Paused),
            (S::Treating, E::PathDone, S::Finished),
            (S::Ready, E::Abort, S::Aborted),
            (S::Treating, E::Abort, S::Aborted),
            (S::Paused, E::Abort, S::Aborted),
        ];
        for state in states {
            for event in events {
                let wanted =
                    allowed.iter().find(|(s, e, _)| (*s, *e) == (state, event)).map(|(_, _, to)| *to);
                assert_eq!(state.on(event).ok(), wanted, "{state:?} {event:?}");
            }
        }
    }
}
