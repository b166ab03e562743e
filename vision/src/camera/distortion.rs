//! Brown–Conrady lens distortion on the image plane at distance 1, in `OpenCV`'s order and meaning.

/// k1, k2, p1, p2, k3, and the radius up to which they describe a lens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distortion {
    k: [f64; 3],
    p: [f64; 2],
    /// Square of the largest radius at which farther out still means farther out.
    max_r2: f64,
}

/// Newton steps; a lens needs 3 to 5.
const MAX_STEPS: usize = 50;
/// On the plane at distance 1: 1e-9 px at a focal length of 1,000 px.
const GOOD_ENOUGH: f64 = 1e-12;
/// No camera sees beyond 84° off its axis through this model.
const WIDEST_R2: f64 = 100.0;

impl Distortion {
    /// From k1, k2, p1, p2, k3.
    pub fn new([k1, k2, p1, p2, k3]: [f64; 5]) -> Self {
        let k = [k1, k2, k3];
        Self { k, p: [p1, p2], max_r2: monotone_until(k) }
    }

    /// Where the lens puts the straight direction `[x, y]`. `None` where the model folds back on itself.
    pub fn bent(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let r2 = x * x + y * y;
        (r2 <= self.max_r2).then(|| self.apply([x, y]))
    }

    fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [p1, p2] = self.p;
        let r2 = x * x + y * y;
        let radial = self.radial(r2);
        [
            x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
            y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
        ]
    }

    fn radial(&self, r2: f64) -> f64 {
        let [k1, k2, k3] = self.k;
        1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    }

    /// The direction that the lens puts at `bent`: Newton's method, and the answer is checked. `None` when
    /// no direction within the model's radius lands there.
    pub fn straight(&self, bent: [f64; 2]) -> Option<[f64; 2]> {
        if !bent.iter().all(|c| c.is_finite()) {
            return None;
        }
        let [k1, k2, k3] = self.k;
        let [p1, p2] = self.p;
        let [mut x, mut y] = bent;
        for _ in 0..MAX_STEPS {
            let at = self.apply([x, y]);
            let off = [at[0] - bent[0], at[1] - bent[1]];
            if off[0].hypot(off[1]) <= GOOD_ENOUGH {
                return (x * x + y * y <= self.max_r2).then_some([x, y]);
            }
            let r2 = x * x + y * y;
            let radial = self.radial(r2);
            // d(radial)/d(r²), times 2.
            let slope = 2.0 * (k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3));
            let xx = radial + slope * x * x + 2.0 * p1 * y + 6.0 * p2 * x;
            let yy = radial + slope * y * y + 6.0 * p1 * y + 2.0 * p2 * x;
            let xy = slope * x * y + 2.0 * p1 * x + 2.0 * p2 * y;
            let determinant = xx * yy - xy * xy;
            if determinant <= 0.0 {
                // Over the fold: come back towards the axis and try again.
                (x, y) = (x * 0.5, y * 0.5);
                continue;
            }
            x -= (off[0] * yy - off[1] * xy) / determinant;
            y -= (off[1] * xx - off[0] * xy) / determinant;
        }
        None
    }
}

/// r² up to which r · (1 + k1 r² + k2 r⁴ + k3 r⁶) grows with r.
fn monotone_until([k1, k2, k3]: [f64; 3]) -> f64 {
    let grows = |r2: f64| 1.0 + r2 * (3.0 * k1 + r2 * (5.0 * k2 + r2 * 7.0 * k3)) > 0.0;
    let steps = 10_000;
    let step = WIDEST_R2 / f64::from(steps);
    (1..=steps).map(|i| f64::from(i) * step).find(|&r2| !grows(r2)).map_or(WIDEST_R2, |r2| r2 - step)
}
