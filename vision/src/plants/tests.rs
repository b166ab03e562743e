use super::*;
use crate::segment::ClassMap;
use proptest::prelude::*;

/// `.` soil, digits class ids; all pixels sure.
fn map(rows: &[&str]) -> ClassMap {
    let ids: Vec<u8> =
        rows.iter().flat_map(|row| row.bytes().map(|b| if b == b'.' { 0 } else { b - b'0' })).collect();
    let confidence = vec![255; ids.len()];
    let (width, height) = (rows[0].len(), rows.len());
    ClassMap::new(width.try_into().unwrap(), height.try_into().unwrap(), ids, confidence).unwrap()
}

fn areas(rows: &[&str], rules: &PlantRules) -> Vec<(u8, u32)> {
    find_plants(&map(rows), rules).iter().map(|p| (p.class.id(), p.area_px)).collect()
}

fn near(a: [f64; 2], b: [f64; 2]) -> bool {
    (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-9
}

const ALL: PlantRules =
    PlantRules { min_area_px: 1, join_gap_px: 0, min_share_of_body: 0.0, max_speckle_px: 25, leaf_px: 2 };

#[test]
fn diagonal_neighbours_are_one_plant_and_a_gap_makes_two() {
    let picture = [".......", ".1...1.", "..1..1.", "......."];
    let plants = find_plants(&map(&picture), &ALL);
    assert_eq!(areas(&picture, &ALL), [(1, 2), (1, 2)]);
    assert!(near(plants[0].centroid_px, [2.0, 2.0]));
    assert_eq!(plants[0].bounds, PixelBox { left: 1, top: 1, right: 3, bottom: 3 });
    assert!(!plants[0].cut && plants[0].confidence > 0.999);
}

#[test]
fn leaves_within_the_gap_are_one_plant() {
    let picture = ["........", ".11..11.", "........", "........", "..1.....", "........"];
    assert_eq!(areas(&picture, &PlantRules { join_gap_px: 1, ..ALL }).len(), 3);
    assert_eq!(areas(&picture, &PlantRules { join_gap_px: 2, ..ALL }), [(1, 5)]);
}

#[test]
fn leaves_are_the_pixels_by_squares() {
    let picture = ["........", ".11111..", ".11111..", "........"];
    let plant = &find_plants(&map(&picture), &ALL)[0];
    let leaves: Vec<_> = plant.leaves.iter().map(|leaf| (leaf.middle_px, leaf.area_px)).collect();
    // Squares of two by two pixels: one column left of the first whole square, in two rows of squares.
    let columns = [([1.5, 1.5], 1), ([3.0, 1.5], 2), ([5.0, 1.5], 2)];
    let below = columns.map(|([column, row], area)| ([column, row + 1.0], area));
    assert_eq!(leaves, [columns, below].concat());
}

#[test]
fn crop_and_weed_in_contact_are_two_plants() {
    let picture = ["........", ".222111.", ".222111.", "........"];
    assert_eq!(areas(&picture, &ALL), [(2, 6), (1, 6)]);
}

#[test]
fn speckle_on_a_leaf_belongs_to_the_leaf_and_speckle_on_soil_to_nothing() {
    let picture = ["...........", ".2222222...", ".2221222.1.", ".2222222...", "..........."];
    let rules = PlantRules { min_area_px: 2, min_share_of_body: 0.1, ..ALL };
    assert_eq!(areas(&picture, &rules), [(2, 21)]);
}

#[test]
fn a_beet_in_a_mat_of_weeds_is_a_beet_however_large_the_mat() {
    let picture = ["..........", ".11111111.", ".11221111.", ".11111111.", ".........."];
    let rules = PlantRules { min_area_px: 1, min_share_of_body: 0.1, ..ALL };
    assert_eq!(areas(&picture, &PlantRules { max_speckle_px: 2, ..rules }), [(1, 24)]);
    assert_eq!(areas(&picture, &PlantRules { max_speckle_px: 1, ..rules }), [(1, 22), (2, 2)]);
}

#[test]
fn the_stem_of_a_ring_lies_on_the_ring() {
    let picture = [".......", ".11111.", ".1...1.", ".1...1.", ".1...1.", ".11111.", "......."];
    let plant = &find_plants(&map(&picture), &ALL)[0];
    assert!(near(plant.centroid_px, [3.5, 3.5]));
    // Nearest pixels are the middles of the sides; the first in reading order is the upper one.
    assert!(near(plant.stem_px, [3.5, 1.5]), "{:?}", plant.stem_px);
    let solid = &find_plants(&map(&[".....", ".111.", ".111.", "....."]), &ALL)[0];
    assert!(near(solid.stem_px, solid.centroid_px));
}

#[test]
fn a_plant_on_the_border_is_cut() {
    let cut = |rows: &[&str]| find_plants(&map(rows), &ALL)[0].cut;
    assert!(cut(&["1..", "...", "..."]) && cut(&["...", "..1", "..."]) && cut(&["...", "...", ".1."]));
    assert!(!cut(&["...", ".1.", "..."]));
}

#[test]
fn ignored_and_unknown_ids_are_no_plants() {
    let map = ClassMap::new(3, 1, vec![255, 9, 0], vec![255; 3]).unwrap();
    assert!(find_plants(&map, &ALL).is_empty());
}

#[test]
fn rules_follow_the_ground_sampling_distance() {
    assert_eq!(PlantRules::at_gsd(0.001).min_area_px, 25);
    assert_eq!(PlantRules::at_gsd(0.001).join_gap_px, 2);
    assert_eq!(PlantRules::at_gsd(0.02).min_area_px, 6);
}

/// Flood fill with the definition of a piece: same class, at most `gap` pixels between.
fn flooded(ids: &[u8], width: i64, gap: i64) -> Vec<u32> {
    let height = i64::try_from(ids.len()).unwrap() / width;
    let at = |x: i64, y: i64| usize::try_from(y * width + x).unwrap();
    let mut seen = vec![false; ids.len()];
    let mut areas = Vec::new();
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        if ids[at(x, y)] == 0 || std::mem::replace(&mut seen[at(x, y)], true) {
            continue;
        }
        let (mut stack, mut area) = (vec![(x, y)], 0);
        while let Some((x, y)) = stack.pop() {
            area += 1;
            for (u, v) in
                (y - gap - 1..=y + gap + 1).flat_map(|v| (x - gap - 1..=x + gap + 1).map(move |u| (u, v)))
            {
                let inside = (0..width).contains(&u) && (0..height).contains(&v);
                if inside && ids[at(u, v)] == ids[at(x, y)] && !std::mem::replace(&mut seen[at(u, v)], true) {
                    stack.push((u, v));
                }
            }
        }
        areas.push(area);
    }
    areas.sort_unstable();
    areas
}

proptest! {
    #[test]
    fn pieces_are_what_a_flood_fill_finds(
        ids in prop::collection::vec(prop_oneof![5 => Just(0_u8), 2 => Just(1), 1 => Just(2)], 20 * 14),
        gap in 0_u32..4,
    ) {
        let map = ClassMap::new(20, 14, ids.clone(), vec![200; ids.len()]).unwrap();
        let rules = PlantRules { join_gap_px: gap, ..ALL };
        let mut areas: Vec<u32> = find_plants(&map, &rules).iter().map(|p| p.area_px).collect();
        areas.sort_unstable();
        prop_assert_eq!(areas, flooded(&ids, 20, i64::from(gap)));
    }

    /// Whatever the rules, a pixel belongs to one plant at most, and stems lie within the bounds.
    #[test]
    fn plants_do_not_overlap(
        ids in prop::collection::vec(0_u8..4, 20 * 14), min_area_px in 1_u32..20, share in 0.0..1.0,
    ) {
        let map = ClassMap::new(20, 14, ids.clone(), vec![200; ids.len()]).unwrap();
        let rules = PlantRules { min_area_px, join_gap_px: 1, min_share_of_body: share, ..ALL };
        let plants = find_plants(&map, &rules);
        let green = ids.iter().filter(|&&id| id != 0).count();
        prop_assert!(plants.iter().map(|p| p.area_px as usize).sum::<usize>() <= green);
        for plant in plants {
            prop_assert!(plant.area_px >= min_area_px);
            let PixelBox { left, top, right, bottom } = plant.bounds;
            prop_assert!((f64::from(left)..=f64::from(right)).contains(&plant.stem_px[0]));
            prop_assert!((f64::from(top)..=f64::from(bottom)).contains(&plant.stem_px[1]));
        }
    }
}
