//! A seeded season: the records that a robot writes on a field of sugar beet with weeds and volunteer potatoes.
//! Same seed, same records. The numbers are of the size that a real field has; they are no measurement.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of a field this size fit"
)]

use kompas_cloud_sync::Draft;
use kompas_field::boundary::RawBoundary;
use kompas_field::decision::{ClosedBecause, Decision, PlantNumber, Rule, Verdict};
use kompas_field::geodetic::{FieldPlane, Geodetic};
use kompas_field::ids::{FieldId, MissionId, PlanId};
use kompas_field::plant::{FieldCrop, PlantClass, PlantRole};
use kompas_field::record::{
    AsApplied, Incident, IncidentKind, MissionFinished, MissionStarted, NozzleOpening, Payload, Plants,
    Track, TrackPoint,
};
use kompas_field::sighting::Confidence;
use kompas_field::units::LitresPerHectare;
use kompas_field::{Boundary, CellIndex, Field, FieldFrame, Grid, Point2, RobotInstant, WallTime};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What to write.
#[derive(Debug, Clone)]
pub(crate) struct Season {
    /// Of everything.
    pub(crate) seed: u64,
    /// Field size: east and north.
    pub(crate) size_m: (f64, f64),
    /// Which part is driven, 0 to 1; the mission is finished at 1.
    pub(crate) driven: f64,
    /// The mission's id.
    pub(crate) mission: String,
    /// When the robot's clock started, on the calendar.
    pub(crate) began: WallTime,
}

const BOOM_M: f64 = 3.0;
const NOZZLE_PITCH_M: f64 = 0.1;
const SPEED_MPS: f64 = 1.0;
const RATE_L_PER_HA: f64 = 150.0;
/// Plants, poses and openings per record: about 50 KiB for plants.
const BATCH: usize = 150;

impl Season {
    /// A hundredth of a hectare: for tests that count records.
    pub(crate) fn small(seed: u64) -> Self {
        Self { seed, size_m: (12.0, 9.0), driven: 1.0, mission: "m-small".to_owned(), began: MAY_MORNING }
    }

    /// Half a hectare, for the eye.
    pub(crate) fn half_hectare(seed: u64, driven: f64) -> Self {
        let mission = "2026-05-12-bieten".to_owned();
        Self { seed, size_m: (96.0, 55.0), driven, mission, began: MAY_MORNING }
    }

    /// The field: four corners that are not square, and a pond.
    pub(crate) fn field(&self) -> Field {
        let (east, north) = self.size_m;
        let at = |x: f64, y: f64| Point2::<FieldFrame>::new(x * east, y * north);
        let outer =
            vec![at(0.0, 0.03), at(0.97, 0.0), at(1.0, 0.86), at(0.62, 1.0), at(0.03, 0.94), at(0.0, 0.03)];
        let pond = vec![at(0.58, 0.42), at(0.64, 0.36), at(0.70, 0.44), at(0.65, 0.55), at(0.58, 0.42)];
        Field {
            id: FieldId::new("kompas-bieten-3").expect("an id"),
            crop: FieldCrop::SugarBeet,
            plane: FieldPlane::at(Geodetic::etrs89(52.8716, 6.9412)).expect("a place"),
            boundary: Boundary::new(&RawBoundary { outer, exclusions: vec![pond] })
                .expect("a valid boundary"),
        }
    }

    /// Everything the robot writes, in the order of writing.
    pub(crate) fn drafts(&self) -> Vec<Draft> {
        Writer::new(self).write()
    }
}

/// 2026-05-12 08:14 in the Netherlands.
const MAY_MORNING: WallTime = WallTime::from_unix_ms(1_778_566_440_000);

struct Writer<'a> {
    season: &'a Season,
    field: Field,
    grid: Grid,
    mission: MissionId,
    dice: ChaCha8Rng,
    patches: Vec<(Point2<FieldFrame>, f64)>,
    next_plant: u64,
    seconds: f64,
    drafts: Vec<Draft>,
    plants: Vec<Decision>,
    track: Vec<TrackPoint>,
    openings: Vec<NozzleOpening>,
    treated: u64,
    volume_ml: f64,
}

impl<'a> Writer<'a> {
    fn new(season: &'a Season) -> Self {
        let field = season.field();
        let mut dice = ChaCha8Rng::seed_from_u64(season.seed);
        let (east, north) = season.size_m;
        let patch = |dice: &mut ChaCha8Rng| {
            let middle = Point2::new(dice.random_range(0.0..east), dice.random_range(0.0..north));
            (middle, dice.random_range(2.5..9.0))
        };
        let patches = (0..9).map(|_| patch(&mut dice)).collect();
        Self {
            season,
            grid: field.grid(),
            field,
            mission: MissionId::new(season.mission.clone()).expect("an id"),
            dice,
            patches,
            next_plant: 0,
            seconds: 5.0,
            drafts: Vec::new(),
            plants: Vec::new(),
            track: Vec::new(),
            openings: Vec::new(),
            treated: 0,
            volume_ml: 0.0,
        }
    }

    fn write(mut self) -> Vec<Draft> {
        self.say(Payload::MissionStarted(MissionStarted {
            mission: self.mission.clone(),
            field: self.field.clone(),
            plan: PlanId::new("plan-7f3a91c2").expect("an id"),
            rig: "spuitboom 3 m, 30 doppen".to_owned(),
            segmenter: "exg-2".to_owned(),
        }));
        let (east, north) = self.season.size_m;
        let swaths = (north / BOOM_M).ceil() as usize;
        let driven = (swaths as f64 * self.season.driven).ceil() as usize;
        for swath in 0..driven.min(swaths) {
            let y = (swath as f64 + 0.5) * BOOM_M;
            let eastward = swath % 2 == 0;
            for step in 0..(east as usize) {
                let along = if eastward { step as f64 + 0.5 } else { east - step as f64 - 0.5 };
                self.metre(along, y, eastward);
            }
            if swath == 2 {
                self.poor_fix(swath);
            }
        }
        self.flush(1);
        if driven >= swaths {
            let (plants, plants_treated) = (self.next_plant, self.treated);
            self.say(Payload::MissionFinished(MissionFinished {
                mission: self.mission.clone(),
                completed: true,
                frames: self.seconds as u64 * 4,
                frames_unusable: 3,
                plants,
                plants_treated,
                volume_l: self.volume_ml / 1e3,
                driven_m: self.seconds * SPEED_MPS,
            }));
        }
        self.drafts
    }

    fn now(&self) -> RobotInstant {
        RobotInstant::from_nanos((self.seconds * 1e9) as u64)
    }

    fn say(&mut self, payload: Payload) {
        let t_wall = WallTime::from_unix_ms(self.season.began.unix_ms() + (self.seconds * 1e3) as i64);
        self.drafts.push(Draft { payload, t_mono: self.now(), t_wall });
    }

    fn poor_fix(&mut self, swath: usize) {
        for what in [IncidentKind::Closed { because: ClosedBecause::FixTooPoor }, IncidentKind::Reopened] {
            self.seconds += swath as f64;
            let incident = Incident { mission: Some(self.mission.clone()), true_at: self.now(), what };
            self.say(Payload::Incident(incident));
        }
    }

    /// One metre of a swath: a pose, the plants under the boom, the openings for them.
    fn metre(&mut self, along: f64, middle: f64, eastward: bool) {
        self.seconds += 1.0 / SPEED_MPS;
        let wobble = self.dice.random_range(-0.03..0.03);
        let position = Point2::new(along, middle + wobble);
        let heading_deg = if eastward { 90.0 } else { 270.0 };
        self.track.push(TrackPoint { true_at: self.now(), position, heading_deg, sigma_m: 0.014 });
        for row in 0..6 {
            let y = middle - BOOM_M / 2.0 + 0.25 + f64::from(row) * 0.5;
            for place in 0..4 {
                if self.dice.random_bool(0.93) {
                    let at = Point2::new(
                        along - 0.5 + f64::from(place) * 0.25 + self.dice.random_range(-0.03..0.03),
                        y,
                    );
                    self.plant(at, PlantClass::SugarBeet, middle);
                }
            }
        }
        let here = Point2::new(along, middle);
        let near = self.patches.iter().any(|(patch, radius)| patch.distance(here).get() < *radius);
        let weeds = if near { self.dice.random_range(3..16) } else { u32::from(self.dice.random_bool(0.16)) };
        for _ in 0..weeds {
            let at = self.under_the_boom(along, middle);
            self.plant(at, PlantClass::Weed, middle);
        }
        if self.dice.random_bool(0.05) {
            let at = self.under_the_boom(along, middle);
            self.plant(at, PlantClass::Potato, middle);
        }
        self.flush(BATCH);
    }

    fn under_the_boom(&mut self, along: f64, middle: f64) -> Point2<FieldFrame> {
        let (x, y) = (self.dice.random_range(-0.5..0.5), self.dice.random_range(-0.5..0.5));
        Point2::new(along + x, middle + y * BOOM_M)
    }

    fn plant(&mut self, position: Point2<FieldFrame>, class: PlantClass, middle: f64) {
        if !self.field.boundary.contains(position) {
            return;
        }
        let confidence = Confidence::clamped((self.dice.random_range(0.62..0.995f64) * 1e3).round() / 1e3);
        let area_cm2 = (self.dice.random_range(1.5..40.0f64) * 10.0).round() / 10.0;
        let rule = self.rule(class, confidence, area_cm2, middle);
        let verdict =
            if matches!(rule, Rule::TreatUnwanted { .. }) { Verdict::Treat } else { Verdict::Leave };
        let nozzle = ((position.y - middle + BOOM_M / 2.0) / NOZZLE_PITCH_M).clamp(0.0, 29.0) as u16;
        let nozzles = if verdict == Verdict::Treat { vec![nozzle, (nozzle + 1).min(29)] } else { Vec::new() };
        let rate = if verdict == Verdict::Treat { RATE_L_PER_HA } else { 0.0 };
        let cell = self.grid.cell_at(position);
        for nozzle in &nozzles {
            self.open(*nozzle, position, cell);
        }
        self.treated += u64::from(verdict == Verdict::Treat);
        self.plants.push(Decision {
            plant: PlantNumber(self.next_plant),
            position,
            cell,
            class,
            confidence,
            area_cm2,
            frames_seen: self.dice.random_range(2..7),
            verdict,
            rule,
            rate_l_per_ha: LitresPerHectare::new(rate),
            nozzles,
            decided_at: self.now(),
        });
        self.next_plant += 1;
    }

    fn rule(&mut self, class: PlantClass, confidence: Confidence, area_cm2: f64, middle: f64) -> Rule {
        let role = self.field.crop.role_of(class).expect("a plant");
        let wanted = Confidence::clamped(0.7);
        let in_poor_fix = (middle / BOOM_M) as u32 == 2 && self.dice.random_bool(0.2);
        match role {
            PlantRole::Crop | PlantRole::StrayCrop => Rule::ProtectCrop { role },
            _ if confidence < wanted => Rule::ConfidenceTooLow { wanted },
            _ if area_cm2 < 3.0 => Rule::TooSmall { area_cm2, wanted_cm2: 3.0 },
            _ if in_poor_fix => Rule::Closed { because: ClosedBecause::FixTooPoor },
            _ if self.dice.random_bool(0.09) => {
                let distance_m = (self.dice.random_range(0.01..0.049f64) * 1e3).round() / 1e3;
                Rule::CropTooClose { distance_m, wanted_m: 0.05 }
            }
            _ => Rule::TreatUnwanted { role },
        }
    }

    fn open(&mut self, nozzle: u16, over: Point2<FieldFrame>, cell: Option<CellIndex>) {
        let (length_m, width_m) = (0.12, NOZZLE_PITCH_M);
        let area_m2 = length_m * width_m;
        let volume_ml = (RATE_L_PER_HA * area_m2 / 10.0 * 1e3).round() / 1e3;
        let closed_at = RobotInstant::from_nanos(self.now().nanos() + 120_000_000);
        let from = Point2::new(over.x - length_m / 2.0, over.y);
        let to = Point2::new(over.x + length_m / 2.0, over.y);
        self.volume_ml += volume_ml;
        self.openings.push(NozzleOpening {
            nozzle,
            opened_at: self.now(),
            closed_at,
            from,
            to,
            cell,
            volume_ml,
            area_m2,
        });
    }

    /// Writes what has come together, if it is as much as `least`.
    fn flush(&mut self, least: usize) {
        let mission = self.mission.clone();
        while self.plants.len() >= least {
            let decisions = self.plants.drain(..BATCH.min(self.plants.len())).collect();
            self.say(Payload::Plants(Plants { mission: mission.clone(), decisions }));
        }
        if self.track.len() >= least {
            let points = std::mem::take(&mut self.track);
            self.say(Payload::Track(Track { mission: mission.clone(), points }));
        }
        if self.openings.len() >= least {
            let openings = std::mem::take(&mut self.openings);
            let product = Some("onkruidmiddel A".to_owned());
            self.say(Payload::AsApplied(AsApplied { mission, product, openings }));
        }
    }
}
