//! One plant is one plant: detections of many frames gathered by place, so that it can be decided once.
//!
//! # Rules
//! - A detection belongs to the nearest plant within the gate, one to one; pairs are taken by distance, then
//!   plant number, then order in the frame, so the same input gives the same plants.
//! - Place and area: the mean of the whole sightings, weighted by 1/σ². A sighting that the edge of the
//!   picture cuts only adds to the class of a plant seen whole; it never moves it. A plant seen only cut
//!   stands where its largest part was seen, and gives way to the first whole sighting.
//! - The gate is wider by what either sighting may lean: seen from two sides, one canopy lands at two places.
//! - It is wider by the plant's own radius when either side is cut, because the middle of a
//!   part lies up to that far from the middle of the whole.
//! - Leaves: of the sighting that leans least, a whole one if there is one; once forgotten, of the largest part until then.
//! - Class: the one with the largest sum of confidences. Its confidence: that sum over all frames seen.

use crate::ground::{GroundDetection, Leaf, disc_radius_m};
use kompas_field::decision::PlantNumber;
use kompas_field::units::Metres;
use kompas_field::{Confidence, FieldFrame, PlantClass, Point2, RobotInstant};
use std::collections::HashMap;

/// When two sightings are one plant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackerRules {
    /// Farther apart than this are two plants, both seen whole.
    pub gate: Metres,
}

impl Default for TrackerRules {
    fn default() -> Self {
        // Three times the error budget of a pose (2.3 cm at 95 %) between two frames, rounded up.
        Self { gate: Metres::new(0.04) }
    }
}

/// One individual over all frames so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Plant {
    /// Given once, in order of appearance.
    pub number: PlantNumber,
    /// Where the stem enters the ground.
    pub position: Point2<FieldFrame>,
    /// One standard deviation of the position, per axis.
    pub sigma: Metres,
    /// Leaf area seen from above.
    pub area_cm2: f64,
    /// First seen.
    pub first_seen: RobotInstant,
    /// Last seen.
    pub last_seen: RobotInstant,
    /// Frames it was seen in.
    pub frames_seen: u32,
    votes: [f64; PlantClass::ALL.len()],
    whole: u32,
    weight: f64,
    /// Of the sighting that leans least.
    lean: Metres,
    /// As seen, before the place was averaged: of a stem at `leaves_at`, leaning by `leaves_lean`.
    leaves: Vec<Leaf>,
    leaves_at: Point2<FieldFrame>,
    leaves_lean: Metres,
    extent: Metres,
}

impl Plant {
    /// What it is, by the sum of confidences; the lower id among equals.
    pub fn class(&self) -> PlantClass {
        let best = PlantClass::ALL.into_iter().rev().max_by(|a, b| self.vote(*a).total_cmp(&self.vote(*b)));
        best.unwrap_or(PlantClass::Weed)
    }

    /// How sure: the mean over its frames of the confidence in its class, 0 in frames that said otherwise.
    pub fn confidence(&self) -> Confidence {
        Confidence::clamped(self.vote(self.class()) / f64::from(self.frames_seen))
    }

    fn vote(&self, class: PlantClass) -> f64 {
        self.votes[usize::from(class.id())]
    }

    /// Seen whole at least once: place and area are the plant's, not a part's.
    pub const fn seen_whole(&self) -> bool {
        self.whole > 0
    }

    /// Where its leaves are: together its area as one sighting showed it, moved to where the stem is now known to be.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf> + '_ {
        let by = (self.position.x - self.leaves_at.x, self.position.y - self.leaves_at.y);
        self.leaves.iter().map(move |leaf| {
            let place = Point2::new(leaf.place.x + by.0, leaf.place.y + by.1);
            Leaf { place, ..*leaf }
        })
    }

    /// From the stem to the farthest of its leaves.
    pub const fn extent(&self) -> Metres {
        self.extent
    }

    /// Around the stem as the sighting has it.
    fn keep_leaves(&mut self, detection: &GroundDetection) {
        self.leaves.clone_from(&detection.leaves);
        self.leaves_at = detection.sighting.position;
        self.leaves_lean = detection.lean;
        self.extent = extent_of(&detection.leaves, self.leaves_at);
    }

    /// Those of a part, where they are, around the stem as it is known: any whole sighting has better ones.
    fn keep_leaves_of_part(&mut self, detection: &GroundDetection) {
        self.leaves.clone_from(&detection.leaves);
        self.leaves_at = self.position;
        self.leaves_lean = Metres::new(f64::MAX);
        self.extent = extent_of(&detection.leaves, self.leaves_at);
    }

    /// Whether a part shows more of it than is kept, and what is kept is of a part, too, or nothing.
    fn is_less_than(&self, part: &GroundDetection) -> bool {
        let area = |leaves: &[Leaf]| leaves.iter().map(|leaf| leaf.area_cm2).sum::<f64>();
        let of_a_part = self.leaves_lean >= Metres::new(f64::MAX);
        self.leaves.is_empty() || of_a_part && area(&self.leaves) < area(&part.leaves)
    }

    /// Of the disc as large as its leaf area.
    pub fn radius(&self) -> Metres {
        Metres::new(disc_radius_m(self.area_cm2))
    }
}

fn extent_of(leaves: &[Leaf], stem: Point2<FieldFrame>) -> Metres {
    leaves.iter().map(|leaf| leaf.place.distance(stem)).fold(Metres::ZERO, Metres::max)
}

/// All plants met on a mission.
#[derive(Debug, Clone)]
pub struct Tracker {
    rules: TrackerRules,
    plants: Vec<Plant>,
    /// Plant indices by square of the ground.
    squares: HashMap<[i64; 2], Vec<usize>>,
}

/// Side of a square of the index; larger than any gate in use keeps the search to 9 squares.
const SQUARE_M: f64 = 0.5;

impl Tracker {
    /// With no plants yet.
    pub fn new(rules: TrackerRules) -> Self {
        Self { rules, plants: Vec::new(), squares: HashMap::new() }
    }

    /// All plants so far, by number.
    pub fn plants(&self) -> &[Plant] {
        &self.plants
    }

    /// Takes in one frame, true at `true_at`; returns for every detection the plant it belongs to.
    pub fn update(&mut self, true_at: RobotInstant, seen: &[GroundDetection]) -> Vec<PlantNumber> {
        let mut pairs = self.pairs_within_gates(seen);
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut plant_of: Vec<Option<usize>> = vec![None; seen.len()];
        let mut taken = std::collections::BTreeSet::new();
        for (_, plant, detection) in pairs {
            if plant_of[detection].is_none() && taken.insert(plant) {
                plant_of[detection] = Some(plant);
            }
        }
        let indices = plant_of.into_iter().zip(seen);
        indices
            .map(|(known, detection)| {
                let index = if let Some(index) = known {
                    self.refine(index, true_at, detection);
                    index
                } else {
                    self.add(true_at, detection)
                };
                self.plants[index].number
            })
            .collect()
    }

    /// The places of plants nearer than `within` to `here` are not to be trusted: what is seen there from now on is a plant
    /// of its own.
    pub fn forget_places(&mut self, here: Point2<FieldFrame>, within: Metres) {
        let plants = &self.plants;
        self.squares.retain(|_, known| {
            known.retain(|&index| plants[index].position.distance(here) > within);
            !known.is_empty()
        });
    }

    /// Where the leaves of a plant are is not asked any more until it is seen again.
    pub fn forget_leaves(&mut self, number: PlantNumber) {
        let at = usize::try_from(number.0).ok();
        if let Some(plant) = at.and_then(|at| self.plants.get_mut(at)) {
            plant.leaves = Vec::new();
        }
    }

    fn pairs_within_gates(&self, seen: &[GroundDetection]) -> Vec<(f64, usize, usize)> {
        let mut pairs = Vec::new();
        for (at, detection) in seen.iter().enumerate() {
            let position = detection.sighting.position;
            let own_radius = disc_radius_m(detection.sighting.area_cm2);
            let [column, row] = square_of(position);
            for square in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| [column + dx, row + dy])) {
                for &index in self.squares.get(&square).map_or(&[][..], Vec::as_slice) {
                    let plant = &self.plants[index];
                    let cut = detection.cut || !plant.seen_whole();
                    let slack = if cut { own_radius.max(plant.radius().get()) } else { 0.0 };
                    let distance = plant.position.distance(position).get();
                    let lean = detection.lean.get() + plant.lean.get();
                    if distance <= (self.rules.gate.get() + slack + lean).min(SQUARE_M) {
                        pairs.push((distance, index, at));
                    }
                }
            }
        }
        pairs
    }

    fn add(&mut self, true_at: RobotInstant, detection: &GroundDetection) -> usize {
        let GroundDetection { sighting, cut, lean, leaves } = detection;
        let index = self.plants.len();
        let mut votes = [0.0; PlantClass::ALL.len()];
        votes[usize::from(sighting.class.id())] = sighting.confidence.get();
        self.plants.push(Plant {
            number: PlantNumber(index as u64),
            position: sighting.position,
            sigma: sighting.sigma,
            area_cm2: sighting.area_cm2,
            first_seen: true_at,
            last_seen: true_at,
            frames_seen: 1,
            votes,
            whole: u32::from(!cut),
            weight: if *cut { 0.0 } else { weight_of(sighting.sigma) },
            lean: *lean,
            leaves: leaves.clone(),
            leaves_at: sighting.position,
            leaves_lean: *lean,
            extent: extent_of(leaves, sighting.position),
        });
        self.squares.entry(square_of(sighting.position)).or_default().push(index);
        index
    }

    fn refine(&mut self, index: usize, true_at: RobotInstant, detection: &GroundDetection) {
        let GroundDetection { sighting, cut, lean, leaves: _ } = detection;
        let plant = &mut self.plants[index];
        let before = plant.position;
        plant.frames_seen += 1;
        plant.last_seen = true_at;
        plant.lean = plant.lean.min(*lean);
        plant.votes[usize::from(sighting.class.id())] += sighting.confidence.get();
        if *cut {
            if !plant.seen_whole() && sighting.area_cm2 > plant.area_cm2 {
                plant.position = sighting.position;
                plant.sigma = sighting.sigma;
                plant.area_cm2 = sighting.area_cm2;
                plant.keep_leaves(detection);
            } else if plant.is_less_than(detection) {
                // Forgotten since: those in view, and more as more comes into view, until a whole sighting has them all.
                plant.keep_leaves_of_part(detection);
            }
        } else {
            if !plant.seen_whole() || plant.leaves.is_empty() || *lean < plant.leaves_lean {
                plant.keep_leaves(detection);
            }
            let own = weight_of(sighting.sigma);
            let share = own / (plant.weight + own);
            let blend = |old: f64, new: f64| old + share * (new - old);
            plant.position =
                Point2::new(blend(before.x, sighting.position.x), blend(before.y, sighting.position.y));
            plant.area_cm2 = blend(plant.area_cm2, sighting.area_cm2);
            plant.weight += own;
            plant.whole += 1;
            // Poses of neighbouring frames err together: averaging does not make them better than the best.
            plant.sigma = plant.sigma.min(sighting.sigma);
        }
        self.reindex(index, before);
    }

    fn reindex(&mut self, index: usize, before: Point2<FieldFrame>) {
        let (old, new) = (square_of(before), square_of(self.plants[index].position));
        if old != new {
            self.squares.entry(old).or_default().retain(|&other| other != index);
            self.squares.entry(new).or_default().push(index);
        }
    }
}

fn weight_of(sigma: Metres) -> f64 {
    1.0 / sigma.get().max(1e-3).powi(2)
}

#[expect(clippy::cast_possible_truncation, reason = "metres in a field over half a metre fit in i64")]
fn square_of(position: Point2<FieldFrame>) -> [i64; 2] {
    [(position.x / SQUARE_M).floor() as i64, (position.y / SQUARE_M).floor() as i64]
}

#[cfg(test)]
mod tests;
