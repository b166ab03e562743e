//! Whether a driven line keeps its distance from every edge of the field.

use super::pose::{Pt, point_segment_sq};
use geo::Polygon;

/// Buckets of boundary edges on a square raster, for many short queries.
pub(crate) struct Clearance {
    west: f64,
    south: f64,
    size: f64,
    /// 1 / size.
    per_size: f64,
    cols: usize,
    rows: usize,
    /// Start of each bucket in `entries`.
    starts: Vec<u32>,
    entries: Vec<u32>,
    edges: Vec<(Pt, Pt)>,
    keep: f64,
}

impl Clearance {
    /// Distance queries against all rings of `field`, for lines that must keep `keep` metres.
    pub(crate) fn new(field: &Polygon<f64>, keep: f64) -> Self {
        let edges: Vec<(Pt, Pt)> = std::iter::once(field.exterior())
            .chain(field.interiors())
            .flat_map(|ring| ring.lines().map(|l| (l.start, l.end)))
            .collect();
        let xs = || edges.iter().flat_map(|e| [e.0.x, e.1.x]);
        let ys = || edges.iter().flat_map(|e| [e.0.y, e.1.y]);
        let (west, east) = (xs().fold(f64::MAX, f64::min), xs().fold(f64::MIN, f64::max));
        let (south, north) = (ys().fold(f64::MAX, f64::min), ys().fold(f64::MIN, f64::max));
        let size = (keep * 1.5).max((east - west).max(north - south) / 400.0).max(2.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most about 400 a side"
        )]
        let (cols, rows) = (((east - west) / size) as usize + 1, ((north - south) / size) as usize + 1);
        let mut index = Self {
            west,
            south,
            size,
            per_size: 1.0 / size,
            cols,
            rows,
            starts: vec![],
            entries: vec![],
            edges,
            keep,
        };
        index.fill();
        index
    }

    fn fill(&mut self) {
        let mut buckets: Vec<Vec<u32>> = vec![vec![]; self.cols * self.rows];
        let half = self.size * std::f64::consts::FRAC_1_SQRT_2 + self.keep + 1e-6;
        for (id, &(a, b)) in (0u32..).zip(&self.edges) {
            let (c0, c1) = (self.col(a.x.min(b.x) - self.keep), self.col(a.x.max(b.x) + self.keep));
            let (r0, r1) = (self.row(a.y.min(b.y) - self.keep), self.row(a.y.max(b.y) + self.keep));
            for r in r0..=r1 {
                for c in c0..=c1 {
                    let centre = Pt {
                        x: self.west + (c as f64 + 0.5) * self.size,
                        y: self.south + (r as f64 + 0.5) * self.size,
                    };
                    if point_segment_sq(centre, a, b) <= half * half {
                        buckets[r * self.cols + c].push(id);
                    }
                }
            }
        }
        self.starts.push(0);
        for bucket in buckets {
            self.entries.extend(bucket);
            self.starts.push(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the raster")]
    fn col(&self, x: f64) -> usize {
        (((x - self.west) * self.per_size) as usize).min(self.cols - 1)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the raster")]
    fn row(&self, y: f64) -> usize {
        (((y - self.south) * self.per_size) as usize).min(self.rows - 1)
    }

    /// A box around all edges.
    pub(crate) fn bounds(&self) -> (Pt, Pt) {
        let low = Pt { x: self.west, y: self.south };
        (low, low + Pt { x: self.cols as f64 * self.size, y: self.rows as f64 * self.size })
    }

    fn near(&self, c: usize, r: usize) -> impl Iterator<Item = (Pt, Pt)> + '_ {
        let k = r * self.cols + c;
        self.entries[self.starts[k] as usize..self.starts[k + 1] as usize]
            .iter()
            .map(|&id| self.edges[id as usize])
    }

    /// Whether the straight line from `p` to `q` keeps the distance. Says nothing about which side it is on.
    pub(crate) fn segment_fits(&self, p: Pt, q: Pt) -> bool {
        let ((cp, rp), (cq, rq)) = ((self.col(p.x), self.row(p.y)), (self.col(q.x), self.row(q.y)));
        let bucket = rp * self.cols + cp;
        if (cp, rp) == (cq, rq) && self.starts[bucket] == self.starts[bucket + 1] {
            return true;
        }
        let limit = self.keep * self.keep;
        let (c0, c1) = (cp.min(cq), cp.max(cq));
        let (r0, r1) = (rp.min(rq), rp.max(rq));
        if (c1 - c0) * (r1 - r0) > 64 {
            let m = super::pose::lerp(p, q, 0.5);
            return self.segment_fits(p, m) && self.segment_fits(m, q);
        }
        // Nearly all edges of the buckets are far away: their boxes say so.
        let far = self.keep + 1e-6;
        let (low, high) = (
            Pt { x: p.x.min(q.x) - far, y: p.y.min(q.y) - far },
            Pt { x: p.x.max(q.x) + far, y: p.y.max(q.y) + far },
        );
        let away = |a: Pt, b: Pt| {
            (a.x < low.x && b.x < low.x)
                || (a.x > high.x && b.x > high.x)
                || (a.y < low.y && b.y < low.y)
                || (a.y > high.y && b.y > high.y)
        };
        let fits = |(a, b): (Pt, Pt)| away(a, b) || segments_apart_sq(p, q, a, b) >= limit;
        (r0..=r1).all(|r| (c0..=c1).all(|c| self.near(c, r).all(fits)))
    }

    /// Whether somewhere in the square of side `size` around `p` the distance may be kept.
    pub(crate) fn roughly_fits(&self, p: Pt, size: f64) -> bool {
        let off = p.x < self.west || p.y < self.south;
        let reach = self.keep - size * std::f64::consts::FRAC_1_SQRT_2;
        !off && self
            .near(self.col(p.x), self.row(p.y))
            .all(|(a, b)| reach <= 0.0 || point_segment_sq(p, a, b) >= reach * reach)
    }

    /// Whether every piece of the line keeps the distance.
    pub(crate) fn fits(&self, line: &[Pt]) -> bool {
        line.windows(2).all(|w| self.segment_fits(w[0], w[1]))
    }
}

fn segments_apart_sq(p: Pt, q: Pt, a: Pt, b: Pt) -> f64 {
    let side = |o: Pt, d: Pt, x: Pt| (d.x - o.x) * (x.y - o.y) - (d.y - o.y) * (x.x - o.x);
    if side(p, q, a) * side(p, q, b) < 0.0 && side(a, b, p) * side(a, b, q) < 0.0 {
        return 0.0;
    }
    point_segment_sq(p, a, b)
        .min(point_segment_sq(q, a, b))
        .min(point_segment_sq(a, p, q))
        .min(point_segment_sq(b, p, q))
}
