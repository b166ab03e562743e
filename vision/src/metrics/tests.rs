use super::*;
use crate::plants::{Detection, PixelBox, PlantRules};
use crate::segment::ClassMap;
use kompas_field::FieldCrop;

/// The generator that the reference below was made with.
fn noise(seed: u64) -> impl Iterator<Item = u8> {
    std::iter::successors(Some(seed), |s| {
        Some(s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    })
    .skip(1)
    .map(|s| u8::try_from((s >> 33) % 5).unwrap())
}

/// scikit-learn 1.9.1: `confusion_matrix(t, p)`, `jaccard_score(t, p, average=None)` and `average="macro"`
/// with t = noise(1), p = t where noise(2) < 3 else noise(3), 1,000 pixels.
#[test]
fn the_table_and_iou_agree_with_scikit_learn() {
    let truth: Vec<u8> = noise(1).take(1000).collect();
    let prediction: Vec<u8> = truth
        .iter()
        .zip(noise(2))
        .zip(noise(3))
        .map(|((&t, keep), other)| if keep < 3 { t } else { other })
        .collect();
    let mut table = Confusion::default();
    table.add(&truth, &prediction).unwrap();
    let reference = [
        [126, 21, 11, 17, 19],
        [20, 127, 15, 10, 14],
        [19, 13, 149, 24, 19],
        [19, 16, 7, 140, 14],
        [15, 20, 14, 20, 131],
    ];
    assert_eq!(table.counts, reference);
    let jaccard = [
        0.471_910_112_359_550_55,
        0.496_093_75,
        0.549_815_498_154_981_5,
        0.524_344_569_288_389_2,
        0.492_481_203_007_518_8,
    ];
    for (class, reference) in PlantClass::ALL.into_iter().zip(jaccard) {
        assert!((table.iou(class).unwrap() - reference).abs() < 1e-12);
    }
    assert!((table.mean_iou().unwrap() - 0.506_929_026_562_088_2).abs() < 1e-12);
}

/// scipy: `binomtest(k, n).proportion_ci(method="wilson")`.
#[test]
fn wilson_agrees_with_scipy() {
    for (hits, of, low, high) in [
        (57, 60, 0.862_994_835_236_514_8, 0.982_850_497_835_604_4),
        (0, 10, 0.0, 0.277_532_799_862_889_26),
        (10, 10, 0.722_467_200_137_110_7, 1.0),
        (1, 1000, 0.000_176_546_370_626_078_06, 0.005_642_558_597_957_935_5),
    ] {
        let share = wilson(hits, of).unwrap();
        assert!((share.low - low).abs() < 1e-12 && (share.high - high).abs() < 1e-12, "{share:?}");
    }
    assert_eq!(wilson(0, 0), None);
}

#[test]
fn ignored_pixels_count_nowhere_and_absent_classes_have_no_figure() {
    let mut table = Confusion::default();
    table.add(&[0, 1, 255, 2], &[0, 1, 1, 255]).unwrap();
    assert_eq!(table.iou(PlantClass::Weed), Some(1.0));
    assert_eq!(table.iou(PlantClass::SugarBeet), None);
    assert_eq!(table.plant_iou(), Some(1.0));
    assert_eq!(table.add(&[0], &[]), Err(SizeMismatch { truth: 1, prediction: 0 }));
    assert_eq!((Confusion::default().mean_iou(), Confusion::default().plant_iou()), (None, None));
}

#[test]
fn plant_iou_asks_only_plant_or_soil() {
    let mut table = Confusion::default();
    // Two right, one crop taken for weed (still a plant), one missed, one invented.
    table.add(&[1, 2, 2, 1, 0, 0], &[1, 2, 1, 0, 2, 0]).unwrap();
    assert!((table.plant_iou().unwrap() - 3.0 / 5.0).abs() < 1e-12);
}

#[test]
fn a_weed_under_a_dot_is_treated_and_a_beet_under_it_is_hit() {
    let mut ids = vec![0; 40 * 20];
    // Weed around (10, 10), beet around (16, 10), beet around (30, 10), a weed cut by the left edge.
    for (column, class) in [(10, 1), (16, 2), (30, 2), (0, 1)] {
        for (dx, dy) in (0..3).flat_map(|dx| (0..3).map(move |dy| (dx, dy))) {
            ids[(9 + dy) * 40 + (column + dx).max(1) - 1] = class;
        }
    }
    let truth = ClassMap::new(40, 20, ids, vec![255; 800]).unwrap();
    let weed = Detection {
        class: PlantClass::Weed,
        confidence: 1.0,
        area_px: 9,
        centroid_px: [10.5, 10.5],
        stem_px: [10.5, 10.5],
        bounds: PixelBox { left: 9, top: 9, right: 12, bottom: 12 },
        cut: false,
        leaves: vec![],
    };
    let rules =
        PlantRules { min_area_px: 4, join_gap_px: 0, min_share_of_body: 0.0, max_speckle_px: 0, leaf_px: 4 };
    let score = |margin_px| {
        let mut score = PlantScore::default();
        score.add(
            &truth,
            std::slice::from_ref(&weed),
            &rules,
            &Spray { crop: FieldCrop::SugarBeet, margin_px },
        );
        score
    };
    assert_eq!(score(1.0), PlantScore { weeds: 1, weeds_treated: 1, crop: 2, crop_hit: 0 });
    assert_eq!(score(6.0), PlantScore { weeds: 1, weeds_treated: 1, crop: 2, crop_hit: 1 });
}
