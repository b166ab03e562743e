//! A drone's photographs, looking straight down, to a weed map on the field's grid.
//!
//! ```text
//! every photograph:  tags ─► View (camera, pose); picture ─► can something be seen?
//! then each again:   picture ─► tiles of its own ground ─► plants ─► project ─► owner ─► WeedMap, Summary
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
//! - *What is looked at*: only the tiles with ground of the field that may belong to the photograph, with 0.3 m around
//!   it. The rest of it is another photograph's or no part of the field, takes no time, and teaches nothing.
//! - *Photographs teach each other*: each is judged with what those before it, in name order, have shown of the field's
//!   crop and weeds. One more or less may change what is made of plants in the others.
//! - *Not seen is not free of weeds*: [`Summary::cells_seen`] says how much of the field the map speaks for, and
//!   [`Surveyed::unseen`] which part it is silent about.
//!
//! Same photographs, same bytes: they are looked at in name order, one at a time.

use image::RgbImage;
use kompas_field::units::Metres;
use kompas_field::{CellIndex, Field, FieldFrame, Point2, Sighting, WeedMap};
use kompas_vision::load::{MEMORY_LIMIT_BYTES, load_picture};
use kompas_vision::usable::unusable;
use kompas_vision::{FieldMemory, SegmentError, Segmenter, find_plants, project, segment_in_tiles};
use std::path::{Path, PathBuf};

mod places;
mod refusal;
mod share;
mod summary;
mod tags;
mod view;
mod xmp;

pub use places::{cells_geojson, plants_geojson};
pub use refusal::Refusal;
pub use summary::{Refused, Summary};
pub use view::HEIGHTS_M;

use share::{may_own, owner, shows_field};
use tags::Tags;
use view::View;

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
    /// Grid cells of the field whose middle no photograph showed: the weed map says nothing of them.
    pub unseen: Vec<CellIndex>,
    /// What was seen and what was not.
    pub summary: Summary,
}

/// A survey of one field: first every photograph is admitted or refused, then the plants are counted.
pub struct Survey<'f> {
    field: &'f Field,
    height: Option<Metres>,
    /// The field's grid cells with their middles, and whether a photograph showed them.
    cells: Vec<(CellIndex, Point2<FieldFrame>, bool)>,
    admitted: Vec<PathBuf>,
    /// Of the admitted, number by number.
    views: Vec<View>,
    refused: Vec<Refused>,
}

impl<'f> Survey<'f> {
    /// Of `field`, from `height` above the ground; without it, from the height in each photograph's tags.
    pub fn of(field: &'f Field, height: Option<Metres>) -> Self {
        let grid = field.grid();
        let cells = grid.cells().map(|cell| (cell, grid.centre(cell), false));
        let cells = cells.filter(|(_, centre, _)| field.boundary.contains(*centre)).collect();
        Self { field, height, cells, admitted: vec![], views: vec![], refused: vec![] }
    }

    /// Looks whether the next photograph can be used. One that cannot is noted with its reason.
    pub fn admit(&mut self, path: &Path) {
        match self.examine(path) {
            Ok(view) => {
                for (_, centre, shown) in &mut self.cells {
                    *shown = *shown || view.shows(*centre);
                }
                self.admitted.push(path.to_owned());
                self.views.push(view);
            }
            Err(why) => {
                self.refused.push(Refused { image: file_name(path), reason: crate::recorder::chain(&why) });
            }
        }
    }

    fn examine(&self, path: &Path) -> Result<View, Refusal> {
        let view = View::new(&Tags::read(path)?, self.height, &self.field.plane)?;
        if !self.cells.iter().any(|(_, centre, _)| view.shows(*centre)) {
            let [east_m, north_m] = view.pose.position.to_array();
            return Err(Refusal::Elsewhere { east_m, north_m });
        }
        let picture = load_picture(path, MEMORY_LIMIT_BYTES)?;
        unusable(&picture).map_or(Ok(view), |why| Err(why.into()))
    }

    /// How many photographs are admitted.
    pub fn admitted(&self) -> usize {
        self.admitted.len()
    }

    /// Counts every plant in the photograph that its place belongs to; `counted` is told after each photograph how
    /// many plants are on the map. A photograph that does not load any more is refused, and its ground was not seen.
    ///
    /// # Errors
    /// [`SurveyError::AllRefused`], [`SurveyError::Segmenter`].
    pub fn count(
        self,
        segmenter: &mut dyn Segmenter,
        mut counted: impl FnMut(usize),
    ) -> Result<Surveyed, SurveyError> {
        let Self { field, cells, admitted, views, mut refused, .. } = self;
        let mut weed_map = WeedMap::of(field);
        let (mut plants, mut plants_outside) = (Vec::new(), 0);
        let mut memory = FieldMemory::default();
        let mut lost = vec![false; views.len()];
        for (number, path) in admitted.iter().enumerate() {
            let image = file_name(path);
            match load_picture(path, MEMORY_LIMIT_BYTES) {
                Ok(picture) => {
                    let own = own_plants(&picture, field, &views, number, segmenter, &mut memory);
                    for sighting in
                        own.map_err(|source| SurveyError::Segmenter { image: image.clone(), source })?
                    {
                        if field.boundary.contains(sighting.position) && weed_map.add(&sighting) {
                            plants.push(SurveyedPlant { sighting, image: image.clone() });
                        } else {
                            plants_outside += 1;
                        }
                    }
                }
                // An hour of work is not thrown away for a card that was pulled out.
                Err(why) => {
                    let reason = format!("it could be read at first: {}", crate::recorder::chain(&why));
                    refused.push(Refused { image, reason });
                    lost[number] = true;
                }
            }
            counted(plants.len());
        }
        refused.sort_by(|a, b| a.image.cmp(&b.image));
        let used: Vec<&View> =
            views.iter().zip(&lost).filter(|(_, lost)| !**lost).map(|(view, _)| view).collect();
        if used.is_empty() {
            return Err(SurveyError::AllRefused { refused });
        }
        // Nobody else counts the ground of a photograph that was lost after others left that ground to it.
        let nobody_saw = |centre| owner(&views, centre).is_none_or(|number| lost[number]);
        let shown_by_lost = |centre| views.iter().zip(&lost).any(|(view, lost)| *lost && view.shows(centre));
        let unseen = |(_, centre, shown): &(CellIndex, Point2<FieldFrame>, bool)| {
            !shown || (shown_by_lost(*centre) && nobody_saw(*centre))
        };
        let unseen: Vec<CellIndex> =
            cells.iter().filter(|cell| unseen(cell)).map(|(cell, _, _)| *cell).collect();
        let seen = cells.len() - unseen.len();
        let mut summary = Summary::of(&used, refused, segmenter.id(), [cells.len(), seen]);
        for plant in &plants {
            *summary.plants.entry(plant.sighting.class).or_default() += 1;
        }
        summary.plants_outside = plants_outside;
        Ok(Surveyed { weed_map, plants, unseen, summary })
    }
}

/// The plants of the ground that belongs to photograph `number`.
fn own_plants(
    picture: &RgbImage,
    field: &Field,
    views: &[View],
    number: usize,
    segmenter: &mut dyn Segmenter,
    memory: &mut FieldMemory,
) -> Result<Vec<Sighting>, SegmentError> {
    let view = &views[number];
    let overlap = (OVERLAP_M / view.gsd_m).clamp(OVERLAP_PX[0], OVERLAP_PX[1]);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a part of a tile"
    )]
    let overlap = overlap as u32;
    let wanted = |tile: &_| shows_field(view, tile, &field.boundary) && may_own(views, number, tile);
    let map = segment_in_tiles(segmenter, picture, TILE_PX, overlap, wanted, memory)?;
    let detections = find_plants(&map, &view.plant_rules());
    let plants = project(&detections, &view.camera, &view.pose, view.sigma);
    let sightings = plants.into_iter().map(|plant| plant.sighting);
    Ok(sightings.filter(|sighting| owner(views, sighting.position) == Some(number)).collect())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
