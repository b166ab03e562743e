//! The end of a run: paused, finished or broken off.

use super::{Robot, Seconds};
use crate::drivers::folder::{Album, Kept};
use crate::logbook::DecisionListError;
use crate::mission::{MissionEvent, MissionFile, WrongMove};
use crate::recorder::RecorderSummary;
use crate::tally::Tally;
use kompas_field::units::Metres;
use kompas_field::{ClosedBecause, RobotInstant, WeedMap};

/// The path counts as driven when less than this is left: the last picture is taken before its end.
const PATH_END: Metres = Metres::new(3.0);
/// Commands under way when the pictures end are let finish: longer than the nozzle horizon and any opening.
const LAST_OPENINGS: Seconds = Seconds::new(1.0);

/// What a run left behind.
#[derive(Debug)]
pub struct RunEnd {
    /// As stored.
    pub mission: MissionFile,
    /// Counts of this run.
    pub tally: Tally,
    /// What the disk took.
    pub records: RecorderSummary,
    /// Whether the list of decisions that a person asked for is whole; the records are, all the same.
    pub list: Result<(), DecisionListError>,
    /// Pictures of the drive, where somebody wanted them.
    pub pictures: Option<Kept>,
    /// Grid cells in which liquid came out, in this run.
    pub cells_treated: usize,
    /// By odometry, in this run.
    pub driven: Metres,
    /// Of the plan's path.
    pub path: Metres,
    /// Steps of the position that nobody could explain.
    pub position_jumps: u64,
    /// Plants per grid cell.
    pub weed_map: WeedMap,
}

impl Robot {
    /// Ends the run. Paused, the next run goes on; else the mission is over, after the robot has driven on
    /// until `drive_end` with no more pictures.
    ///
    /// # Errors
    /// [`WrongMove`]: the mission was not begun.
    pub fn end(mut self, paused: bool, drive_end: Option<RobotInstant>) -> Result<RunEnd, WrongMove> {
        let mut now = self.time.clock().now();
        if !paused {
            self.live_until(now.after(LAST_OPENINGS).max(drive_end.unwrap_or(RobotInstant::START)));
            now = self.time.clock().now();
        }
        let served = self.sprayer.end(now);
        self.write_down(now, served);
        let whole = self.progress.at() + PATH_END >= self.progress.length();
        let event = match (paused, whole) {
            (true, _) => MissionEvent::Pause,
            (false, true) => MissionEvent::PathDone,
            (false, false) => MissionEvent::Abort,
        };
        self.mission.state = self.mission.state.on(event)?;
        if !paused {
            self.decide_rest(now, ClosedBecause::MissionNotTreating);
        }
        let mission = self.mission_now();
        let finished = (!paused).then(|| mission.finished());
        let (records, list) = self.logbook.close(finished, mission.clone(), self.time.clock());
        Ok(RunEnd {
            mission,
            records,
            list,
            pictures: self.album.map(Album::end),
            cells_treated: self.memory.cells.len(),
            driven: self.poses.driven(),
            path: self.progress.length(),
            position_jumps: self.poses.jumps(),
            weed_map: self.weed_map,
            tally: self.tally,
        })
    }
}
