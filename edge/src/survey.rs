//! A drone's photographs, looking straight down, to a weed map on the field's grid.
//!
//! ```text
//! JPEG ─► tags ─► View (camera, pose) ─┐
//!   └──► picture ─► tiles ─► plants ───┴─► project ─► owner ─► WeedMap, plants, Summary
//! ```
//!
//! # Rules
//! - *What is used*: a photograph with position, focal length, height, yaw and pitch in its tags, taken within
//!   10° of straight down, that shows a grid cell of the field and in which something can be seen. Every
//!   other one is refused with its reason, and the rest goes on.
//! - *Height*: as given, else the drone's own above its place of take-off. The ground is taken for flat.
//! - *Datum*: positions are taken to be in the field's. Without correction data they are in WGS 84, 0.8 m away,
//!   which is less than they scatter; with it they are in the datum of the correction service, in Europe ETRS89.
//! - *One plant counts once*: photographs overlap, and their positions are too coarse to know a plant again by
//!   its place. So each place on the ground belongs to one photograph: of those that show it and 0.15 m
//!   around it, the one whose point under the lens is nearest; where none does, of those that show it at all;
//!   the first by name among equals. Leaves lean least there. Where two photographs disagree about a place, a
//!   plant on the line between them may count twice or not at all.
//! - *Not seen is not free of weeds*: [`Summary::cells_seen`] says how much of the field the map speaks for.
//!
//! Same photographs, same bytes: they are looked at in name order, one at a time.

use kompas_field::units::Metres;
use kompas_field::{Field, FieldFrame, Point2, Sighting, WeedMap};
use kompas_vision::load::{MEMORY_LIMIT_BYTES, load_picture};
use kompas_vision::usable::unusable;
use kompas_vision::{SegmentError, Segmenter, find_plants, project, segment_in_tiles};
use std::path::{Path, PathBuf};

mod places;
mod refusal;
mod summary;
mod tags;
mod view;
mod xmp;

pub use places::plants_geojson;
pub use refusal::Refusal;
pub use summary::{Refused, Summary};

use tags::Tags;
use view::{View, owner};

/// As large as a network sees a picture without shrinking it.
const TILE_PX: u32 = kompas_vision::normalise::MAX_SIDE;
/// Neighbouring tiles share this much ground: twice a large plant, so each plant lies whole in one of them.
const OVERLAP_M: f64 = 0.6;
/// Enough around a seam for a network, and never more than half a tile.
const OVERLAP_PX: [f64; 2] = [128.0, 512.0];

/// Why there is no weed map.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The folder.
    #[error("cannot read the folder of photographs {}: give the folder with the drone's JPEG files", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// Nothing in it.
    #[error("no photograph (*.jpg, *.jpeg) in {}: give the folder with the drone's JPEG files", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Nothing in it that can be used.
    #[error("none of the {} photographs can be used; mend the causes and survey again{}", refused.len(), listed(refused))]
    AllRefused {
        /// All of them.
        refused: Vec<Refused>,
    },
    /// The segmenter gave up.
    #[error("{image} could not be segmented")]
    Segmenter {
        /// File name.
        image: String,
        /// Why.
        #[source]
        source: SegmentError,
    },
}

impl SurveyError {
    /// Whether the input is at fault, and not the program.
    pub const fn is_input(&self) -> bool {
        !matches!(self, Self::Segmenter { .. })
    }
}

fn listed(refused: &[Refused]) -> String {
    let lines: Vec<String> =
        refused.iter().map(|Refused { image, reason }| format!("\n  {image}: {reason}")).collect();
    lines.concat()
}

/// The photographs (`*.jpg`, `*.jpeg`) in a folder, in name order.
///
/// # Errors
/// [`SurveyError::Unreadable`], [`SurveyError::Empty`].
pub fn photographs(folder: &Path) -> Result<Vec<PathBuf>, SurveyError> {
    let unreadable = |source| SurveyError::Unreadable { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if path.is_file() && matches!(ending.as_deref(), Some("jpg" | "jpeg")) {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() { Err(SurveyError::Empty { path: folder.to_owned() }) } else { Ok(found) }
}

/// A plant on the weed map, and the photograph that counts it.
#[derive(Debug, Clone, PartialEq)]
pub struct SurveyedPlant {
    /// Place in the field, class, confidence and area.
    pub sighting: Sighting,
    /// File name.
    pub image: String,
}

/// What came of a survey.
#[derive(Debug, Clone, PartialEq)]
pub struct Surveyed {
    /// Plants per grid cell, for the planner.
    pub weed_map: WeedMap,
    /// The plants on it, by photograph.
    pub plants: Vec<SurveyedPlant>,
    /// What was seen and what was not.
    pub summary: Summary,
}

/// A survey of one field: photographs in name order, one at a time, then the map.
pub struct Survey<'f> {
    field: &'f Field,
    height: Option<Metres>,
    /// Middles of the field's grid cells, and whether a photograph showed them.
    cells: Vec<(Point2<FieldFrame>, bool)>,
    names: Vec<String>,
    views: Vec<View>,
    /// What each photograph saw, number by number as in `views`.
    seen: Vec<Vec<Sighting>>,
    refused: Vec<Refused>,
}

impl<'f> Survey<'f> {
    /// Of `field`, from `height` above the ground; without it, from the height in each photograph's tags.
    pub fn of(field: &'f Field, height: Option<Metres>) -> Self {
        let grid = field.grid();
        let centres = grid.cells().map(|cell| grid.centre(cell));
        let cells =
            centres.filter(|&centre| field.boundary.contains(centre)).map(|centre| (centre, false)).collect();
        Self { field, height, cells, names: vec![], views: vec![], seen: vec![], refused: vec![] }
    }

    /// Looks at the next photograph. One that cannot be used is noted with its reason.
    ///
    /// # Errors
    /// [`SurveyError::Segmenter`].
    pub fn look(&mut self, path: &Path, segmenter: &mut dyn Segmenter) -> Result<(), SurveyError> {
        let image = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (view, picture) = match self.open(path) {
            Ok(opened) => opened,
            Err(why) => {
                self.refused.push(Refused { image, reason: crate::recorder::chain(&why) });
                return Ok(());
            }
        };
        let overlap = (OVERLAP_M / view.gsd_m).clamp(OVERLAP_PX[0], OVERLAP_PX[1]);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to a part of a tile"
        )]
        let map = segment_in_tiles(segmenter, &picture, TILE_PX, overlap as u32)
            .map_err(|source| SurveyError::Segmenter { image: image.clone(), source })?;
        drop(picture);
        let detections = find_plants(&map, &view.plant_rules());
        let plants = project(&detections, &view.camera, &view.pose, view.sigma);
        self.seen.push(plants.into_iter().map(|plant| plant.sighting).collect());
        for (centre, shown) in &mut self.cells {
            *shown = *shown || view.shows(*centre);
        }
        self.names.push(image);
        self.views.push(view);
        Ok(())
    }

    fn open(&self, path: &Path) -> Result<(View, image::RgbImage), Refusal> {
        let view = View::new(&Tags::read(path)?, self.height, &self.field.plane)?;
        if !self.cells.iter().any(|(centre, _)| view.shows(*centre)) {
            let [east_m, north_m] = view.pose.position.to_array();
            return Err(Refusal::Elsewhere { east_m, north_m });
        }
        let picture = load_picture(path, MEMORY_LIMIT_BYTES)?;
        match unusable(&picture) {
            Some(why) => Err(why.into()),
            None => Ok((view, picture)),
        }
    }

    /// How many plants were seen so far, those that several photographs show counted in each.
    pub fn sightings(&self) -> usize {
        self.seen.iter().map(Vec::len).sum()
    }

    /// The map: every plant in the photograph that its place belongs to.
    ///
    /// # Errors
    /// [`SurveyError::AllRefused`].
    pub fn finish(self, segmenter: &str) -> Result<Surveyed, SurveyError> {
        let Self { field, cells, names, views, seen, refused, .. } = self;
        if views.is_empty() {
            return Err(SurveyError::AllRefused { refused });
        }
        let mut weed_map = WeedMap::new(field.grid());
        let mut summary = Summary {
            images: views.len() + refused.len(),
            used: views.len(),
            refused,
            segmenter: segmenter.to_owned(),
            cells: cells.len(),
            cells_seen: cells.iter().filter(|(_, shown)| *shown).count(),
            plants: summary::no_plants(),
            plants_outside: 0,
            ground_sampling_mm: 0.0,
            smallest_plant_cm2: 0.0,
            position_sigma_m: 0.0,
            position_sigma_assumed: 0,
        };
        summary.describe(&views);
        let mut plants = Vec::new();
        for (number, (sightings, image)) in seen.into_iter().zip(&names).enumerate() {
            for sighting in sightings {
                if owner(&views, sighting.position) != Some(number) {
                    continue;
                }
                if field.boundary.contains(sighting.position) && weed_map.add(&sighting) {
                    *summary.plants.entry(sighting.class).or_default() += 1;
                    plants.push(SurveyedPlant { sighting, image: image.clone() });
                } else {
                    summary.plants_outside += 1;
                }
            }
        }
        Ok(Surveyed { weed_map, plants, summary })
    }
}
