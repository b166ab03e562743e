use super::*;
use proptest::prelude::*;

fn ring(points: &[[f64; 2]]) -> Vec<Point2<FieldFrame>> {
    points.iter().copied().map(Point2::from).collect()
}

fn square(x: f64, y: f64, side: f64) -> Vec<Point2<FieldFrame>> {
    ring(&[[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]])
}

fn codes(outer: Vec<Point2<FieldFrame>>, exclusions: Vec<Vec<Point2<FieldFrame>>>) -> Vec<String> {
    Boundary::findings(&RawBoundary { outer, exclusions }).into_iter().map(|finding| finding.code).collect()
}

#[test]
fn every_mistake_has_its_name() {
    let bow_tie = ring(&[[0.0, 0.0], [50.0, 50.0], [50.0, 0.0], [0.0, 50.0], [0.0, 0.0]]);
    let pinched = ring(&[[0., 0.], [40., 0.], [20., 20.], [40., 40.], [0., 40.], [20., 20.], [0., 0.]]);
    let spike = ring(&[[0., 0.], [40., 0.], [40., 40.], [40., 60.], [40., 40.], [0., 40.], [0., 0.]]);
    let open = ring(&[[0.0, 0.0], [50.0, 0.0], [50.0, 50.0], [0.0, 50.0]]);
    let nan = ring(&[[0.0, 0.0], [f64::NAN, 0.0], [50.0, 50.0], [0.0, 0.0]]);
    let huge = ring(&[[-1.7e308, 0.0], [0.0, 1.0], [1.7e308, 0.0]]);
    let cases: [(&str, Vec<String>); 15] = [
        ("boundary.self_intersection", codes(bow_tie, vec![])),
        ("boundary.self_intersection", codes(pinched, vec![])),
        ("boundary.self_intersection", codes(spike, vec![])),
        ("boundary.not_closed", codes(open, vec![])),
        ("boundary.not_finite", codes(nan, vec![])),
        ("boundary.out_of_reach", codes(huge, vec![])),
        ("boundary.out_of_reach", codes(square(0., 0., 50.), vec![square(5., 5., 1e300)])),
        ("boundary.too_few_vertices", codes(ring(&[[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]), vec![])),
        ("boundary.too_few_vertices", codes(vec![], vec![])),
        ("boundary.too_small", codes(square(0.0, 0.0, 3.0), vec![])),
        ("boundary.too_large", codes(square(0.0, 0.0, 1e5), vec![])),
        ("boundary.exclusion_outside", codes(square(0., 0., 50.), vec![square(60., 0., 5.)])),
        ("boundary.exclusion_outside", codes(square(0., 0., 50.), vec![square(-10., -10., 90.)])),
        ("boundary.rings_cross", codes(square(0., 0., 50.), vec![square(45., 5., 10.)])),
        (
            "boundary.exclusions_overlap",
            codes(square(0., 0., 50.), vec![square(5., 5., 20.), square(9., 9., 2.)]),
        ),
    ];
    for (wanted, found) in cases {
        assert!(found.iter().any(|code| code == wanted), "wanted {wanted}, found {found:?}");
    }
}

#[test]
fn repeated_points_and_touching_exclusions_are_no_finding() {
    let mut outer = square(0.0, 0.0, 50.0);
    outer.insert(1, outer[0]);
    let touching = ring(&[[0.0, 25.0], [10.0, 20.0], [10.0, 30.0], [0.0, 25.0]]);
    let boundary = Boundary::new(&RawBoundary { outer, exclusions: vec![touching] }).unwrap();
    assert!((boundary.area().get() - (2500.0 - 50.0)).abs() < 1e-9);
    assert!(boundary.contains(Point2::new(1.0, 1.0)) && !boundary.contains(Point2::new(8.0, 25.0)));
    assert!(boundary.in_exclusion(Point2::new(8.0, 25.0)) && !boundary.in_exclusion(Point2::new(1.0, 1.0)));
}

#[test]
fn a_hundred_thousand_vertices_are_checked() {
    let n = 100_000;
    let mut outer: Vec<_> = (0..n)
        .map(|i| {
            let angle = f64::from(i) / f64::from(n) * std::f64::consts::TAU;
            Point2::new(500.0 * angle.cos(), 500.0 * angle.sin())
        })
        .collect();
    outer.push(outer[0]);
    assert!(codes(outer.clone(), vec![]).is_empty());
    outer[50_000] = Point2::new(600.0, 0.0); // one vertex thrown across the field
    assert!(codes(outer, vec![]).contains(&"boundary.self_intersection".to_owned()));
}

proptest! {
    /// Star-shaped rings are simple by construction: they are accepted, and survive JSON unchanged.
    #[test]
    fn simple_rings_pass_and_survive_json(radii in prop::collection::vec(5.0..400.0f64, 3..40)) {
        let step = std::f64::consts::TAU / radii.len() as f64;
        let mut outer: Vec<_> = radii.iter().enumerate()
            .map(|(i, r)| Point2::new(r * (i as f64 * step).cos(), r * (i as f64 * step).sin())).collect();
        outer.push(outer[0]);
        let boundary = Boundary::new(&RawBoundary { outer, exclusions: vec![] }).unwrap();
        let text = serde_json::to_string(&boundary).unwrap();
        prop_assert_eq!(serde_json::from_str::<Boundary>(&text).unwrap(), boundary);
    }

    /// Anything at all: findings, never a panic.
    #[test]
    fn any_ring_is_judged(points in prop::collection::vec((-50i32..50, -50i32..50), 0..12)) {
        let mut outer: Vec<_> = points.iter().map(|&(x, y)| Point2::new(f64::from(x), f64::from(y))).collect();
        outer.extend(outer.first().copied());
        if let Ok(boundary) = Boundary::new(&RawBoundary { outer, exclusions: vec![] }) {
            use geo::Validation;
            prop_assert!(boundary.polygon().is_valid());
        }
    }
}
