//! What came of it, plant by plant.
//!
//! A plant counts when its stem was in a picture and passed under the boom with the implement on. It is
//! treated when its stem was wetted, or at least the configured share of its leaf area. Plants cut by the
//! edge of a photograph do not count: nobody knows where their stem is.

use super::config::ScoreSim;
use super::wetted::WettedGround;
use super::world::World;
use kompas_field::{PlantClass, PlantRole};
use serde::Serialize;

/// Which plants met the camera and the boom.
#[derive(Debug, Clone)]
pub(super) struct Met {
    /// Stem in a picture.
    pub(super) seen: Vec<bool>,
    /// Stem under the boom with the implement on.
    pub(super) passed: Vec<bool>,
}

impl Met {
    pub(super) fn none_of(plants: usize) -> Self {
        Self { seen: vec![false; plants], passed: vec![false; plants] }
    }
}

/// Plants of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassScore {
    /// What they are.
    pub class: PlantClass,
    /// What they are to this field.
    pub role: PlantRole,
    /// In the whole field.
    pub in_field: u64,
    /// In at least one picture.
    pub seen: u64,
    /// Seen, passed by the boom with the implement on, and whole: these are judged.
    pub judged: u64,
    /// Of the judged, wetted by the rule.
    pub treated: u64,
    /// Of the judged, larger than 4 cm².
    pub large: u64,
    /// Of these, wetted by the rule.
    pub large_treated: u64,
}

/// A weed above this has four leaves and more: one that is left competes with the crop.
const LARGE_CM2: f64 = 4.0;

/// A share and the bounds that hold the true share 95 times of 100.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ShareOf {
    /// As counted.
    pub share: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl ShareOf {
    /// `None` for none of none.
    pub(super) fn new(hits: u64, of: u64) -> Option<Self> {
        let wilson = kompas_vision::metrics::wilson(hits, of)?;
        Some(Self { share: hits as f64 / of as f64, low: wilson.low, high: wilson.high })
    }
}

/// The simulation's truth after a drive.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Weeds and volunteers judged.
    pub weeds: u64,
    /// Of them treated.
    pub weeds_treated: u64,
    /// As a share, with Wilson's 95 % interval.
    pub weeds_treated_share: Option<ShareOf>,
    /// Weeds and volunteers above 4 cm², as a share of the judged ones of that size.
    pub large_weeds_treated_share: Option<ShareOf>,
    /// Crop plants judged.
    pub crop: u64,
    /// Of them hit.
    pub crop_hit: u64,
    /// As a share, with Wilson's 95 % interval.
    pub crop_hit_share: Option<ShareOf>,
    /// In the order of class ids; classes without plants are left out.
    pub classes: Vec<ClassScore>,
    /// The way with the implement on times the boom's width; what swaths share counts twice.
    pub worked_m2: f64,
    /// Ground wetted at least once.
    pub sprayed_m2: f64,
    /// What came out of the nozzles.
    pub sprayed_l: f64,
    /// Spraying time of all nozzles together.
    pub open_s: f64,
    /// Of it, while the emergency stop was latched: more than the valves' closing time is a failure.
    pub open_while_latched_s: f64,
    /// Commands to the boom.
    pub commands: u64,
    /// Of them, after their opening time.
    pub late_commands: u64,
    /// Of them, too short or too late for a single drop.
    pub lost_commands: u64,
}

/// Whether a plant of `role` counts as treated: see the module's rule.
pub(super) fn is_treated(
    world: &World,
    number: u32,
    role: PlantRole,
    needed: &ScoreSim,
    ground: &WettedGround,
) -> bool {
    let stem = world.plants()[number as usize].stem;
    if ground.is_wet(stem) {
        return true;
    }
    let wanted = match role {
        PlantRole::Weed | PlantRole::Volunteer => needed.weed_area_share,
        PlantRole::Crop | PlantRole::StrayCrop => needed.crop_area_share,
    };
    let samples = world.area_samples(number);
    let wet = samples.iter().filter(|&&point| ground.is_wet(point)).count();
    !samples.is_empty() && wet as f64 >= wanted * samples.len() as f64
}

/// Counts every class.
pub(super) fn classes(world: &World, met: &Met, needed: &ScoreSim, ground: &WettedGround) -> Vec<ClassScore> {
    let empty = |class| {
        let role = world.crop().role_of(class)?;
        Some(ClassScore {
            class,
            role,
            in_field: 0,
            seen: 0,
            judged: 0,
            treated: 0,
            large: 0,
            large_treated: 0,
        })
    };
    let mut scores: Vec<ClassScore> = PlantClass::ALL.into_iter().filter_map(empty).collect();
    for (number, plant) in (0u32..).zip(world.plants()) {
        let Some(score) = scores.iter_mut().find(|score| score.class == plant.class) else { continue };
        let (seen, passed) = (met.seen[number as usize], met.passed[number as usize]);
        score.in_field += 1;
        score.seen += u64::from(seen);
        if seen && passed && plant.whole {
            let treated = u64::from(is_treated(world, number, score.role, needed, ground));
            let large = u64::from(plant.area_cm2 > LARGE_CM2);
            score.judged += 1;
            score.treated += treated;
            score.large += large;
            score.large_treated += large * treated;
        }
    }
    scores.retain(|score| score.in_field > 0);
    scores
}

/// Sum over the classes with one of `roles`.
pub(super) fn sum(classes: &[ClassScore], roles: &[PlantRole], of: impl Fn(&ClassScore) -> u64) -> u64 {
    classes.iter().filter(|score| roles.contains(&score.role)).map(of).sum()
}
