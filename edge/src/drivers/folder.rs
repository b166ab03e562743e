//! A folder of pictures with poses: what a robot saw, seen again. Nothing is sprayed.
//!
//! # `poses.csv`
//! One row per picture or fix, in any order, with this header:
//!
//! | column | unit | |
//! |---|---|---|
//! | `image` | – | file name in the folder; empty for a fix without a picture |
//! | `time_s` | seconds | mid-exposure, any origin; the earliest row is the beginning |
//! | `lat_deg`, `lon_deg` | degrees | of the antenna; empty without a fix |
//! | `heading_deg` | degrees | where the robot points, from north, clockwise |
//! | `quality` | – | `none`, `single`, `float` or `fixed` |
//! | `sigma_m` | metres | one standard deviation per axis, to 10,000 |
//! | `correction_age_s` | seconds | age of the correction data; below zero where there are none |
//! | `speed_mps` | metres per second | over ground, negative in reverse, to 100 |
//!
//! A number out of its range would be of another column or in another unit: such a row does not read. A picture without a
//! row, a row without its picture and a row that does not read are faults of that picture: counted and reported, and the
//! rest goes on.

mod album;

pub use album::{Album, AlbumError, Kept};

use super::{BoomFault, EmergencyStop, Fix, FixQuality, FixSource, Frame, FrameFault, FrameSource};
use super::{NozzleDriver, ValveMove};
use crate::guard::Permit;
use kompas_field::frame::heading::{from_compass_deg, wrap};
use kompas_field::units::{Metres, MetresPerSecond, Radians, RadiansPerSecond, Seconds};
use kompas_field::{Datum, Geodetic, RobotInstant, Stamped};
use kompas_vision::load::{LoadError, MEMORY_LIMIT_BYTES, load_as_stored};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

/// Why a folder cannot be driven through at all.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder or its list.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// The header is another.
    #[error("{} has no column {column:?}: its header must name {}", path.display(), COLUMNS.join(", "))]
    NoColumn {
        /// The list.
        path: PathBuf,
        /// What is missing.
        column: &'static str,
    },
    /// Not a table.
    #[error("{} is not a table of comma-separated values", path.display())]
    NotCsv {
        /// The list.
        path: PathBuf,
        /// Why.
        #[source]
        source: csv::Error,
    },
    /// No row that reads.
    #[error("{} has no row with a time: nothing can be driven", path.display())]
    NoRows {
        /// The list.
        path: PathBuf,
    },
}

const COLUMNS: [&str; 9] = [
    "image",
    "time_s",
    "lat_deg",
    "lon_deg",
    "heading_deg",
    "quality",
    "sigma_m",
    "correction_age_s",
    "speed_mps",
];

#[derive(Debug, Deserialize, Serialize)]
struct Row {
    image: String,
    time_s: f64,
    lat_deg: Option<f64>,
    lon_deg: Option<f64>,
    heading_deg: Option<f64>,
    quality: FixQuality,
    sigma_m: Option<f64>,
    correction_age_s: Option<f64>,
    speed_mps: Option<f64>,
}

impl Row {
    /// The first number that cannot be what its column says. What is not finite counts as missing, except the time.
    fn out_of_range(&self) -> Option<String> {
        let Self { image: _, time_s, lat_deg, lon_deg, heading_deg, quality: _, sigma_m, .. } = self;
        let columns = [
            ("time_s", Some(*time_s), -1e10..=1e10),
            ("lat_deg", *lat_deg, -90.0..=90.0),
            ("lon_deg", *lon_deg, -180.0..=180.0),
            ("heading_deg", *heading_deg, -360.0..=360.0),
            ("sigma_m", *sigma_m, 0.0..=1e4),
            ("correction_age_s", self.correction_age_s, -1e6..=1e6),
            ("speed_mps", self.speed_mps, -100.0..=100.0),
        ];
        columns.into_iter().find_map(|(name, value, allowed)| {
            let value = value.filter(|value| value.is_finite() || name == "time_s")?;
            let (low, high) = (*allowed.start(), *allowed.end());
            (!allowed.contains(&value))
                .then(|| format!("{name} is {value}, allowed is a number from {low} to {high}"))
        })
    }
}

/// One picture to come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Picture {
    File(PathBuf),
    Fault(FrameFault),
}

/// The pictures, in the order in which they were taken.
#[derive(Debug)]
pub struct FolderCamera {
    coming: VecDeque<Stamped<(String, Picture)>>,
}

/// The fixes, in the order in which they were true.
#[derive(Debug)]
pub struct FolderGnss {
    coming: VecDeque<Stamped<Fix>>,
}

/// What a folder holds.
#[derive(Debug)]
pub struct Folder {
    /// Pictures.
    pub camera: FolderCamera,
    /// Positions.
    pub gnss: FolderGnss,
    /// Rows that did not read, each with its line and cause.
    pub bad_rows: Vec<String>,
}

impl Folder {
    /// Reads the list and looks which pictures are there; decodes none yet.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn open(folder: &Path, datum: Datum) -> Result<Self, FolderError> {
        let list = folder.join("poses.csv");
        let (mut rows, bad_rows) = read_rows(&list)?;
        rows.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
        let Some(first_s) = rows.first().map(|row| row.time_s) else {
            return Err(FolderError::NoRows { path: list });
        };
        // Odometry may look a moment back: the first row is not at the very beginning of time.
        let at = |row: &Row| RobotInstant::START.after(Seconds::new(row.time_s - first_s + 1.0));
        let mut fixes: VecDeque<Stamped<Fix>> = VecDeque::new();
        for row in &rows {
            let fix = fix_of(row, at(row), datum, fixes.back());
            fixes.push_back(Stamped::new(at(row), fix));
        }
        let named = rows.iter().filter(|row| !row.image.is_empty());
        let coming = pictures(folder, named.map(|row| (row.image.clone(), at(row))).collect())?;
        Ok(Self { camera: FolderCamera { coming }, gnss: FolderGnss { coming: fixes }, bad_rows })
    }

    /// How many pictures there will be, faulty ones included.
    pub fn frame_count(&self) -> usize {
        self.camera.coming.len()
    }
}

fn read_rows(list: &Path) -> Result<(Vec<Row>, Vec<String>), FolderError> {
    let path = || list.to_owned();
    let file =
        std::fs::File::open(list).map_err(|source| FolderError::Unreadable { path: path(), source })?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let header = reader.headers().map_err(|source| FolderError::NotCsv { path: path(), source })?.clone();
    if let Some(column) = COLUMNS.into_iter().find(|&column| !header.iter().any(|name| name == column)) {
        return Err(FolderError::NoColumn { path: path(), column });
    }
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for record in reader.into_records() {
        let line = record.as_ref().ok().and_then(csv::StringRecord::position).map_or(0, csv::Position::line);
        match record.and_then(|record| record.deserialize::<Row>(Some(&header))) {
            Ok(row) => match row.out_of_range() {
                None => rows.push(row),
                Some(what) => bad.push(format!("{}, line {line}: {what}", list.display())),
            },
            Err(why) => bad.push(format!("{}: {why}", list.display())),
        }
    }
    Ok((rows, bad))
}

/// A row as a fix; anything missing makes it a row without a fix.
fn fix_of(row: &Row, at: RobotInstant, datum: Datum, before: Option<&Stamped<Fix>>) -> Fix {
    let number = |value: Option<f64>| value.filter(|value| value.is_finite());
    let place = number(row.lat_deg).zip(number(row.lon_deg));
    let place = place.map(|(lat_deg, lon_deg)| Geodetic { lat_deg, lon_deg, datum });
    let whole = place.zip(number(row.heading_deg)).zip(number(row.sigma_m)).zip(number(row.correction_age_s));
    let quality = if whole.is_some() { row.quality } else { FixQuality::None };
    let ((place, heading_deg), sigma_m, age_s) = match whole {
        Some((((place, heading_deg), sigma_m), age_s)) => ((place, heading_deg), sigma_m, age_s),
        None => ((Geodetic { lat_deg: 0.0, lon_deg: 0.0, datum }, 0.0), 0.0, 0.0),
    };
    let heading = from_compass_deg(heading_deg);
    let turn_rate = before.filter(|before| before.value.quality != FixQuality::None).map_or(0.0, |before| {
        let time = at.since(before.true_at).get();
        let turn = wrap(Radians::new(heading.get() - before.value.heading.get())).get();
        if time > 1e-3 { turn / time } else { 0.0 }
    });
    Fix {
        place,
        heading,
        quality,
        sigma: Metres::new(sigma_m),
        correction_age: Seconds::new(age_s),
        speed: MetresPerSecond::new(number(row.speed_mps).unwrap_or(0.0)),
        turn_rate: RadiansPerSecond::new(turn_rate),
    }
}

/// Listed pictures by time; those that nobody listed come after the listed one before them in name order.
fn pictures(
    folder: &Path,
    listed: Vec<(String, RobotInstant)>,
) -> Result<VecDeque<Stamped<(String, Picture)>>, FolderError> {
    let unreadable = |source| FolderError::Unreadable { path: folder.to_owned(), source };
    let mut there = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        let ending = Path::new(&name).extension().map(std::ffi::OsStr::to_ascii_lowercase);
        if ending.is_some_and(|ending| ["jpg", "jpeg", "png"].iter().any(|known| ending == *known)) {
            there.insert(name);
        }
    }
    let mut by_name: BTreeMap<String, Stamped<Picture>> = BTreeMap::new();
    for (name, at) in listed {
        let picture = if there.contains(&name) {
            Picture::File(folder.join(&name))
        } else {
            Picture::Fault(FrameFault::Unreadable(
                "poses.csv lists it, but the folder does not have it".to_owned(),
            ))
        };
        by_name.insert(name, Stamped::new(at, picture));
    }
    let mut last = by_name.values().map(|picture| picture.true_at).min().unwrap_or(RobotInstant::START);
    for name in there {
        match by_name.get(&name) {
            Some(picture) => last = picture.true_at,
            None => {
                by_name.insert(name, Stamped::new(last, Picture::Fault(FrameFault::WithoutPose)));
            }
        }
    }
    let mut all: Vec<_> = by_name.into_iter().map(|(name, picture)| picture.map(|p| (name, p))).collect();
    all.sort_by_key(|picture| picture.true_at);
    Ok(all.into())
}

impl FrameSource for FolderCamera {
    fn next_frame(&mut self) -> Option<Stamped<Frame>> {
        let Stamped { true_at, value: (name, picture) } = self.coming.pop_front()?;
        let image = match picture {
            Picture::Fault(fault) => Err(fault),
            Picture::File(path) => load_as_stored(&path, MEMORY_LIMIT_BYTES).map_err(|why| match why {
                LoadError::Unreadable { source, .. } => FrameFault::Unreadable(source.to_string()),
                other => FrameFault::Undecodable(crate::recorder::chain(&other)),
            }),
        };
        Some(Stamped::new(true_at, Frame { name, image }))
    }
}

impl FixSource for FolderGnss {
    fn fixes_until(&mut self, until: RobotInstant) -> Vec<Stamped<Fix>> {
        let due = self.coming.partition_point(|fix| fix.true_at <= until);
        self.coming.drain(..due).collect()
    }
}

/// A boom without water: takes permits and does nothing, so nothing is recorded as applied.
#[derive(Debug, Default)]
pub struct DryBoom;

impl NozzleDriver for DryBoom {
    fn schedule(&mut self, _permits: &[Permit]) -> Result<(), BoomFault> {
        Ok(())
    }

    fn close_all(&mut self, _now: RobotInstant) {}

    fn openings_until(&mut self, _until: RobotInstant) -> Vec<ValveMove> {
        Vec::new()
    }
}

/// A stop that nobody can press: there is no machine to stop.
#[derive(Debug)]
pub struct NoMachine;

impl EmergencyStop for NoMachine {
    fn is_latched(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
