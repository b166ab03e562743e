use super::super::layout::{Dimensions, layout};
use super::*;
use geo::{Distance, Euclidean, Point, polygon};

fn field(radius: f64) -> Layout {
    let outline = polygon![(x: 0.0, y: 0.0), (x: 120.0, y: 0.0), (x: 120.0, y: 80.0), (x: 0.0, y: 80.0)];
    let dimensions = Dimensions {
        width: 3.0,
        half: 1.5,
        body: 1.0,
        margin: 0.004,
        radius,
        may_reverse: false,
        steering: None,
        cusp_cost: 10.0,
    };
    layout(&outline, dimensions, dimensions.headland_passes())
}

/// An S through the field: waves of `height` metres, 120 m long, with what a receiver adds.
fn s_curve(height: f64, noise: f64) -> Vec<Pt> {
    (0..=100)
        .map(|k| {
            let x = 10.0 + f64::from(k);
            let shake = noise * (f64::from(k) * 2.4).sin();
            Pt { x, y: 40.0 + height * (x / 120.0 * std::f64::consts::TAU).sin() + shake }
        })
        .collect()
}

#[test]
fn parallels_lie_a_width_apart_and_leave_nothing_of_the_mainland() {
    let layout = field(2.0);
    let guided = along_curve(&layout, &s_curve(5.0, 0.02)).unwrap_or_else(|error| panic!("{error}"));
    assert!(guided.moved_m < 0.06, "{}", guided.moved_m);
    assert!(guided.swaths.len() > 20, "{}", guided.swaths.len());
    let lines: Vec<LineString<f64>> = guided.swaths.iter().map(|s| LineString::from(s.line(0))).collect();
    let mut most: f64 = 0.0;
    for x in 0..240 {
        for y in 0..160 {
            let p = Point::new(0.25 + 0.5 * f64::from(x), 0.25 + 0.5 * f64::from(y));
            if layout.mainland.intersects(&p) {
                let nearest = lines.iter().map(|l| Euclidean.distance(l, &p)).fold(f64::MAX, f64::min);
                most = most.max(nearest);
            }
        }
    }
    // Half a width, and what chords hide.
    assert!(most < 1.51, "a place {most} m from any swath");
    // The recorded line is one of them.
    let middle = Point::new(60.0, 40.0);
    let own = lines.iter().map(|l| Euclidean.distance(l, &middle)).fold(f64::MAX, f64::min);
    assert!(own < 0.06, "{own}");
    for swath in &guided.swaths {
        let tips = [swath.leaving(0), swath.leaving(1)];
        assert!(tips.iter().all(|t| layout.clearance.segment_fits(t.at, t.at)), "an end off the field");
    }
}

fn refused(radius: f64, line: &[Pt]) -> CurveError {
    along_curve(&field(radius), line).err().expect("a refusal")
}

#[test]
fn a_bend_too_tight_on_a_parallel_is_refused_with_its_place_and_distance() {
    // Radius at the crests: (120 / 2π)² / 14 = 26 m, and the mainland goes on for 45 m on their inside.
    let error = refused(5.0, &s_curve(14.0, 0.0));
    let CurveError::TooTight { x_m, y_m, offset_m, radius_m, needed_m } = error else { panic!("{error}") };
    assert!(offset_m.abs() > 18.0 && offset_m.abs() < 60.0, "{error}");
    assert!((x_m - 30.0).abs() < 15.0 && y_m < 40.0 || (x_m - 90.0).abs() < 15.0 && y_m > 40.0, "{error}");
    assert!(radius_m < needed_m && (needed_m - 5.0).abs() < 1e-9);
    // The line itself: a corner of 60° that no smoothing within half a metre makes drivable for 20 m.
    let corner = [Pt { x: 20.0, y: 20.0 }, Pt { x: 60.0, y: 20.0 }, Pt { x: 80.0, y: 54.6 }];
    let error = refused(20.0, &corner);
    let CurveError::TooTight { x_m, y_m, offset_m, .. } = error else { panic!("{error}") };
    assert!(offset_m == 0.0 && (x_m - 60.0).abs() < 3.0 && (y_m - 20.0).abs() < 3.0, "{error}");
}

#[test]
fn a_line_that_comes_back_or_is_none_is_refused() {
    let hairpin: Vec<Pt> = (0..=60)
        .map(|k| {
            let a = f64::from(k) / 60.0 * 4.5;
            Pt { x: 60.0 + 15.0 * a.sin(), y: 40.0 - 15.0 * a.cos() }
        })
        .collect();
    assert!(matches!(refused(2.0, &hairpin), CurveError::TurnsBack { .. }));
    let nothing = [Pt { x: 1.0, y: 1.0 }, Pt { x: 1.0, y: 1.0 }];
    assert!(matches!(refused(2.0, &nothing), CurveError::TooShort { .. }));
    let unreal = [Pt { x: 1.0, y: 1.0 }, Pt { x: f64::NAN, y: 1.0 }];
    assert!(matches!(refused(2.0, &unreal), CurveError::TooShort { .. }));
}
