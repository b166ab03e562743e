//! Ground paved with photographs: real pixels at known places, and their masks as truth.
//!
//! Photographs lie upright along the swaths in strips, edge to edge, at their stated ground sampling
//! distance. A folder smaller than the field repeats, each placement with its own number. One connected
//! patch of one class in a mask is one plant; patches cut by the photograph's edge are marked.

use super::config::PhotoSim;
use super::plants::{Shape, TruthPlant, extent_along};
use kompas_field::units::{Metres, Radians};
use kompas_field::{Boundary, FieldFrame, Point2};
use layout::{Layout, Placement};
use library::Photo;
use std::path::PathBuf;

mod cache;
mod layout;
mod library;
mod paint;
mod patches;

pub(super) use cache::PhotoCache;

/// Why a folder gives no ground.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The folder of images cannot be listed.
    #[error("cannot list {}: it should hold the photographs", path.display())]
    Folder {
        /// Of the images.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Not one usable image.
    #[error("{} holds no usable .jpg or .png ({unreadable} unreadable): choose another folder", path.display())]
    NoImages {
        /// Of the images.
        path: PathBuf,
        /// How many were tried.
        unreadable: usize,
    },
}

/// What a folder of photographs gave.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PhotoReport {
    /// Images in use.
    pub images: usize,
    /// Of them with a mask, so with truth.
    pub masks: usize,
    /// Placements on the field.
    pub placements: usize,
    /// What was skipped, and why: one line each.
    pub skipped: Vec<String>,
}

/// A field paved with photographs.
#[derive(Debug)]
pub(super) struct PhotoGround {
    photos: Vec<Photo>,
    layout: Layout,
    gsd_m: f64,
    report: PhotoReport,
}

impl PhotoGround {
    /// Reads the folder and paves everything within `boundary`.
    pub(super) fn lay(
        settings: &PhotoSim,
        boundary: &Boundary,
        heading: Radians,
        origin: Point2<FieldFrame>,
        seed: u64,
    ) -> Result<Self, PhotoError> {
        let gsd_m = settings.gsd_mm / 1e3;
        let min_plant_px = settings.min_plant_cm2 * 1e-4 / (gsd_m * gsd_m);
        let (photos, skipped) = library::read(&settings.folder, min_plant_px)?;
        let reach = extent_along(boundary, heading, origin);
        let layout = Layout::pave(&photos, gsd_m, heading, origin, reach, seed);
        let masks = photos.iter().filter(|photo| photo.has_mask).count();
        let report = PhotoReport { images: photos.len(), masks, placements: layout.len(), skipped };
        Ok(Self { photos, layout, gsd_m, report })
    }

    pub(super) const fn report(&self) -> &PhotoReport {
        &self.report
    }

    /// Every masked plant with its stem inside `boundary`.
    pub(super) fn plants(&self, boundary: &Boundary) -> Vec<TruthPlant> {
        let mut plants = Vec::new();
        for (placement, placed) in (0u32..).zip(self.layout.placements()) {
            for (number, patch) in (0u32..).zip(&self.photos[placed.photo].patches) {
                let stem = self.point(placed, patch.stem_px);
                if boundary.contains(stem) {
                    plants.push(TruthPlant {
                        class: patch.class,
                        stem,
                        area_cm2: f64::from(patch.area_px) * self.gsd_m * self.gsd_m * 1e4,
                        whole: patch.whole,
                        shape: Shape::Photo { placement, patch: number },
                    });
                }
            }
        }
        plants
    }

    /// Points spread evenly over a masked plant.
    pub(super) fn samples(&self, placement: u32, patch: u32) -> Vec<Point2<FieldFrame>> {
        let placed = &self.layout.placements()[placement as usize];
        let patch = &self.photos[placed.photo].patches[patch as usize];
        patch.samples_px.iter().map(|&pixel| self.point(placed, pixel)).collect()
    }

    /// Where a pixel of a placed photograph lies.
    fn point(&self, placed: &Placement, [col, row]: [f32; 2]) -> Point2<FieldFrame> {
        let forward = placed.far_m - f64::from(row) * self.gsd_m;
        let left = placed.left_m - f64::from(col) * self.gsd_m;
        self.layout.origin.moved(self.layout.heading, Metres::new(forward), Metres::new(left))
    }
}

#[cfg(test)]
mod tests;
