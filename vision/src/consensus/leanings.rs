//! What a picture as a whole, and others of its field, say of each plant.

use super::crops::Crops;
use super::memory::Signs;
use super::plant::Plant;
use super::rows::{Rows, Underrated};
use super::{CLASSES, OTHER_CROP, POTATO, RowSearch, SUGAR_BEET};

/// Logits to add to the classes of each plant, given all plants of a picture, its width and height in pixels, and what
/// others of its field have shown; and what this one shows.
pub(super) fn leanings(
    plants: &[Plant],
    size: (f32, f32),
    search: RowSearch,
    shown: &Signs,
) -> (Vec<[f32; CLASSES]>, Signs) {
    let (rows, underrated) = Rows::among(plants, size, search).unzip();
    let underrated = underrated.unwrap_or_default();
    let known = [underrated, shown.underrated].into_iter().sum::<Underrated>().logits();
    let mut leanings: Vec<[f32; CLASSES]> = (plants.iter())
        .map(|plant| rows.as_ref().map_or(known, |rows| rows.crop(plant, known)))
        .map(|crop| [0., 0., crop, crop, crop])
        .collect();
    let crops = Crops::of(plants, &leanings);
    let [beet, potato, other] = [crops, shown.crops].into_iter().sum::<Crops>().leanings();
    for leaning in &mut leanings {
        leaning[SUGAR_BEET] += beet;
        leaning[POTATO] += potato;
        leaning[OTHER_CROP] += other;
    }
    (leanings, Signs { crops, underrated })
}
