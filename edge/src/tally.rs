//! What the robot counts and measures of itself. Measured times are reported and decide nothing.

use kompas_field::units::Seconds;
use kompas_field::{Decision, RobotInstant, Rule};
use serde::Serialize;
use std::collections::BTreeMap;

/// Where the loop's time goes, seconds of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct StageSeconds {
    /// Waiting for and decoding (or rendering) pictures.
    pub frame: f64,
    /// Whether a picture shows anything.
    pub usable: f64,
    /// Pixels to classes.
    pub segment: f64,
    /// Classes to plants.
    pub plants: f64,
    /// Pixels to metres.
    pub ground: f64,
    /// Plants over frames.
    pub track: f64,
    /// Plants to decisions.
    pub decide: f64,
    /// Fixes, guard and valves.
    pub nozzle: f64,
    /// Batches to the recorder.
    pub record: f64,
}

impl StageSeconds {
    /// Names and values, in the order of the loop.
    pub const fn stages(&self) -> [(&'static str, f64); 9] {
        let Self { frame, usable, segment, plants, ground, track, decide, nozzle, record } = *self;
        [
            ("frame", frame),
            ("usable", usable),
            ("segment", segment),
            ("plants", plants),
            ("ground", ground),
            ("track", track),
            ("decide", decide),
            ("nozzle", nozzle),
            ("record", record),
        ]
    }

    /// All stages.
    pub fn total(&self) -> f64 {
        self.stages().iter().map(|(_, seconds)| seconds).sum()
    }
}

/// Counts of one run of the program.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Pictures handed over.
    pub frames: u64,
    /// Of these without use.
    pub frames_unusable: u64,
    /// Usable, but nobody knows where.
    pub frames_without_pose: u64,
    /// Fixes without a position, or with one that is no place on this field.
    pub fixes_unusable: u64,
    /// Plants decided.
    pub plants: u64,
    /// Tracked, but only a part that the edge of a picture cut off a decided plant.
    pub parts: u64,
    /// Of these treated.
    pub plants_treated: u64,
    /// Plants decided, by rule.
    pub by_rule: BTreeMap<String, u64>,
    /// Nozzle openings.
    pub openings: u64,
    /// Liquid.
    pub volume_l: f64,
    /// Time shut, by reason, seconds of the robot's clock.
    pub closed_s: BTreeMap<String, f64>,
    /// The loop's stages.
    pub stages: StageSeconds,
    latencies_ms: Vec<f64>,
}

impl Tally {
    /// Counts a decision.
    pub fn decided(&mut self, decision: &Decision) {
        self.plants += 1;
        self.plants_treated += u64::from(decision.verdict == kompas_field::Verdict::Treat);
        *self.by_rule.entry(rule_name(&decision.rule)).or_default() += 1;
    }

    /// Adds time kept shut.
    pub fn shut(&mut self, because: kompas_field::ClosedBecause, time: Seconds) {
        *self.closed_s.entry(text_of(&because)).or_default() += time.get();
    }

    /// From the picture in hand to the plants decided, on this machine's clock.
    pub fn latency(&mut self, from: RobotInstant, until: RobotInstant) {
        self.latencies_ms.push(until.since(from).get() * 1e3);
    }

    /// The share `p` of frames took at most this; 0 without frames.
    pub fn latency_ms(&self, p: f64) -> f64 {
        let mut sorted = self.latencies_ms.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index below the length"
        )]
        let at = (p * (sorted.len().saturating_sub(1)) as f64).round() as usize;
        sorted.get(at).copied().unwrap_or(0.0)
    }
}

/// The rule's name as in records, with the reason of a closed nozzle.
fn rule_name(rule: &Rule) -> String {
    match rule {
        Rule::Closed { because } => format!("closed_{}", text_of(because)),
        other => match serde_json::to_value(other) {
            Ok(value) => value["rule"].as_str().unwrap_or("unnamed").to_owned(),
            Err(_) => "unnamed".to_owned(),
        },
    }
}

fn text_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => "unnamed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompas_field::ClosedBecause;

    #[test]
    fn rules_have_the_names_of_the_records() {
        assert_eq!(rule_name(&Rule::CellNotPrescribed), "cell_not_prescribed");
        assert_eq!(rule_name(&Rule::TooLate { late_ms: 3.0 }), "too_late");
        assert_eq!(rule_name(&Rule::Closed { because: ClosedBecause::FixTooPoor }), "closed_fix_too_poor");
    }

    #[test]
    fn percentiles_are_of_the_sorted_list() {
        let mut tally = Tally::default();
        for ms in [5u64, 1, 3, 2, 4] {
            tally.latency(RobotInstant::START, RobotInstant::from_nanos(ms * 1_000_000));
        }
        assert!((tally.latency_ms(0.5) - 3.0).abs() < 1e-9 && (tally.latency_ms(0.99) - 5.0).abs() < 1e-9);
        assert!(Tally::default().latency_ms(0.5).abs() < 1e-9);
    }
}
