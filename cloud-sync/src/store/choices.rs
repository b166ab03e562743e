//! What readers ask for.

use kompas_field::CellIndex;
use kompas_field::ids::{BootId, FarmId, FieldId, MissionId, RobotId};
use std::fmt;
use std::str::FromStr;

/// A mission's name in the whole store: farms do not ask each other how to call theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissionKey {
    /// Whose.
    pub farm: FarmId,
    /// Its name there.
    pub mission: MissionId,
}

impl fmt::Display for MissionKey {
    /// Ids have no `/`, so no two keys read alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { farm, mission } = self;
        write!(f, "{farm}/{mission}")
    }
}

impl FromStr for MissionKey {
    type Err = NoMissionKey;

    fn from_str(text: &str) -> Result<Self, NoMissionKey> {
        let read = || {
            let (farm, mission) = text.split_once('/')?;
            Some(Self { farm: farm.parse().ok()?, mission: mission.parse().ok()? })
        };
        read().ok_or_else(|| NoMissionKey { given: text.to_owned() })
    }
}

/// A text that names no mission in the whole store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not FARM/MISSION")]
pub struct NoMissionKey {
    given: String,
}

/// Which missions to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissionChoice {
    /// Of this farm; none: of all.
    pub farm: Option<FarmId>,
    /// On this field; none: on all.
    pub field: Option<FieldId>,
    /// Those that come after this one in the list; none: from the start.
    pub before: Option<MissionKey>,
    /// At most so many.
    pub most: u32,
}

/// Grid cells from one corner to the other, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellRange {
    /// South-west.
    pub from: CellIndex,
    /// North-east.
    pub to: CellIndex,
}

impl From<CellIndex> for CellRange {
    fn from(cell: CellIndex) -> Self {
        Self { from: cell, to: cell }
    }
}

/// Which incidents to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentChoice {
    /// Of this mission; none: of all.
    pub mission: Option<MissionKey>,
    /// Of these kinds, as the record names them; none: of all.
    pub kinds: Vec<String>,
    /// Closings for these reasons, as the record names them; none: whatever happened.
    pub because: Vec<String>,
    /// Those that come after this one in the list; none: from the start.
    pub before: Option<IncidentCursor>,
    /// At most so many.
    pub most: u32,
}

/// An incident's place in the list: two may have happened in one millisecond. Reads what `IncidentView::cursor` has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentCursor {
    /// When, on the robot's calendar.
    pub at_wall_ms: i64,
    /// Whose robot.
    pub farm: FarmId,
    /// Who reported.
    pub robot: RobotId,
    /// In which run.
    pub boot: BootId,
    /// Of the record.
    pub seq: u64,
}

impl FromStr for IncidentCursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let parts: Vec<&str> = text.split(',').collect();
        let no = || NoCursor { given: text.to_owned() };
        let [at_wall_ms, farm, robot, boot, seq] = parts[..] else { return Err(no()) };
        let read = || {
            Some(Self {
                at_wall_ms: at_wall_ms.parse().ok()?,
                farm: farm.parse().ok()?,
                robot: robot.parse().ok()?,
                boot: boot.parse().ok()?,
                seq: seq.parse().ok()?,
            })
        };
        read().ok_or_else(no)
    }
}

/// A text that is no place in a list of incidents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no place in the list: give the `cursor` of the last incident that you have")]
pub struct NoCursor {
    given: String,
}
