use super::*;
use image::Rgb;
use proptest::prelude::*;

/// The definition, written plainly: mean of 5×5 with repeated edges, damped index, 64 + 200 · ExG.
fn plain_step(image: &RgbImage, column: i64, row: i64) -> f64 {
    let mut totals: Vec<u16> = image.pixels().map(|p| p.0.iter().map(|&c| u16::from(c)).sum()).collect();
    totals.sort_unstable();
    let median = f64::from(totals[totals.len() / 2]);
    let (mut green, mut total) = (0.0, 0.0);
    for (dx, dy) in (-2..=2).flat_map(|dx| (-2..=2).map(move |dy| (dx, dy))) {
        let x = (column + dx).clamp(0, i64::from(image.width()) - 1);
        let y = (row + dy).clamp(0, i64::from(image.height()) - 1);
        let Rgb(pixel) = *image.get_pixel(x.try_into().unwrap(), y.try_into().unwrap());
        green += f64::from(pixel[1]);
        total += pixel.iter().map(|&channel| f64::from(channel)).sum::<f64>();
    }
    let exg = 1.6 * (3.0 * green - total) / (total + 0.6 * 25.0 * median + 1.0);
    (64.0 + 200.0 * exg).clamp(0.0, 255.0)
}

proptest! {
    #[test]
    fn the_index_is_what_its_definition_says(
        width in 1_u32..24, height in 1_u32..12, pixels in prop::collection::vec(any::<u8>(), 24 * 12 * 3),
    ) {
        let bytes = pixels[..(3 * width * height) as usize].to_vec();
        let image = RgbImage::from_raw(width, height, bytes).unwrap();
        let mut map = IndexMap::default();
        // A second fill must not see the first.
        map.fill(&RgbImage::from_pixel(31, 7, Rgb([9, 200, 30])));
        map.fill(&image);
        for (at, &step) in (0_i64..).zip(map.steps()) {
            let (column, row) = (at % i64::from(width), at / i64::from(width));
            let plain = plain_step(&image, column, row);
            prop_assert!((f64::from(step) - plain).abs() <= 0.51, "{} {} {}", at, step, plain);
        }
    }
}

/// Soil with grain, and a green disc.
fn scene(disc: Option<f64>) -> RgbImage {
    RgbImage::from_fn(200, 150, |x, y| {
        let grain = u8::try_from((x * 7919 + y * 104_729 + x * y * 31) % 23).unwrap();
        let off = (f64::from(x) - 100.0).hypot(f64::from(y) - 75.0);
        if disc.is_some_and(|radius| off < radius) {
            Rgb([60 + grain, 120 + grain, 50 + grain])
        } else {
            Rgb([130 + grain, 108 + grain, 88 + grain])
        }
    })
}

#[test]
fn a_green_disc_on_soil_is_found_in_its_size() {
    let map = ExcessGreen::default().segment(&scene(Some(20.0))).unwrap();
    let area = map.count(PlantClass::Weed) as f64;
    assert!((area / (std::f64::consts::PI * 400.0) - 1.0).abs() < 0.1, "{area}");
    let crop = ExcessGreen::calling_plants(PlantClass::SugarBeet).segment(&scene(Some(20.0))).unwrap();
    assert_eq!(crop.count(PlantClass::SugarBeet), map.count(PlantClass::Weed));
}

#[test]
fn bare_soil_has_no_plants() {
    assert_eq!(ExcessGreen::default().segment(&scene(None)).unwrap().count(PlantClass::Weed), 0);
}

#[test]
fn one_pixel_is_a_frame_and_none_is_an_error() {
    let mut exg = ExcessGreen::default();
    assert_eq!(exg.segment(&RgbImage::from_pixel(1, 1, Rgb([120, 100, 80]))).unwrap().class_ids(), [0]);
    assert!(matches!(exg.segment(&RgbImage::new(0, 0)), Err(SegmentError::Empty { .. })));
}

#[test]
fn confidence_is_half_at_the_threshold_and_grows() {
    assert_eq!(confidence_of(80, 80), 128);
    assert_eq!(confidence_of(255, 80), 254);
    assert_eq!(confidence_of(0, 80), 254);
    assert!(confidence_of(90, 80) > confidence_of(85, 80));
}
