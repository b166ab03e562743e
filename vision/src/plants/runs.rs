//! Runs of equal class in a row, and which of them belong together.

use crate::segment::ClassMap;
use kompas_field::PlantClass;

/// Pixels `start..end` of `row`, all of `class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) row: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) class: PlantClass,
    /// Sum over its pixels, 0 to 255 each.
    pub(super) confidence: u32,
}

impl Run {
    pub(super) const fn len(&self) -> u32 {
        self.end - self.start
    }
}

/// Every run of plants, in reading order.
pub(super) fn of(map: &ClassMap) -> Vec<Run> {
    let mut runs = Vec::new();
    for row in 0..map.height() {
        let (ids, confidence) = map.row(row);
        let mut at = 0;
        while at < ids.len() {
            let id = ids[at];
            let length = ids[at..].iter().take_while(|&&other| other == id).count();
            if let Some(class) = PlantClass::from_id(id).filter(|&class| class != PlantClass::Soil) {
                let confidence = confidence[at..at + length].iter().map(|&c| u32::from(c)).sum();
                let (start, end) = (column(at), column(at + length));
                runs.push(Run { row, start, end, class, confidence });
            }
            at += length;
        }
    }
    runs
}

#[expect(clippy::cast_possible_truncation, reason = "a column of a map whose width is u32")]
const fn column(at: usize) -> u32 {
    at as u32
}

/// For every run the first run of its group. Two runs are in one group when `alike` and at most `gap`
/// pixels lie between them, across, down and diagonally.
pub(super) fn join(runs: &[Run], gap: u32, alike: impl Fn(&Run, &Run) -> bool) -> Vec<u32> {
    let mut groups = Groups::new(runs.len());
    let rows = row_starts(runs);
    for row in 0..rows.len().saturating_sub(1) {
        let here = rows[row]..rows[row + 1];
        for a in here.clone() {
            let close = (a + 1..here.end).take_while(|&b| runs[b].start - runs[a].end <= gap);
            for b in close.filter(|&b| alike(&runs[a], &runs[b])) {
                groups.unite(a, b);
            }
        }
        for above in row.saturating_sub(gap as usize + 1)..row {
            let mut first = rows[above];
            for b in here.clone() {
                let (from, to) = (runs[b].start.saturating_sub(gap + 1), runs[b].end + gap + 1);
                while first < rows[above + 1] && runs[first].end <= from {
                    first += 1;
                }
                let close = (first..rows[above + 1]).take_while(|&a| runs[a].start < to);
                for a in close.filter(|&a| alike(&runs[a], &runs[b])) {
                    groups.unite(a, b);
                }
            }
        }
    }
    groups.roots()
}

/// Index of the first run of each row, and the number of runs at the end.
fn row_starts(runs: &[Run]) -> Vec<usize> {
    let rows = runs.last().map_or(0, |run| run.row as usize + 1);
    let mut starts = Vec::with_capacity(rows + 1);
    for (at, run) in runs.iter().enumerate() {
        while starts.len() <= run.row as usize {
            starts.push(at);
        }
    }
    starts.push(runs.len());
    starts
}

/// Union-find whose root is always the first member.
struct Groups(Vec<u32>);

impl Groups {
    #[expect(clippy::cast_possible_truncation, reason = "fewer runs than pixels, and those fit in u32")]
    fn new(count: usize) -> Self {
        Self((0..count as u32).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] as usize != at {
            let parent = self.0[at] as usize;
            self.0[at] = self.0[parent];
            at = parent;
        }
        at
    }

    #[expect(clippy::cast_possible_truncation, reason = "indices of runs fit in u32")]
    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b) as u32;
    }

    fn roots(mut self) -> Vec<u32> {
        // Parents come before their children, so one pass flattens.
        for at in 0..self.0.len() {
            self.0[at] = self.0[self.0[at] as usize];
        }
        self.0
    }
}
