//! Which mission a run works on: the one that was left open, or a new one. Nothing that was begun is forgotten: who does
//! not go on with it ends it, in the records and in its file.

use super::{SetupError, open_outbox};
use crate::clock::SystemClock;
use crate::config::{Config, DriverChoice};
use crate::job::Job;
use crate::mission::{MissionEvent, MissionFile, MissionState, Totals};
use kompas_cloud_sync::{Draft, Origin, Outbox};
use kompas_field::ids::{BootId, MissionId};
use kompas_field::{Clock, Payload};

/// What a run begins with.
pub(super) struct Standing {
    /// To work on.
    pub(super) mission: MissionFile,
    /// The boot that left it open, where one did.
    pub(super) previous: Option<BootId>,
    /// Open until now, and nobody goes on with it.
    pub(super) left: Option<MissionFile>,
}

pub(super) fn new_boot(calendar: SystemClock) -> Result<BootId, SetupError> {
    Ok(BootId::new(format!("b-{:x}-{:x}", calendar.wall().unix_ms(), std::process::id()))?)
}

pub(super) fn origin(config: &Config, job: &Job, boot: BootId) -> Origin {
    let datum = job.field.plane.origin().datum;
    Origin { boot, clock_quality: config.records.clock_quality, datum }
}

/// The mission to work on. One that has driven or sprayed is never left for another plan of its generation: that would
/// drive the field from its start, over what is treated.
pub(super) fn standing(
    config: &Config,
    job: &Job,
    boot: &BootId,
    calendar: SystemClock,
) -> Result<Standing, SetupError> {
    let generation = job.plan.generation.0;
    let stored = MissionFile::of_field(&config.records.outbox, &job.field.id)?;
    if let Some(stored) = &stored
        && generation < stored.generation
    {
        return Err(SetupError::StalePlan { given: generation, driven: stored.generation });
    }
    // Pictures in a folder have no path to go on from.
    let goes_on = matches!(config.driver, DriverChoice::Simulator(_));
    let left = match stored.filter(|stored| stored.state.is_open()) {
        Some(stored) if goes_on && stored.plan == job.plan.id => {
            let previous = Some(stored.boot.clone());
            let state =
                if stored.state == MissionState::Treating { MissionState::Paused } else { stored.state };
            let mission = MissionFile { boot: boot.clone(), state, ..stored };
            return Ok(Standing { mission, previous, left: None });
        }
        Some(stored) if stored.has_worked() && stored.generation == generation => {
            let MissionFile { mission, field, progress_m, .. } = stored;
            return Err(SetupError::OpenMission { mission, field, progress_m });
        }
        left => left,
    };
    let mission = MissionFile {
        schema: MissionFile::SCHEMA.to_owned(),
        mission: MissionId::new(format!("m-{:x}", calendar.wall().unix_ms()))?,
        field: job.field.id.clone(),
        plan: job.plan.id.clone(),
        generation,
        state: MissionState::Idle.on(MissionEvent::PlanAccepted)?,
        progress_m: 0.0,
        boot: boot.clone(),
        totals: Totals::default(),
    };
    Ok(Standing { mission, previous: None, left })
}

/// Whether a run of `job` may begin or go on, as far as what was driven before has a say.
///
/// # Errors
/// [`SetupError::OpenMission`], [`SetupError::StalePlan`], [`SetupError::MissionFile`].
pub fn may_begin(config: &Config, job: &Job) -> Result<(), SetupError> {
    let calendar = SystemClock::start();
    standing(config, job, &new_boot(calendar)?, calendar).map(|_| ())
}

/// Ends the open mission of the job's field for good, so that the next run begins a new one; `None` where none is open.
///
/// # Errors
/// [`SetupError`]; the mission is still open then.
pub fn give_up_mission(config: &Config, job: &Job) -> Result<Option<MissionFile>, SetupError> {
    let stored = MissionFile::of_field(&config.records.outbox, &job.field.id)?;
    let Some(left) = stored.filter(|stored| stored.state.is_open()) else { return Ok(None) };
    let calendar = SystemClock::start();
    let mut outbox = open_outbox(config)?;
    end(&left, config, &mut outbox, &origin(config, job, new_boot(calendar)?), &calendar).map(Some)
}

/// Ends a mission that nobody goes on with: first in the records, so that a program that breaks off in between says it
/// twice rather than never.
pub(super) fn end(
    left: &MissionFile,
    config: &Config,
    outbox: &mut Outbox,
    origin: &Origin,
    clock: &dyn Clock,
) -> Result<MissionFile, SetupError> {
    let left = MissionFile { state: left.state.on(MissionEvent::Abort)?, ..left.clone() };
    let payload = Payload::MissionFinished(left.finished());
    outbox.append(origin, &[Draft { payload, t_mono: clock.now(), t_wall: clock.wall() }])?;
    left.store(&MissionFile::path_beside(&config.records.outbox, &left.field))?;
    Ok(left)
}
