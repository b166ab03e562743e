//! A large picture at its own resolution: segmented in tiles, stitched to one class map.
//!
//! A network sees at most 1024 px of a longer side ([`crate::normalise::working_size`]) and shrinks what is
//! larger. A 20-megapixel photograph from a drone would lose four of five pixels per side, and with them the
//! seedlings: it is cut into tiles that need no shrinking.

use crate::consensus::FieldMemory;
use crate::segment::{ClassMap, SegmentError, Segmenter};
use crate::tiles::{Tile, tiles};
use image::RgbImage;
use image::imageops::crop_imm;
use kompas_field::PlantClass;

/// The class map of `image` from tiles of at most `side_px` that overlap by `overlap_px` or more. Each pixel
/// is taken from the tile in which it lies farther from the seam, so it was judged with at least half of
/// `overlap_px` around it, unless the picture itself ends there. A picture that fits into one tile is
/// segmented as it is.
///
/// A tile that is not `wanted` is not looked at: its pixels are [`PlantClass::IGNORE_ID`], without confidence.
///
/// Holds one tile beside the picture and its map. Choose `overlap_px` so that the largest plant fits.
///
/// # Errors
/// [`SegmentError`], as the segmenter gives it.
pub fn segment_in_tiles(
    segmenter: &mut dyn Segmenter,
    image: &RgbImage,
    side_px: u32,
    overlap_px: u32,
    wanted: impl Fn(&Tile) -> bool,
    field: &mut FieldMemory,
) -> Result<ClassMap, SegmentError> {
    let parts = tiles(image.width(), image.height(), side_px.max(1), overlap_px);
    stitched(image, &parts, wanted, |region| segmenter.segment_in(region, field))
}

/// The class map of `image` from what `look` makes of its `parts`; a part that is all of it is not copied.
pub(crate) fn stitched(
    image: &RgbImage,
    parts: &[Tile],
    wanted: impl Fn(&Tile) -> bool,
    mut look: impl FnMut(&RgbImage) -> Result<ClassMap, SegmentError>,
) -> Result<ClassMap, SegmentError> {
    let (width, height) = image.dimensions();
    if parts.len() == 1 && parts.iter().all(&wanted) {
        return look(image);
    }
    let count = width as usize * height as usize;
    let (mut class_ids, mut confidence) = (vec![PlantClass::IGNORE_ID; count], vec![0; count]);
    for part in parts.iter().filter(|part| wanted(part)) {
        let region = crop_imm(image, part.left, part.top, part.width, part.height).to_image();
        keep(part, &look(&region)?, width, &mut class_ids, &mut confidence);
    }
    ClassMap::new(width, height, class_ids, confidence)
}

/// Copies what counts of a tile's map into the ids and confidences of a picture `width` pixels wide.
fn keep(part: &Tile, map: &ClassMap, width: u32, class_ids: &mut [u8], confidence: &mut [u8]) {
    let [left, top, right, bottom] = part.keep;
    let from = (left - part.left) as usize..(right - part.left) as usize;
    for row in top..bottom {
        let start = row as usize * width as usize + left as usize;
        let to = start..start + from.len();
        let (ids, sure) = map.row(row - part.top);
        class_ids[to.clone()].copy_from_slice(&ids[from.clone()]);
        confidence[to].copy_from_slice(&sure[from.clone()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ExcessGreen;
    use image::Rgb;
    use proptest::prelude::*;

    /// Class and confidence of a pixel follow from its colour alone.
    struct ByColour {
        largest: [u32; 2],
    }

    impl Segmenter for ByColour {
        fn id(&self) -> &'static str {
            "by-colour"
        }

        fn segment_in(
            &mut self,
            image: &RgbImage,
            _field: &mut FieldMemory,
        ) -> Result<ClassMap, SegmentError> {
            let (width, height) = image.dimensions();
            self.largest = [self.largest[0].max(width), self.largest[1].max(height)];
            let class_ids = image.pixels().map(|pixel| pixel[0] % 5).collect();
            let confidence = image.pixels().map(|pixel| pixel[1]).collect();
            ClassMap::new(width, height, class_ids, confidence)
        }
    }

    /// No two neighbours alike, and no two tiles.
    fn numbered(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            let [a, b, c, _] = (y * width + x).wrapping_mul(2_654_435_761).to_le_bytes();
            Rgb([a ^ c, b ^ a, c])
        })
    }

    fn stitched_by(
        segmenter: &mut dyn Segmenter,
        image: &RgbImage,
        [side_px, overlap_px]: [u32; 2],
        wanted: impl Fn(&Tile) -> bool,
    ) -> ClassMap {
        segment_in_tiles(segmenter, image, side_px, overlap_px, wanted, &mut FieldMemory::default()).unwrap()
    }

    proptest! {
        #[test]
        fn tiles_of_a_pixelwise_segmenter_give_the_map_of_the_whole(
            width in 1_u32..400, height in 1_u32..400, side in 64_u32..200, overlap in 0_u32..64,
        ) {
            let image = numbered(width, height);
            let whole = ByColour { largest: [0, 0] }.segment(&image).unwrap();
            let mut tiled = ByColour { largest: [0, 0] };
            prop_assert_eq!(stitched_by(&mut tiled, &image, [side, overlap], |_| true), whole);
            prop_assert!(tiled.largest[0] <= side && tiled.largest[1] <= side);
        }
    }

    #[test]
    fn what_is_not_wanted_is_ignored() {
        let image = numbered(300, 100);
        let whole = ByColour { largest: [0, 0] }.segment(&image).unwrap();
        let right = |tile: &Tile| tile.left > 0;
        let map = stitched_by(&mut ByColour { largest: [0, 0] }, &image, [200, 20], right);
        for row in 0..100 {
            let ((ids, sure), (all, all_sure)) = (map.row(row), whole.row(row));
            assert!(ids[..150].iter().all(|&id| id == PlantClass::IGNORE_ID), "row {row}");
            assert!(sure[..150].iter().all(|&sure| sure == 0), "row {row}");
            assert_eq!((&ids[150..], &sure[150..]), (&all[150..], &all_sure[150..]), "row {row}");
        }
        let nothing = stitched_by(&mut ByColour { largest: [0, 0] }, &image, [300, 20], |_| false);
        assert!(nothing.class_ids().iter().all(|&id| id == PlantClass::IGNORE_ID));
    }

    /// Its threshold is chosen per tile, so only the rims of plants may differ.
    #[test]
    fn excess_green_sees_the_same_plants_in_tiles() {
        let image = RgbImage::from_fn(900, 700, |x, y| {
            let leaf = (x % 150).abs_diff(75).pow(2) + (y % 140).abs_diff(70).pow(2) < 30 * 30;
            let grain = u8::try_from((x * 7919 + y * 104_729 + x * y * 31) % 12).unwrap();
            Rgb(if leaf { [60, 130 + grain, 50] } else { [120 + grain, 100 + grain, 80 + grain] })
        });
        let whole = ExcessGreen::default().segment(&image).unwrap();
        let tiled = stitched_by(&mut ExcessGreen::default(), &image, [256, 64], |_| true);
        let differing = whole.class_ids().iter().zip(tiled.class_ids()).filter(|(a, b)| a != b).count();
        assert!(differing < 900 * 700 / 1000, "{differing} of 630000 pixels differ");
        assert!(whole.class_ids().contains(&1));
    }
}
