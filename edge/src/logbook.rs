//! What the loop has to tell, gathered into records of a size the wire takes.
//!
//! Incidents go at once, nozzle openings within a second, plants and track within five, however long the next picture
//! takes; a program that is killed without notice loses what still waits for that. What the recorder cannot take waits
//! here, in order, while the guard is shut.

use crate::mission::MissionFile;
use crate::recorder::{Recorder, RecorderSummary};
use kompas_field::ids::MissionId;
use kompas_field::record::{
    AsApplied, Incident, IncidentKind, MissionFinished, MissionStarted, NozzleOpening, Plants, Track,
    TrackPoint,
};
use kompas_field::units::Seconds;
use kompas_field::{Clock, Decision, Payload, RobotInstant};
use std::collections::VecDeque;
use std::io::Write;

/// A record has at most 64 KiB: a decision takes up to 0.5 KiB, an opening 0.3, a track point 0.15.
const DECISIONS: usize = 80;
const OPENINGS: usize = 100;
const POINTS: usize = 200;
/// How long a batch waits for more.
const OPENINGS_WAIT: Seconds = Seconds::new(1.0);
const OTHERS_WAIT: Seconds = Seconds::new(5.0);
/// The track is a line on a map: a point every quarter of a metre shows every bend.
const TRACK_STEP_M: f64 = 0.25;

/// The list of decisions cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the list of decisions, which ends early: give another file or free space")]
pub struct DecisionListError(#[source] std::io::Error);

struct Batch<T> {
    items: Vec<T>,
    since: RobotInstant,
    limit: usize,
    wait: Seconds,
}

impl<T> Batch<T> {
    const fn new(limit: usize, wait: Seconds) -> Self {
        Self { items: Vec::new(), since: RobotInstant::START, limit, wait }
    }

    fn push(&mut self, item: T, now: RobotInstant) {
        if self.items.is_empty() {
            self.since = now;
        }
        self.items.push(item);
    }

    /// What is to go now.
    fn due(&mut self, now: RobotInstant, all: bool) -> Option<Vec<T>> {
        let ripe = self.items.len() >= self.limit || now.since(self.since) >= self.wait || all;
        (ripe && !self.items.is_empty()).then(|| std::mem::take(&mut self.items))
    }
}

/// The robot's side of the record path.
pub struct Logbook {
    mission: MissionId,
    product: Option<String>,
    recorder: Recorder,
    decisions: Batch<Decision>,
    openings: Batch<NozzleOpening>,
    track: Batch<TrackPoint>,
    last_point: Option<TrackPoint>,
    backlog: VecDeque<Payload>,
    list: Result<Option<Box<dyn Write>>, DecisionListError>,
}

impl Logbook {
    /// Empty. `list` gets every decision as one line of JSON.
    pub fn new(
        mission: MissionId,
        product: Option<String>,
        recorder: Recorder,
        list: Option<Box<dyn Write>>,
    ) -> Self {
        Self {
            mission,
            product,
            recorder,
            decisions: Batch::new(DECISIONS, OTHERS_WAIT),
            openings: Batch::new(OPENINGS, OPENINGS_WAIT),
            track: Batch::new(POINTS, OTHERS_WAIT),
            last_point: None,
            backlog: VecDeque::new(),
            list: Ok(list),
        }
    }

    /// Whether what is told now will be written.
    pub fn is_available(&self) -> bool {
        self.backlog.is_empty() && self.recorder.is_available()
    }

    /// Records on disk so far.
    pub fn written(&self) -> u64 {
        self.recorder.written()
    }

    /// The mission begins.
    pub fn started(&mut self, started: MissionStarted, clock: &dyn Clock) {
        self.send(Payload::MissionStarted(started), clock);
    }

    /// Something a person should know.
    pub fn incident(&mut self, what: IncidentKind, true_at: RobotInstant, clock: &dyn Clock) {
        let incident = Incident { mission: Some(self.mission.clone()), true_at, what };
        self.send(Payload::Incident(incident), clock);
    }

    /// One plant, decided for good. A list that cannot be written ends there, and [`Logbook::close`] says so.
    pub fn decided(&mut self, decision: Decision, now: RobotInstant) {
        if let Ok(Some(list)) = &mut self.list {
            let line = serde_json::to_writer(&mut *list, &decision).map_err(std::io::Error::from);
            if let Err(why) = line.and_then(|()| list.write_all(b"\n")) {
                tracing::error!("the list of decisions ends here, records go on: {why}");
                self.list = Err(DecisionListError(why));
            }
        }
        self.decisions.push(decision, now);
    }

    /// One nozzle, once open.
    pub fn opened(&mut self, opening: NozzleOpening, now: RobotInstant) {
        self.openings.push(opening, now);
    }

    /// Where the robot is; kept every quarter of a metre.
    pub fn passed(&mut self, point: TrackPoint) {
        let moved = |last: TrackPoint| last.position.distance(point.position).get() >= TRACK_STEP_M;
        if self.last_point.is_none_or(moved) {
            self.last_point = Some(point);
            self.track.push(point, point.true_at);
        }
    }

    /// Hands on what is due; everything with `all`. Asked at every look at the boom, not only with a picture.
    pub fn turn_page(&mut self, now: RobotInstant, all: bool, clock: &dyn Clock) {
        while let Some(payload) = self.backlog.pop_front() {
            if let Err(back) = self.recorder.offer(payload, clock) {
                self.backlog.push_front(*back);
                break;
            }
        }
        let mission = self.mission.clone();
        if let Some(openings) = self.openings.due(now, all) {
            let product = self.product.clone();
            for part in openings.chunks(OPENINGS) {
                let (mission, product, openings) = (mission.clone(), product.clone(), part.to_vec());
                self.send(Payload::AsApplied(AsApplied { mission, product, openings }), clock);
            }
        }
        if let Some(decisions) = self.decisions.due(now, all) {
            for part in decisions.chunks(DECISIONS) {
                let (mission, decisions) = (mission.clone(), part.to_vec());
                self.send(Payload::Plants(Plants { mission, decisions }), clock);
            }
        }
        if let Some(points) = self.track.due(now, all) {
            for part in points.chunks(POINTS) {
                self.send(Payload::Track(Track { mission: mission.clone(), points: part.to_vec() }), clock);
            }
        }
    }

    /// Has the mission stored behind everything told so far.
    pub fn store(&mut self, mission: MissionFile, now: RobotInstant, clock: &dyn Clock) {
        self.turn_page(now, true, clock);
        if self.backlog.is_empty() && !self.recorder.offer_mission(mission) {
            tracing::warn!("the recorder is behind; the mission's progress is stored with the next batch");
        }
    }

    fn send(&mut self, payload: Payload, clock: &dyn Clock) {
        if !self.backlog.is_empty() {
            self.backlog.push_back(payload);
        } else if let Err(back) = self.recorder.offer(payload, clock) {
            self.backlog.push_back(*back);
        }
    }

    /// The end of the program: everything out, the mission's last state stored, the writer awaited. Beside what the
    /// disk took, whether the list of decisions is whole.
    pub fn close(
        mut self,
        finished: Option<MissionFinished>,
        mission: MissionFile,
        clock: &dyn Clock,
    ) -> (RecorderSummary, Result<(), DecisionListError>) {
        self.turn_page(clock.now(), true, clock);
        if let Some(finished) = finished {
            self.send(Payload::MissionFinished(finished), clock);
        }
        self.store(mission, clock.now(), clock);
        let Self { mut recorder, backlog, list, .. } = self;
        recorder.give_up(backlog.len() as u64);
        let summary = recorder.finish();
        let flush = |list: Option<Box<dyn Write>>| list.map_or(Ok(()), |mut list| list.flush());
        (summary, list.and_then(|list| flush(list).map_err(DecisionListError)))
    }
}
