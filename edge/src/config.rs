//! What a person writes about one job, checked whole: every mistake at once, each with key, value, allowed
//! range and remedy.

use crate::decide::DecisionRules;
use crate::drivers::FixQuality;
use crate::guard::GuardRules;
use crate::nozzles::NozzleRules;
use crate::pose::PoseRules;
use crate::sim::{SimConfig, SimToml};
use kompas_cloud_sync::{BrokerAddress, OutboxLimits};
use kompas_field::ids::{FarmId, FieldId, RobotId};
use kompas_field::units::{LitresPerHectare, Metres, MetresPerSecond, Seconds};
use kompas_field::{ClockQuality, Confidence, Datum, FieldCrop, Finding};
use kompas_vision::onnx::Provider;
use serde::Deserialize;
use std::path::{Path, PathBuf};

mod policy;
mod reader;

pub use policy::Policy;
use reader::Reader;

/// One job of one robot.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Whose robot.
    pub farm: FarmId,
    /// Which robot.
    pub robot: RobotId,
    /// Rig file.
    pub rig: PathBuf,
    /// The field.
    pub field: FieldSource,
    /// The plan.
    pub plan: PlanSource,
    /// What finds plants.
    pub segmenter: SegmenterChoice,
    /// Whether each picture hears what those before have shown of the field; excess green has nothing to hear.
    pub remembers: bool,
    /// Camera, antenna and boom.
    pub driver: DriverChoice,
    /// From mid-exposure to decision, where time is given (simulation, replay).
    pub frame_latency: Seconds,
    /// The outbox.
    pub records: Records,
    /// Where records go; none keeps them on the robot.
    pub broker: Option<BrokerAddress>,
    /// What must hold, and what is decided by it.
    pub policy: Policy,
}

/// Where the field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSource {
    /// GeoJSON, or a field as JSON.
    pub file: PathBuf,
    /// Its name, where the file has none: the file's own ([`FieldId::of_file`]) unless given.
    pub id: FieldId,
    /// What grows there; a file that says otherwise is an error.
    pub crop: FieldCrop,
}

/// Where the plan comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSource {
    /// A plan made before; none plans now.
    pub file: Option<PathBuf>,
    /// Weed map to plan by, or that the plan was made by; none treats the whole field.
    pub weed_map: Option<PathBuf>,
    /// Rate where a cell is treated.
    pub rate: LitresPerHectare,
    /// Degrees clockwise from north; none lets the planner choose.
    pub swath_heading_deg: Option<f64>,
}

/// What finds plants.
#[derive(Debug, Clone, PartialEq)]
pub enum SegmenterChoice {
    /// Excess green: plant or soil.
    ExcessGreen,
    /// A network.
    Onnx {
        /// The model; its card lies beside it.
        model: PathBuf,
        /// ONNX Runtime; none looks in the usual places.
        library: Option<PathBuf>,
        /// What computes it.
        provider: Provider,
        /// Threads for one picture.
        threads: usize,
        /// At what size it sees a picture.
        look: Look,
    },
}

/// At what size a network sees a picture; smaller in any case where leaves are wide ([`kompas_vision::leaves`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// At one that follows from the picture's own.
    OneSize,
    /// At one that follows from the ground a pixel of the camera covers: as large as plants were in training
    /// ([`kompas_vision::normalise::GROUND_M`]).
    Ground,
    /// At several that follow from the picture's own, as figures are made: steadier, at about eight times the time.
    SeveralSizes,
}

/// Camera, antenna and boom.
#[derive(Debug, Clone, PartialEq)]
pub enum DriverChoice {
    /// All simulated.
    Simulator(Box<SimConfig>),
    /// Pictures with poses; nothing is sprayed.
    Folder {
        /// Holds the pictures and `poses.csv`.
        folder: PathBuf,
        /// What its coordinates refer to.
        datum: Datum,
    },
}

/// The outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// The file.
    pub outbox: PathBuf,
    /// How much it may hold.
    pub limits: OutboxLimits,
    /// Between loop and disk.
    pub queue: usize,
    /// Who vouches for the calendar.
    pub clock_quality: ClockQuality,
}

/// Keys given on the command line, which go before the file's.
pub type Overrides = Vec<(&'static str, toml::Value)>;

/// What reading gave: settings as far as they hold, and everything that is wrong. Settings without an error
/// among the findings are good.
#[derive(Debug)]
pub struct ReadConfig {
    /// None when so much is missing that nothing can be said of the rest.
    pub config: Option<Config>,
    /// In file order.
    pub findings: Vec<Finding>,
}

impl Config {
    /// Reads a file.
    pub fn read(path: &Path, overrides: Overrides) -> ReadConfig {
        let fail = |code: &str, cause: String, remedy: &str| {
            let finding = Finding::error(code, path.display().to_string(), cause, remedy);
            ReadConfig { config: None, findings: vec![finding] }
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(why) => {
                return fail("config.unreadable", format!("cannot be read: {why}"), "give an existing file");
            }
        };
        let mut table: toml::Table = match toml::from_str(&text) {
            Ok(table) => table,
            Err(why) => return fail("config.not_toml", format!("is not TOML: {why}"), "mend that line"),
        };
        for (key, value) in overrides {
            if let Err(finding) = put(&mut table, key, value) {
                return ReadConfig { config: None, findings: vec![finding] };
            }
        }
        Self::from_table(&table, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads a table; paths in it are relative to `folder`.
    pub fn from_table(table: &toml::Table, folder: &Path) -> ReadConfig {
        let mut reader = Reader::new(table, folder);
        let config = Self::from_reader(&mut reader);
        ReadConfig { config, findings: reader.finish() }
    }

    fn from_reader(r: &mut Reader<'_>) -> Option<Self> {
        // Everything is asked for before anything is given up, so that all mistakes are found.
        let farm = r.parsed("farm_id", None, "a short name of the farm, as the cloud knows it");
        let robot = r.parsed("robot_id", None, "a short name of this robot, unique on the farm");
        let rig = r.path("rig", "the rig file that describes robot, boom and camera");
        let field = FieldSource::read(r);
        let plan = PlanSource::read(r);
        let segmenter = SegmenterChoice::read(r);
        let memory = "none where pictures are of more than one field, or sowing";
        let remembers = r.choice("segmenter.memory", false, &[("field", true), ("none", false)], memory);
        let usual_ms = segmenter.as_ref().map_or(0.0, SegmenterChoice::usual_latency_ms);
        let latency = "from mid-exposure to decision, measured on the robot; used where time is simulated";
        let frame_latency =
            Seconds::new(r.number("driver.frame_latency_ms", Some(usual_ms), 0.0..=5000.0, latency) / 1e3);
        let driver = DriverChoice::read(r);
        let records = Records::read(r);
        let broker = match r.optional_text("uplink.broker", "mqtt://HOST:PORT") {
            Some(_) => r.parsed("uplink.broker", None, "mqtt://HOST:PORT"),
            None => None,
        };
        let policy = Policy::read(r);
        Some(Self {
            farm: farm?,
            robot: robot?,
            rig: rig?,
            field: field?,
            plan,
            segmenter: segmenter?,
            remembers,
            driver: driver?,
            frame_latency,
            records: records?,
            broker,
            policy,
        })
    }
}

impl FieldSource {
    fn read(r: &mut Reader<'_>) -> Option<Self> {
        let file = r.path("field.file", "the parcel as GeoJSON, or a field as JSON");
        // As `kompas-plan` names it: a plan of the same file is a plan of this field, and a farm's fields are kept apart.
        let named = FieldId::of_file(file.as_deref().unwrap_or(Path::new("field"))).map(String::from);
        let id = r.parsed("field.id", named.as_deref().ok(), "a short name of the field, unique on the farm");
        let words = [
            ("sugar_beet", FieldCrop::SugarBeet),
            ("potato", FieldCrop::Potato),
            ("other", FieldCrop::Other),
        ];
        let crop = r.choice("field.crop", true, &words, "what the farmer grows there");
        Some(Self { file: file?, id: id?, crop })
    }
}

impl PlanSource {
    fn read(r: &mut Reader<'_>) -> Self {
        let file = r.optional_path("plan.file", "a plan of this field; without the key the robot plans now");
        let weed_map =
            r.optional_path("plan.weed_map", "a weed map of this field; without it all of it is treated");
        let rate = "of the plan; what a nozzle gives follows from the rig's flow and the speed";
        let rate = LitresPerHectare::new(r.number("plan.rate_l_per_ha", Some(200.0), 1.0..=1000.0, rate));
        let heading = "degrees clockwise from north; without the key the planner chooses";
        let given = r.number("plan.swath_heading_deg", Some(0.0), 0.0..=180.0, heading);
        let swath_heading_deg = r.is_given("plan.swath_heading_deg").then_some(given);
        for key in ["plan.rate_l_per_ha", "plan.swath_heading_deg"] {
            if file.is_some() && r.is_given(key) {
                let cause = "not used: the plan in plan.file has its own";
                r.find(Finding::warning("plan.unused", key, cause, "take it out, or plan.file"));
            }
        }
        Self { file, weed_map, rate, swath_heading_deg }
    }
}

impl SegmenterChoice {
    /// From mid-exposure to decision for a 1280x960 picture on one core (8 bits; several sizes: 32 bits), in milliseconds, as
    /// simulated runs have it. It is no bound: what docs/figures.md measured, on a slow machine that others used, is longer. A
    /// robot's configuration states its own, of its own machine.
    fn usual_latency_ms(&self) -> f64 {
        match self {
            Self::ExcessGreen => 60.0,
            Self::Onnx { look: Look::OneSize, .. } => 300.0,
            // At 2.5 mm a pixel.
            Self::Onnx { look: Look::Ground, .. } => 1000.0,
            Self::Onnx { look: Look::SeveralSizes, .. } => 2500.0,
        }
    }

    fn read(r: &mut Reader<'_>) -> Option<Self> {
        let network =
            r.choice("segmenter.kind", true, &[("exg", false), ("onnx", true)], "what finds plants");
        let library = "the file libonnxruntime.so of ONNX Runtime is found by itself when this key is absent";
        let library = r.optional_path("segmenter.library", library);
        let words = [
            ("cpu", Provider::Cpu),
            ("openvino", Provider::OpenVino),
            ("cuda", Provider::Cuda),
            ("tensorrt", Provider::TensorRt),
        ];
        let provider = r.choice("segmenter.provider", false, &words, "what computes the network");
        let threads = "for one picture; one, unless the machine has cores to spare";
        let threads = r.number("segmenter.threads", Some(1.0), 1.0..=64.0, threads);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
        let threads = threads as usize;
        let words =
            [("one_size", Look::OneSize), ("ground", Look::Ground), ("several_sizes", Look::SeveralSizes)];
        let look =
            "ground where the camera is far (2 mm a pixel and more) and frames may take four times the time";
        let look = r.choice("segmenter.look", false, &words, look);
        let model = "the model file; its card lies beside it";
        if !network {
            // A configuration may keep its network's keys while excess green is tried.
            r.optional_path("segmenter.model", model);
            return Some(Self::ExcessGreen);
        }
        let model = r.path("segmenter.model", model);
        Some(Self::Onnx { model: model?, library, provider, threads, look })
    }
}

impl DriverChoice {
    fn read(r: &mut Reader<'_>) -> Option<Self> {
        #[derive(Clone, Copy)]
        enum Kind {
            Simulator,
            Folder,
        }
        let words = [("simulator", Kind::Simulator), ("folder", Kind::Folder)];
        let kind = r.choice("driver.kind", true, &words, "where pictures and positions come from");
        let simulator = r.table("simulator");
        match kind {
            Kind::Simulator => {
                let Some(table) = simulator else {
                    let cause = "missing; the simulator needs at least seed = NUMBER";
                    r.find(Finding::error("config.missing", "[simulator]", cause, "add the section"));
                    return None;
                };
                let toml = match SimToml::deserialize(toml::Value::Table(table)) {
                    Ok(toml) => toml,
                    Err(why) => {
                        let cause = why.to_string().replace('\n', " ");
                        r.find(Finding::error("config.simulator", "[simulator]", cause, "mend that key"));
                        return None;
                    }
                };
                match SimConfig::new(toml) {
                    Ok(config) => Some(Self::Simulator(Box::new(config))),
                    Err(findings) => {
                        findings.0.into_iter().for_each(|finding| r.find(finding));
                        None
                    }
                }
            }
            Kind::Folder => {
                let folder = r.path("driver.folder", "the folder with the pictures and poses.csv");
                let words = [("etrs89", Datum::Etrs89), ("wgs84", Datum::Wgs84)];
                let datum =
                    r.choice("driver.datum", false, &words, "what the coordinates in poses.csv refer to");
                Some(Self::Folder { folder: folder?, datum })
            }
        }
    }
}

impl Records {
    fn read(r: &mut Reader<'_>) -> Option<Self> {
        let outbox =
            r.path("records.outbox", "a file on the robot's own disk; it is made when it is not there");
        let megabytes = "how much the disk has to spare";
        let waiting = r.number("records.waiting_mb", Some(4096.0), 1.0..=1e6, megabytes);
        let kept = r.number("records.kept_mb", Some(1024.0), 0.0..=1e6, megabytes);
        let queue = r.number("records.queue", Some(256.0), 4.0..=100_000.0, "records between loop and disk");
        let words = [("none", ClockQuality::None), ("ntp", ClockQuality::Ntp), ("gnss", ClockQuality::Gnss)];
        let clock_quality =
            r.choice("records.clock_quality", false, &words, "who sets this machine's calendar");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranges were checked")]
        let (waiting_bytes, kept_bytes, queue) =
            ((waiting * 1e6) as u64, (kept * 1e6) as u64, queue as usize);
        Some(Self {
            outbox: outbox?,
            limits: OutboxLimits { waiting_bytes, kept_bytes },
            queue,
            clock_quality,
        })
    }
}

/// Puts a value below a dotted key.
fn put(table: &mut toml::Table, key: &str, value: toml::Value) -> Result<(), Finding> {
    let mut at = table;
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().unwrap_or(key);
    for part in parts {
        let inner = at.entry(part.to_owned()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let Some(inner) = inner.as_table_mut() else {
            return Err(Finding::error(
                "config.value",
                part,
                "is no section",
                format!("write it as [{part}]"),
            ));
        };
        at = inner;
    }
    at.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests;
