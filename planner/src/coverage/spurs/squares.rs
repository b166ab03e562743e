//! Ground in squares: which of them lie near points, and sets of them that are asked millions of times.

use crate::geometry::pose::Pt;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A set of keys that are one word.
pub(super) type WordSet = HashSet<u64, BuildHasherDefault<OneWord>>;

/// Hashes one word by a multiplication (Fibonacci hashing, Knuth 1973): nobody chooses these keys to do harm.
#[derive(Default)]
pub(super) struct OneWord(u64);

impl Hasher for OneWord {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = word.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }
}

/// Whole numbers of at most 24 bits each, signs included, as one key.
#[expect(clippy::cast_sign_loss, reason = "the lower bits tell numbers of 24 bits apart")]
pub(super) const fn word(x: i32, y: i32, more: u16) -> u64 {
    const BITS: u64 = (1 << 24) - 1;
    (x as u64 & BITS) | (y as u64 & BITS) << 24 | (more as u64) << 48
}

/// Squares within some reach of points, with about how far the nearest point is.
pub(super) struct Around {
    size: f64,
    squares: HashMap<u64, f64, BuildHasherDefault<OneWord>>,
}

impl Around {
    pub(super) fn new(points: &[Pt], reach: f64) -> Self {
        const FINENESS: i32 = 10;
        let size = reach / f64::from(FINENESS);
        let mut squares: HashMap<u64, f64, _> = HashMap::default();
        let middles: BTreeSet<(i32, i32)> = points.iter().map(|p| square(*p, size)).collect();
        let offsets = -FINENESS..=FINENESS;
        for (x, y) in middles {
            for (dx, dy) in offsets.clone().flat_map(|dx| offsets.clone().map(move |dy| (dx, dy))) {
                let away = f64::from(dx).hypot(f64::from(dy)) * size;
                if away <= reach {
                    let known = squares.entry(word(x + dx, y + dy, 0)).or_insert(away);
                    *known = known.min(away);
                }
            }
        }
        Self { size, squares }
    }

    /// Metres from `p` to the nearest point; none beyond the reach.
    pub(super) fn away(&self, p: Pt) -> Option<f64> {
        let (x, y) = square(p, self.size);
        self.squares.get(&word(x, y, 0)).copied()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "metres of one field")]
pub(super) fn square(p: Pt, size: f64) -> (i32, i32) {
    ((p.x / size).floor() as i32, (p.y / size).floor() as i32)
}
