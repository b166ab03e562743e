//! What the demo leaves behind, from the robot's report and the cloud's counts.

use crate::cloud::Cloud;
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// `target/demo/report.json`. `records_written` is what the robot's outbox holds over all its runs,
/// `records_committed` what the cloud's store holds: two counts by two programs.
///
/// # Errors
/// When the robot's report lacks a key or the cloud does not answer.
pub fn demo_report(robot: &Value, cloud: &Cloud) -> Result<Value> {
    let take = |key: &str| robot.get(key).cloned().with_context(|| format!("no {key} in the robot's report"));
    let mission = cloud.mission()?;
    Ok(json!({
        "frames": take("frames")?,
        "frames_unusable": take("frames_unusable")?,
        "cells_treated": mission["cells_treated"],
        "records_written": robot["outbox"]["written"],
        "records_committed": cloud.records()?,
        "plants": take("plants")?,
        "truth": take("truth")?,
        "plants_decided": take("plants_decided")?,
        "decisions": take("decisions")?,
        "volume_l": take("volume_l")?,
        "driven_m": take("driven_m")?,
        "stage_seconds": take("stage_seconds")?,
        "frame_to_decision_ms": take("frame_to_decision_ms")?,
        "segmenter": mission["segmenter"],
        "map_url": cloud.at.map_url,
    }))
}
