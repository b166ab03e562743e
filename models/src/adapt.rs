//! Learning a field from photographs that nobody labelled.
//!
//! A model that sees a field for the first time wavers where the field as a whole does not: crop stands in rows, its plants
//! look alike, and what one picture hides another shows ([`kompas_vision::consensus`]). What the model makes of the
//! photographs after it has heard all that is taken for their labels here, and a short run ([`crate::train`]) on them,
//! beside labelled images of other fields, teaches the network itself (self-training; Lee 2013, "Pseudo-label"; Zou et al.
//! 2018, "Unsupervised domain adaptation for semantic segmentation via class-balanced self-training").

use crate::data::index::OUR_IDS;
use crate::data::{Item, Labels, Rejected};
use crate::evaluate::{EvaluateError, keep};
use kompas_field::PlantClass;
use kompas_vision::usable::unusable;
use kompas_vision::{ClassMap, FieldMemory, SegmentError, Segmenter};
use std::path::{Path, PathBuf};

/// The source that photographs of the field are of, as a configuration's `sources` names it.
pub const SOURCE: &str = "field";

/// Of a pixel of which the model is less sure nothing is learnt, in 255ths. Without this, two left-out groups had beet 0.701
/// and 0.751 and weed 0.555 and 0.432 after learning, with it 0.705 and 0.779, 0.554 and 0.493 (one run each).
const SURE: u8 = 150;

/// Photographs as training images, with what `model` makes of them as labels, which are written to `folder`, without what it
/// is not sure of; all are taken for pictures of one field and one time, in the order given. Those that show nothing or cannot be read are returned beside
/// them.
/// # Errors
/// [`EvaluateError`] when the model itself fails or a label cannot be written.
pub fn label(
    model: &mut dyn Segmenter,
    photographs: &[PathBuf],
    folder: &Path,
    mut progress: impl FnMut(),
) -> Result<(Vec<Item>, Vec<Rejected>), EvaluateError> {
    let (mut items, mut rejected, mut field) = (Vec::new(), Vec::new(), FieldMemory::default());
    for (number, image) in photographs.iter().enumerate() {
        progress();
        let reject = |reason| Rejected { place: image.display().to_string(), reason };
        // As training reads it: as it is stored, not as it was held.
        let rgb = match image::open(image) {
            Ok(rgb) => rgb.into_rgb8(),
            Err(error) => {
                rejected.push(reject(error.to_string()));
                continue;
            }
        };
        if let Some(reason) = unusable(&rgb) {
            rejected.push(reject(format!("unusable: {reason}")));
            continue;
        }
        let map = model.segment_in(&rgb, &mut field)?;
        let path = folder.join(format!("{number:05}.png"));
        keep(&sure_of(&map)?, path.clone())?;
        items.push(Item {
            source: SOURCE.to_owned(),
            name: image.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            group: SOURCE.to_owned(),
            split: "train".to_owned(),
            image: image.clone(),
            labels: Labels::Mask { path, translate: Box::new(OUR_IDS) },
            size: rgb.dimensions(),
            gsd_mm: None,
        });
    }
    Ok((items, rejected))
}

/// The same without the classes of pixels of which the model is not sure.
fn sure_of(map: &ClassMap) -> Result<ClassMap, SegmentError> {
    let confidence = map.confidence();
    let classes = map.class_ids().iter().zip(confidence);
    let classes =
        classes.map(|(&class, &sure)| if sure < SURE { PlantClass::IGNORE_ID } else { class }).collect();
    ClassMap::new(map.width(), map.height(), classes, confidence.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::scene::decode;
    use image::{Rgb, RgbImage};

    /// Calls everything beet, is sure of every other pixel, and counts its pictures.
    struct AllBeet(usize);

    impl Segmenter for AllBeet {
        fn id(&self) -> &'static str {
            "all beet"
        }

        fn segment_in(&mut self, image: &RgbImage, _: &mut FieldMemory) -> Result<ClassMap, SegmentError> {
            let pixels = (image.width() * image.height()) as usize;
            self.0 += 1;
            let sure = (0..pixels).map(|at| if at % 2 == 0 { SURE } else { SURE - 1 });
            ClassMap::new(image.width(), image.height(), vec![2; pixels], sure.collect())
        }
    }

    #[test]
    fn photographs_get_the_models_labels_and_what_shows_nothing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let photograph = RgbImage::from_fn(60, 40, |x, y| match (x / 7 + y / 5) % 3 {
            0 => Rgb([60, 130, 50]),
            1 => Rgb([120, 100, 80]),
            _ => Rgb([200, 180, 150]),
        });
        photograph.save(place("a.png")).unwrap();
        RgbImage::new(60, 40).save(place("black.png")).unwrap();
        std::fs::write(place("broken.jpg"), b"no picture").unwrap();
        let photographs = ["a.png", "black.png", "broken.jpg", "gone.jpg"].map(place);
        let mut model = AllBeet(0);
        let (items, rejected) = label(&mut model, &photographs, &place("labels"), || ()).unwrap();
        assert_eq!(model.0, 1, "only what can be used is looked at");
        assert_eq!(items.len(), 1);
        let (rgb, mask) = decode(&items[0]).unwrap();
        assert_eq!(rgb, photograph);
        assert_eq!(mask.as_raw()[..4], [2, PlantClass::IGNORE_ID, 2, PlantClass::IGNORE_ID]);
        let told: Vec<_> = rejected.iter().map(|file| file.reason.as_str()).collect();
        assert!(told.len() == 3 && told[0].starts_with("unusable: "), "{told:?}");
    }
}
