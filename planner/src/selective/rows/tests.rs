//! The programme against Held and Karp's, which knows nothing of rows.

use super::*;
use proptest::prelude::*;

/// Distance between two places (row, metres from the near end), along rows and headlands only.
fn apart(rows: &Rows, a: (usize, f64), b: (usize, f64)) -> f64 {
    let (low, high) = (a.0.min(b.0), a.0.max(b.0));
    let near: f64 = rows.near_hops_m[low..high].iter().sum();
    let far: f64 = rows.far_hops_m[low..high].iter().sum();
    let rest = |p: (usize, f64)| rows.rows[p.0].length_m - p.1;
    // Changing sides on a row in between (or on one of the two) costs its length.
    let mut best = (a.1 + near + b.1).min(rest(a) + far + rest(b));
    if a.0 == b.0 {
        // Straight, unless rows beside it are so much shorter that the way round is.
        best = best.min((a.1 - b.1).abs());
    }
    for cross in 0..rows.rows.len() {
        let along =
            |hops: &[f64], from: usize, to: usize| hops[from.min(to)..from.max(to)].iter().sum::<f64>();
        let through = rows.rows[cross].length_m;
        let near_far = a.1
            + along(&rows.near_hops_m, a.0, cross)
            + through
            + along(&rows.far_hops_m, cross, b.0)
            + rest(b);
        let far_near = rest(a)
            + along(&rows.far_hops_m, a.0, cross)
            + through
            + along(&rows.near_hops_m, cross, b.0)
            + b.1;
        best = best.min(near_far).min(far_near);
    }
    best
}

fn held_karp(rows: &Rows) -> f64 {
    let places: Vec<(usize, f64)> =
        rows.rows.iter().enumerate().flat_map(|(i, r)| r.picks_m.iter().map(move |p| (i, *p))).collect();
    let n = places.len();
    if n < 2 {
        return 0.0;
    }
    let d: Vec<Vec<f64>> =
        places.iter().map(|a| places.iter().map(|b| apart(rows, *a, *b)).collect()).collect();
    let mut best = vec![vec![f64::MAX; n]; 1 << n];
    best[1][0] = 0.0;
    for set in 1usize..1 << n {
        for last in 0..n {
            if set & 1 << last == 0 || best[set][last] > 1e300 {
                continue;
            }
            for next in 0..n {
                if set & 1 << next == 0 {
                    let cost = best[set][last] + d[last][next];
                    let cell = &mut best[set | 1 << next][next];
                    *cell = cell.min(cost);
                }
            }
        }
    }
    (0..n).map(|last| best[(1 << n) - 1][last] + d[last][0]).fold(f64::MAX, f64::min)
}

fn any_rows() -> impl Strategy<Value = Rows> {
    (2usize..=5).prop_flat_map(|n| {
        let row =
            (60.0..120.0f64, prop::collection::vec(0.02..0.98f64, 0..=3)).prop_map(|(length_m, shares)| {
                let mut picks_m: Vec<f64> = shares.into_iter().map(|s| s * length_m).collect();
                picks_m.sort_by(f64::total_cmp);
                Row { length_m, picks_m }
            });
        let hops = || prop::collection::vec(2.0..9.0f64, n - 1);
        (prop::collection::vec(row, n), hops(), hops()).prop_map(|(rows, near_hops_m, far_hops_m)| Rows {
            rows,
            near_hops_m,
            far_hops_m,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The tour of Held and Karp need not touch a headland when all picks lie in one row; a tour of rows does.
    #[test]
    fn the_programme_finds_the_optimum(rows in any_rows()) {
        let visited: Vec<usize> = rows.rows.iter().enumerate().filter(|(_, r)| !r.picks_m.is_empty()).map(|(i, _)| i).collect();
        let picks: usize = rows.rows.iter().map(|r| r.picks_m.len()).sum();
        prop_assume!(visited.len() > 1 && picks <= 10);
        let tour = best_tour(&rows, Moves::Reversing).unwrap();
        let oracle = held_karp(&rows);
        prop_assert!((tour.length_m - oracle).abs() < 1e-6, "{} against {}", tour.length_m, oracle);
        // The moves add up to the length.
        let in_rows: f64 = rows.rows.iter().zip(&tour.moves).map(|(r, m)| r.cost(*m).unwrap()).sum();
        let hops: f64 = tour.hops.iter().enumerate().map(|(i, (n, f))| f64::from(*n) * rows.near_hops_m[i] + f64::from(*f) * rows.far_hops_m[i]).sum();
        prop_assert!((in_rows + hops - tour.length_m).abs() < 1e-6);
        if let Some(forward) = best_tour(&rows, Moves::ForwardOnly) {
            prop_assert!(forward.length_m >= tour.length_m - 1e-9);
        }
    }
}

#[test]
fn one_deep_pick_is_driven_through_when_that_is_shorter() {
    let row = |picks: &[f64]| Row { length_m: 100.0, picks_m: picks.to_vec() };
    let rows = Rows { rows: vec![row(&[90.0]), row(&[95.0])], near_hops_m: vec![3.0], far_hops_m: vec![3.0] };
    assert_eq!(best_tour(&rows, Moves::Reversing).unwrap().moves, [InRow::PeekFar, InRow::PeekFar]);
    assert_eq!(best_tour(&rows, Moves::ForwardOnly).unwrap().moves, [InRow::Through, InRow::Through]);
}
