//! Learning a field from photographs that nobody labelled.
//!
//! A model that sees a field for the first time wavers where the field as a whole does not: crop stands in rows, its plants
//! look alike, and what one picture hides another shows ([`kompas_vision::consensus`]). What the model makes of the
//! photographs after it has heard all that is taken for their labels here, and a short run ([`crate::train`]) on them,
//! beside labelled images of other fields, teaches the network itself (self-training; Lee 2013, "Pseudo-label"; Zou et al.
//! 2018, "Unsupervised domain adaptation for semantic segmentation via class-balanced self-training").

use crate::data::index::OUR_IDS;
use crate::data::{Item, Labels, Rejected, reason};
use crate::evaluate::{EvaluateError, keep};
use image::RgbImage;
use kompas_field::PlantClass;
use kompas_vision::load::{MEMORY_LIMIT_BYTES, load_as_stored};
use kompas_vision::usable::unusable;
use kompas_vision::{ClassMap, FieldMemory, SegmentError, Segmenter};
use std::path::{Path, PathBuf};

/// The source that photographs of the field are of, as a configuration's `sources` names it.
pub const SOURCE: &str = "field";

/// Of a pixel of which the model is less sure, in 255ths, nothing is learnt (models/README.md says what that is worth).
const SURE: u8 = 150;

/// What a model made of the photographs of a field.
#[derive(Debug, Default)]
pub struct Labelled {
    /// Numbers of the photographs that have labels now.
    pub numbers: Vec<usize>,
    /// The others, which show nothing or cannot be read.
    pub rejected: Vec<Rejected>,
    /// Pixels of soil, weed, sugar beet, potato and other crop of which it was sure.
    pub sure: [u64; 5],
}

/// Writes to `folder` what `model` makes of the photographs, as far as it is sure of it. Each series is taken for pictures
/// of one field by one camera at one time, in the order given, and heard by itself; numbers count through all of them.
/// # Errors
/// [`EvaluateError`] when the model itself fails or a label cannot be written.
pub fn label(
    model: &mut dyn Segmenter,
    series: &[Vec<PathBuf>],
    folder: &Path,
    mut progress: impl FnMut(),
) -> Result<Labelled, EvaluateError> {
    let mut labelled = Labelled::default();
    let mut numbers = 0..;
    for images in series {
        let mut field = FieldMemory::default();
        for (image, number) in images.iter().zip(&mut numbers) {
            progress();
            match usable(image) {
                Ok(rgb) => {
                    let map = sure_of(&model.segment_in(&rgb, &mut field)?)?;
                    for (count, class) in labelled.sure.iter_mut().zip(PlantClass::ALL) {
                        *count += map.count(class) as u64;
                    }
                    keep(&map, label_of(folder, number))?;
                    labelled.numbers.push(number);
                }
                Err(reason) => {
                    labelled.rejected.push(Rejected { place: image.display().to_string(), reason });
                }
            }
        }
    }
    Ok(labelled)
}

/// A photograph as training reads it (as it is stored, not as it was held), or why nothing can be learnt from it.
fn usable(image: &Path) -> Result<RgbImage, String> {
    let rgb = load_as_stored(image, MEMORY_LIMIT_BYTES).map_err(|error| reason(&error))?;
    unusable(&rgb).map_or(Ok(rgb), |reason| Err(format!("unusable: {reason}")))
}

/// The photographs of these numbers, of which [`label`] wrote labels to `folder`, as training images.
/// # Errors
/// If a label is gone, or no picture any more.
pub fn labelled(photographs: &[PathBuf], numbers: &[usize], folder: &Path) -> image::ImageResult<Vec<Item>> {
    let items =
        numbers.iter().filter_map(|&number| Some((label_of(folder, number), photographs.get(number)?)));
    let items = items.map(|(path, image)| {
        Ok(Item {
            source: SOURCE.to_owned(),
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            group: SOURCE.to_owned(),
            split: "train".to_owned(),
            image: image.clone(),
            size: image::image_dimensions(&path)?,
            labels: Labels::Mask { path, translate: Box::new(OUR_IDS) },
            gsd_mm: None,
        })
    });
    items.collect()
}

fn label_of(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{number:05}.png"))
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
    use image::Rgb;
    use kompas_vision::consensus::{Colours, Consensus, agree};

    /// Calls everything beet, is sure of every other pixel, and tells how many pictures of the field it remembers.
    struct AllBeet(Vec<usize>);

    impl Segmenter for AllBeet {
        fn id(&self) -> &'static str {
            "all beet"
        }

        fn segment_in(
            &mut self,
            image: &RgbImage,
            field: &mut FieldMemory,
        ) -> Result<ClassMap, SegmentError> {
            let pixels = (image.width() * image.height()) as usize;
            self.0.push(field.pictures());
            // A single beet, so that there is something to remember.
            let beet = Colours::of(&RgbImage::new(1, 1));
            agree(&mut [0., 0., 9., 0., 0.], 1, 1, Consensus::RELEASED, &beet, field.at(1.));
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
        photograph.save(place("cut-off.jpg")).unwrap();
        let bytes = std::fs::read(place("cut-off.jpg")).unwrap();
        std::fs::write(place("cut-off.jpg"), &bytes[..bytes.len() - 9]).unwrap();
        let photographs = ["black.png", "a.png", "broken.jpg", "gone.jpg", "cut-off.jpg"].map(place);
        let mut model = AllBeet(Vec::new());
        let other_camera = vec![place("a.png"), place("a.png")];
        let series = [photographs.to_vec(), other_camera];
        let Labelled { numbers, rejected, sure } =
            label(&mut model, &series, &place("labels"), || ()).unwrap();
        assert_eq!((sure, numbers.as_slice()), ([0, 0, 3600, 0, 0], [1, 5, 6].as_slice()));
        let photographs = series.concat();
        let items = labelled(&photographs, &numbers, &place("labels")).unwrap();
        assert_eq!(model.0, [0, 0, 1], "what can be used is looked at, and each camera hears its own");
        assert_eq!((items.len(), &items[0].image), (3, &photographs[1]));
        assert!(labelled(&photographs, &[0], &place("labels")).is_err(), "that one has no label");
        let (rgb, mask) = decode(&items[0]).unwrap();
        assert_eq!(rgb, photograph);
        assert_eq!(mask.as_raw()[..4], [2, PlantClass::IGNORE_ID, 2, PlantClass::IGNORE_ID]);
        let told: Vec<_> = rejected.iter().map(|file| file.reason.as_str()).collect();
        assert!(told.len() == 4 && told[0].starts_with("unusable: "), "{told:?}");
        assert!(told[3].contains("cut off"), "{told:?}");
    }
}
