//! Which stretches of strips need not be driven: where the ground that is left for a strip is a sliver beside the headland.

use super::swaths::{Piece, Slice, Swath};

/// Ground of a strip, seen from one end of it.
pub(super) struct Ahead {
    /// Metres from the end, rising to half of the strip, and the square metres up to there.
    steps: Vec<(f64, f64)>,
}

impl Ahead {
    /// From where strips are counted along.
    pub(super) fn of_beginning(piece: &Piece) -> Self {
        Self::new(piece.to - piece.from, |along| piece.from + along, &piece.slices)
    }

    pub(super) fn of_end(piece: &Piece) -> Self {
        Self::new(piece.to - piece.from, |along| piece.to - along, &piece.slices)
    }

    fn new(length: f64, at: impl Fn(f64) -> f64, slices: &[Slice]) -> Self {
        /// Looks at one end, closest together where it begins to taper.
        const LOOKS: u32 = 48;
        let mut steps = Vec::with_capacity(LOOKS as usize);
        let (mut before, mut area) = (0.0, 0.0);
        for k in 1..=LOOKS {
            let along = length / 2.0 * (f64::from(k) / f64::from(LOOKS)).powi(2);
            let middle = at(f64::midpoint(before, along));
            area += (along - before) * slices.iter().map(|slice| slice.width_at(middle)).sum::<f64>();
            steps.push((along, area));
            before = along;
        }
        Self { steps }
    }

    /// How far to cut for the most metres, where `narrow` square metres are worth one: metres, and square metres lost.
    fn cut(&self, narrow: f64) -> (f64, f64) {
        let mut best = (0.0, 0.0);
        let mut most = 0.0;
        for (along, area) in &self.steps {
            if along - area / narrow > most {
                (best, most) = ((*along, *area), along - area / narrow);
            }
        }
        best
    }
}

impl Slice {
    /// Metres across of its ground at `x`.
    fn width_at(&self, x: f64) -> f64 {
        let share = |from: f64, to: f64| {
            if x <= from {
                0.0
            } else if x >= to {
                1.0
            } else {
                (x - from) / (to - from)
            }
        };
        let (left, right) = (self.left, self.right);
        let begun = share(left.0.min(left.1), left.0.max(left.1));
        let over = share(right.0.min(right.1), right.0.max(right.1));
        (begun - over).max(0.0) * self.height
    }
}

/// Cuts ends back for the most metres by which `undone_m2` are given up: at every end where less than `narrow` metres of
/// the width have ground, the same everywhere. Strips of which nothing is left are left out.
pub(super) fn trim_closely(strips: Vec<(Swath, [Ahead; 2])>, width: f64, undone_m2: f64) -> Vec<Swath> {
    const HALVINGS: u32 = 20;
    let lost = |narrow: f64| strips.iter().flat_map(|s| &s.1).map(|end| end.cut(narrow).1).sum::<f64>();
    let mut narrow = width / 2.0;
    if lost(narrow) > undone_m2 {
        let mut step = narrow;
        narrow = 0.0;
        for _ in 0..HALVINGS {
            step /= 2.0;
            if lost(narrow + step) <= undone_m2 {
                narrow += step;
            }
        }
    }
    if narrow <= 0.0 {
        return strips.into_iter().map(|s| s.0).collect();
    }
    let mut kept = Vec::with_capacity(strips.len());
    for (mut strip, ends) in strips {
        let cut = ends.map(|end| end.cut(narrow).0);
        if cut[0] + cut[1] > strip.length() - LEAST_M {
            continue;
        }
        (strip.a, strip.b) = (strip.leaving(0).ahead(-cut[0]).at, strip.leaving(1).ahead(-cut[1]).at);
        strip.slack = [0, 1].map(|end| (strip.slack[end] - cut[end]).max(0.0));
        kept.push(strip);
    }
    kept
}

/// Less of a strip is nothing.
const LEAST_M: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::super::swaths::{Spacing, Swath, swaths_closely};
    use geo::{MultiPolygon, polygon};

    /// 100 m long, three strips wide, with a wedge of up to `height` metres on top that begins `from` metres along.
    fn wedge(from: f64, height: f64) -> MultiPolygon<f64> {
        MultiPolygon::new(vec![
            polygon![(x: 0.0, y: 0.0), (x: 100.0, y: 0.0), (x: 100.0, y: 9.0 + height), (x: from, y: 9.0), (x: 0.0, y: 9.0)],
        ])
    }

    #[test]
    fn a_sliver_is_left_over_as_far_as_there_is_room() {
        let lengths = |undone_m2: f64| -> Vec<f64> {
            let field = wedge(20.0, 2.0);
            let share = undone_m2 / geo::Area::unsigned_area(&field);
            swaths_closely(&field, 3.0, (0.0, Spacing::Full(0.0)), share).iter().map(Swath::length).collect()
        };
        let whole = lengths(0.0);
        assert_eq!(whole.len(), 4);
        assert!((whole[3] - 80.0).abs() < 0.01, "{whole:?}");
        // The first 20 m of the wedge hold 5 m².
        let cut = lengths(5.0);
        assert!((cut[3] - 60.0).abs() < 3.0 && cut[3] >= 60.0, "{cut:?}");
        assert!(cut[..3].iter().all(|length| (length - 100.0).abs() < 0.01), "{cut:?}");
    }

    #[test]
    fn a_strip_of_slivers_only_is_left_out() {
        let field = wedge(0.0, 0.2);
        let found = |undone: f64| swaths_closely(&field, 3.0, (0.0, Spacing::Full(0.0)), undone).len();
        assert_eq!((found(0.0), found(0.02)), (4, 3));
    }
}
