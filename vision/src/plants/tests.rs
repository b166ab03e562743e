use super::*;

/// `.` soil, digits class ids; all pixels sure.
fn map(rows: &[&str]) -> ClassMap {
    let ids: Vec<u8> =
        rows.iter().flat_map(|row| row.bytes().map(|b| if b == b'.' { 0 } else { b - b'0' })).collect();
    let confidence = vec![255; ids.len()];
    let (width, height) = (rows[0].len(), rows.len());
    ClassMap::new(width.try_into().unwrap(), height.try_into().unwrap(), ids, confidence).unwrap()
}

const ALL: PlantRules = PlantRules { min_area_px: 1, join_gap_px: 0, min_share_of_body: 0.0 };

#[test]
fn diagonal_neighbours_are_one_plant_and_a_gap_makes_two() {
    let plants = find_plants(&map(&[".......", ".1...1.", "..1..1.", "......."]), &ALL);
    assert_eq!(plants.iter().map(|p| p.area_px).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(plants[0].centroid_px, [2.0, 2.0]);
    assert!(!plants[0].cut);
}
