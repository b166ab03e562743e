use super::*;
use crate::boundary::{Boundary, RawBoundary};
use crate::frame::Point2;
use crate::geodetic::Geodetic;
use crate::plant::FieldCrop;
use crate::sighting::Confidence;
use proptest::prelude::*;

/// 12 m by 9 m, its datum in the south-western corner.
fn plot(id: &str, lon_deg: f64) -> Field {
    let corners = [(0.0, 0.0), (12.0, 0.0), (12.0, 9.0), (0.0, 9.0), (0.0, 0.0)];
    let outer = corners.map(|(x, y)| Point2::new(x, y)).to_vec();
    Field {
        id: FieldId::new(id).unwrap(),
        crop: FieldCrop::SugarBeet,
        plane: FieldPlane::at(Geodetic::etrs89(52.87, lon_deg)).unwrap(),
        boundary: Boundary::new(&RawBoundary { outer, exclusions: vec![] }).unwrap(),
    }
}

fn any_sighting() -> impl Strategy<Value = Sighting> {
    (-1.0..13.0f64, -1.0..10.0f64, 1u8..5, 0.0..500.0f64).prop_map(|(x, y, id, area_cm2)| Sighting {
        position: Point2::new(x, y),
        sigma: Metres::new(0.02),
        class: PlantClass::from_id(id).unwrap(),
        confidence: Confidence::clamped(0.9),
        area_cm2,
    })
}

fn map_of(sightings: &[Sighting]) -> WeedMap {
    let mut map = WeedMap::of(&plot("trial", 6.95));
    let counted = sightings.iter().filter(|sighting| map.add(sighting)).count();
    assert!(counted <= sightings.len());
    map
}

proptest! {
    #[test]
    fn order_and_split_do_not_matter(
        sightings in prop::collection::vec(any_sighting(), 0..60), cut in 0usize..60, seed in any::<u64>(),
    ) {
        let whole = map_of(&sightings);
        let cut = cut.min(sightings.len());
        let mut halves = map_of(&sightings[cut..]);
        halves.merge(&map_of(&sightings[..cut])).unwrap();
        prop_assert_eq!(&halves, &whole);
        let mut shuffled = sightings.clone();
        shuffled.sort_by_key(|s| (s.position.x.to_bits() ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        prop_assert_eq!(map_of(&shuffled), whole);
    }

    #[test]
    fn maps_survive_json(sightings in prop::collection::vec(any_sighting(), 0..40)) {
        let map = map_of(&sightings);
        let text = serde_json::to_string(&map).unwrap();
        prop_assert_eq!(serde_json::from_str::<WeedMap>(&text).unwrap(), map);
    }
}

#[test]
fn plots_of_one_size_side_by_side_are_told_apart() {
    // 12 m is 0.000178 degrees of longitude here.
    let (trial, beside) = (plot("trial", 6.95), plot("beside", 6.950_178));
    let mut map = WeedMap::of(&trial);
    assert_eq!(map.grid(), beside.grid());
    let refused = map.lies_on(&beside).unwrap_err();
    assert!(matches!(&refused, WeedMapError::OtherField { apart, .. } if (apart.get() - 12.0).abs() < 0.1));
    assert_eq!(
        refused.to_string(),
        "the weed map is of field trial, whose middle lies 11.99 m from that of field beside: give the map of this \
         field, or make one"
    );
    assert!(matches!(map.merge(&WeedMap::of(&beside)), Err(WeedMapError::OtherField { .. })));
    // The same ground by another name, out of a file with fewer decimals.
    assert_eq!(map.lies_on(&plot("Noordhoek-7", 6.950_000_8)), Ok(()));
}

#[test]
fn a_field_whose_boundary_changed_has_no_map_yet() {
    let field = plot("trial", 6.95);
    let mut map = WeedMap::of(&field);
    map.grid.cols += 1;
    let refused = map.lies_on(&field).unwrap_err();
    assert!(refused.to_string().contains("13 × 9 grid cells"), "{refused}");
    let mut map = WeedMap::of(&field);
    map.plane = FieldPlane::at(Geodetic { datum: Datum::Wgs84, ..field.plane.origin() }).unwrap();
    assert!(matches!(map.lies_on(&field), Err(WeedMapError::OtherDatum { .. })));
}

#[test]
fn a_foreign_document_is_refused() {
    let old = r#""grid":{"west_m":0,"south_m":0,"cols":1,"rows":1},"cells":[]}"#;
    let read = |schema: &str| {
        let text = format!(r#"{{"schema":"kompas.weed-map/{schema}",{old}"#);
        serde_json::from_str::<WeedMap>(&text).unwrap_err().to_string()
    };
    assert!(read("9").contains("this program reads kompas.weed-map/2"), "{}", read("9"));
    assert!(read("1").contains("make it again, with kompas-robot survey"), "{}", read("1"));
    let off =
        WeedMap::of(&plot("trial", 6.95)).add_tally(CellIndex { col: 12, row: 0 }, &CellTally::default());
    assert!(matches!(off, Err(WeedMapError::OffGrid { .. })));
}
