//! What a run came to, for people and programs.

use crate::drivers::folder::Kept;
use crate::robot::RunEnd;
use crate::sim::Score;
use crate::tally::StageSeconds;
use kompas_cloud_sync::{Counts, UplinkStatus};
use serde::Serialize;
use std::collections::BTreeMap;

/// Percentiles of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half took at most this.
    pub p50: f64,
    /// 99 in 100 took at most this.
    pub p99: f64,
}

/// Plants against the simulator's truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlantScore {
    /// Weeds and volunteers on the way driven.
    pub weeds: u64,
    /// Of these treated.
    pub weeds_treated: u64,
    /// Crop plants on the way driven.
    pub crop: u64,
    /// Of these hit.
    pub crop_hit: u64,
}

/// One run of the program.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The job.
    pub mission: String,
    /// `finished`, `paused` or `aborted`.
    pub state: String,
    /// Along the path, when this run began; absent unless it went on with a mission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed_from_m: Option<f64>,
    /// Pictures looked at.
    pub frames: u64,
    /// Of these without use.
    pub frames_unusable: u64,
    /// Usable, but taken where nobody knows.
    pub frames_without_pose: u64,
    /// Fixes without a position.
    pub fixes_unusable: u64,
    /// Steps of the position that nobody could explain.
    pub position_jumps: u64,
    /// Grid cells in which liquid came out.
    pub cells_treated: usize,
    /// Records on disk, in this run.
    pub records_written: u64,
    /// Records that the disk did not take before the end.
    pub records_unwritten: u64,
    /// The outbox over all runs.
    pub outbox: Counts,
    /// The link, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uplink: Option<UplinkStatus>,
    /// Against the truth; simulation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plants: Option<PlantScore>,
    /// The whole truth; simulation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<Score>,
    /// Plants decided.
    pub plants_decided: u64,
    /// Of these treated.
    pub plants_treated: u64,
    /// Tracked beside them: parts that the edge of a picture cut off decided plants.
    pub parts_of_plants: u64,
    /// Plants decided, by rule.
    pub decisions: BTreeMap<String, u64>,
    /// Time shut by reason, on the robot's clock.
    pub closed_s: BTreeMap<String, f64>,
    /// Pictures kept, where somebody wanted them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pictures: Option<Kept>,
    /// Nozzle openings.
    pub openings: u64,
    /// Liquid from nozzle openings.
    pub volume_l: f64,
    /// By odometry, in this run.
    pub driven_m: f64,
    /// Length of the plan's path.
    pub path_m: f64,
    /// This machine's time, by stage of the loop.
    pub stage_seconds: StageSeconds,
    /// From a picture in hand to its plants decided, this machine's time.
    pub frame_to_decision_ms: Percentiles,
}

impl Report {
    /// From what a run left behind.
    pub fn of(
        end: &RunEnd,
        resumed_from_m: Option<f64>,
        truth: Option<Score>,
        outbox: Counts,
        uplink: Option<UplinkStatus>,
    ) -> Self {
        let RunEnd { mission, tally, records, pictures, cells_treated, driven, path, position_jumps, .. } =
            end;
        let plants = truth.as_ref().map(|score| PlantScore {
            weeds: score.weeds,
            weeds_treated: score.weeds_treated,
            crop: score.crop,
            crop_hit: score.crop_hit,
        });
        Self {
            mission: mission.mission.to_string(),
            state: format!("{:?}", mission.state).to_lowercase(),
            resumed_from_m,
            frames: tally.frames,
            frames_unusable: tally.frames_unusable,
            frames_without_pose: tally.frames_without_pose,
            fixes_unusable: tally.fixes_unusable,
            position_jumps: *position_jumps,
            cells_treated: *cells_treated,
            records_written: records.written,
            records_unwritten: records.unwritten,
            outbox,
            uplink,
            plants,
            truth,
            plants_decided: tally.plants,
            plants_treated: tally.plants_treated,
            parts_of_plants: tally.parts,
            decisions: tally.by_rule.clone(),
            closed_s: tally.closed_s.clone(),
            pictures: pictures.clone(),
            openings: tally.openings,
            volume_l: tally.volume_l,
            driven_m: driven.get(),
            path_m: path.get(),
            stage_seconds: tally.stages,
            frame_to_decision_ms: Percentiles { p50: tally.latency_ms(0.5), p99: tally.latency_ms(0.99) },
        }
    }

    /// A few lines for a person.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("mission {} {}: {:.0} m driven", self.mission, self.state, self.driven_m),
            format!(
                "pictures: {}, of these {} without use and {} without a place",
                self.frames, self.frames_unusable, self.frames_without_pose
            ),
            format!("plants decided: {}, treated: {}", self.plants_decided, self.plants_treated),
            format!(
                "grid cells treated: {}, {:.2} litres from {} openings",
                self.cells_treated, self.volume_l, self.openings
            ),
            format!(
                "records: {} written in this run; outbox: {} waiting, {} committed",
                self.records_written, self.outbox.waiting, self.outbox.committed
            ),
        ];
        if let Some(plants) = &self.plants {
            lines.push(format!(
                "against the truth: {} of {} weeds treated, {} of {} crop plants hit",
                plants.weeds_treated, plants.weeds, plants.crop_hit, plants.crop
            ));
        }
        if let Some(Kept { pictures, left_out, cause }) = &self.pictures {
            let cause = cause.as_ref().map_or(String::new(), |cause| format!("; stopped early: {cause}"));
            lines.push(format!("pictures kept: {pictures}, left out for want of time: {left_out}{cause}"));
        }
        lines.push(format!(
            "picture to decision: {:.1} ms (p50), {:.1} ms (p99)",
            self.frame_to_decision_ms.p50, self.frame_to_decision_ms.p99
        ));
        lines
    }
}
