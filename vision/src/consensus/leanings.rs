//! What a picture as a whole, and others of its field, say of each plant.

use super::crops::Crops;
use super::memory::Signs;
use super::plant::Plant;
use super::rows::{Rows, Underrated};
use super::{CLASSES, OTHER_CROP, POTATO, RowSearch, SUGAR_BEET};

/// Logits to add to the classes of each plant of a picture, and of each part of a large one.
#[derive(Default)]
pub(super) struct Leanings {
    plants: Vec<Leaning>,
    /// By how many logits this picture and others of its field together show the crop to be underrated.
    known: f32,
    rows: Option<Rows>,
}

/// What a plant gains as crop for its place, and what each class does.
#[derive(Clone, Copy, Default)]
struct Leaning {
    for_its_place: f32,
    classes: [f32; CLASSES],
}

impl Leanings {
    /// Given all plants of a picture, its width and height in pixels, and what others of its field have shown; and what
    /// this one shows.
    pub(super) fn among(
        plants: &[Plant],
        size: (f32, f32),
        search: RowSearch,
        shown: &Signs,
    ) -> (Self, Signs) {
        let (rows, underrated) = Rows::among(plants, size, search).unzip();
        let underrated = underrated.unwrap_or_default();
        let known = [underrated, shown.underrated].into_iter().sum::<Underrated>().logits();
        let gains = plants.iter().map(|plant| {
            let for_its_place = rows.as_ref().map_or(known, |rows| rows.crop((plant.x, plant.y), known));
            let mut classes = [0.; CLASSES];
            classes[SUGAR_BEET..].fill(for_its_place);
            Leaning { for_its_place, classes }
        });
        let mut gains: Vec<Leaning> = gains.collect();
        let classes: Vec<[f32; CLASSES]> = gains.iter().map(|leaning| leaning.classes).collect();
        let crops = Crops::of(plants, &classes);
        let [beet, potato, other] = [crops, shown.crops].into_iter().sum::<Crops>().leanings();
        for Leaning { classes, .. } in &mut gains {
            classes[SUGAR_BEET] += beet;
            classes[POTATO] += potato;
            classes[OTHER_CROP] += other;
        }
        (Self { plants: gains, known, rows }, Signs { crops, underrated })
    }

    /// Whether the place of a part of a plant tells anything.
    pub(super) fn have_rows(&self) -> bool {
        self.rows.is_some()
    }

    /// Of the plant with this number, or of a part of it with its middle there: where weeds have grown together with a
    /// crop plant, the middle of all lies in no row, and that of a mat of weeds in one. Nothing where nothing was asked.
    pub(super) fn of_part(&self, plant: usize, part: Option<(f32, f32)>) -> [f32; CLASSES] {
        let Some(Leaning { for_its_place, mut classes }) = self.plants.get(plant).copied() else {
            return [0.; CLASSES];
        };
        if let (Some(rows), Some(middle)) = (&self.rows, part) {
            let moved = rows.crop(middle, self.known) - for_its_place;
            classes[SUGAR_BEET..].iter_mut().for_each(|logits| *logits += moved);
        }
        classes
    }
}
