//! The shortest closed tour past all picks in parallel rows between two headlands, exactly and in linear time.
//!
//! The order-picking programme of Ratliff and Rosenthal (1983): rows are scanned from one side to the other; all that
//! matters of the tour so far is whether the two ends of the current row are met an odd or even number of times, or
//! not at all, and whether both hang together. Peeks (drive in, back out) need a robot that may reverse in the row.

/// One row between the headlands.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// From the near headland to the far one, metres.
    pub length_m: f64,
    /// Picks by distance from the near end, ascending.
    pub picks_m: Vec<f64>,
}

/// Parallel rows with the distances between neighbours along both headlands.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// In order across the field.
    pub rows: Vec<Row>,
    /// From row i to i + 1 along the near headland, metres.
    pub near_hops_m: Vec<f64>,
    /// The same along the far one.
    pub far_hops_m: Vec<f64>,
}

/// What the tour does in one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InRow {
    /// Nothing.
    Skip,
    /// Through, once.
    Through,
    /// Through and back.
    ThroughTwice,
    /// In from the near end to the deepest pick, and out again.
    PeekNear,
    /// The same from the far end.
    PeekFar,
    /// From both ends, leaving out the largest gap between picks.
    LargestGap,
}

/// Which moves a robot can make in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// May reverse: all of [`InRow`].
    Reversing,
    /// Forward only: a row is driven through or left out.
    ForwardOnly,
}

/// The best tour.
#[derive(Debug, Clone, PartialEq)]
pub struct RowTour {
    /// Driven metres.
    pub length_m: f64,
    /// Per row.
    pub moves: Vec<InRow>,
    /// Times each hop along the near and far headland is driven.
    pub hops: Vec<(u8, u8)>,
}

/// How often a row end was met so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    Never,
    Odd,
    Even,
}

impl Met {
    const fn once_more(self) -> Self {
        if matches!(self, Self::Odd) { Self::Even } else { Self::Odd }
    }
    const fn twice_more(self) -> Self {
        if matches!(self, Self::Odd) { Self::Odd } else { Self::Even }
    }
}

/// All that matters of the tour so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    near: Met,
    far: Met,
    /// Pieces that hang together: 0 (nothing yet), 1, or 2 (one at either end).
    pieces: u8,
}

impl State {
    const START: Self = Self { near: Met::Never, far: Met::Never, pieces: 0 };

    const fn is_closed(self) -> bool {
        self.pieces == 1 && matches!((self.near, self.far), (Met::Never, Met::Never))
    }

    /// After a move in the row; `None` when the tour would fall apart.
    fn after(self, action: InRow) -> Option<Self> {
        if action == InRow::Skip {
            return Some(self);
        }
        if self.is_closed() {
            return None;
        }
        let fresh = |met: Met| u8::from(met == Met::Never);
        Some(match action {
            InRow::Skip => self,
            InRow::Through => Self { near: self.near.once_more(), far: self.far.once_more(), pieces: 1 },
            InRow::ThroughTwice => {
                Self { near: self.near.twice_more(), far: self.far.twice_more(), pieces: 1 }
            }
            InRow::PeekNear => {
                Self { near: self.near.twice_more(), pieces: self.pieces + fresh(self.near), ..self }
            }
            InRow::PeekFar => {
                Self { far: self.far.twice_more(), pieces: self.pieces + fresh(self.far), ..self }
            }
            InRow::LargestGap => Self {
                near: self.near.twice_more(),
                far: self.far.twice_more(),
                pieces: self.pieces + fresh(self.near) + fresh(self.far),
            },
        })
    }

    /// After hopping to the next row; `None` when an end is left odd or a piece is left behind.
    fn hopped(self, near: u8, far: u8) -> Option<Self> {
        let fits = |met: Met, times: u8| match met {
            Met::Never => times == 0,
            Met::Odd => times == 1,
            Met::Even => times != 1,
        };
        let carried = |times: u8| match times {
            0 => Met::Never,
            1 => Met::Odd,
            _ => Met::Even,
        };
        let left_behind = self.pieces == 2 && (near == 0 || far == 0);
        (fits(self.near, near) && fits(self.far, far) && !left_behind).then(|| Self {
            near: carried(near),
            far: carried(far),
            pieces: self.pieces,
        })
    }

    const fn is_whole(self) -> bool {
        self.pieces <= 1 && !matches!(self.near, Met::Odd) && !matches!(self.far, Met::Odd)
    }
}

impl Row {
    /// Metres driven in the row; `None` when the move does not pass every pick.
    fn cost(&self, action: InRow) -> Option<f64> {
        let picks = &self.picks_m;
        match (action, picks.first(), picks.last()) {
            (InRow::Skip, None, None) => Some(0.0), // with picks: falls through to None
            (InRow::Through, ..) => Some(self.length_m),
            (InRow::ThroughTwice, ..) => Some(2.0 * self.length_m),
            (InRow::PeekNear, _, Some(deepest)) => Some(2.0 * deepest),
            (InRow::PeekFar, Some(deepest), _) => Some(2.0 * (self.length_m - deepest)),
            (InRow::LargestGap, Some(_), Some(_)) if picks.len() > 1 => {
                let gap = picks.windows(2).map(|w| w[1] - w[0]).fold(0.0, f64::max);
                Some(2.0 * (self.length_m - gap))
            }
            _ => None,
        }
    }
}

const REVERSING: [InRow; 6] =
    [InRow::Skip, InRow::Through, InRow::PeekNear, InRow::PeekFar, InRow::LargestGap, InRow::ThroughTwice];
const FORWARD_ONLY: [InRow; 3] = [InRow::Skip, InRow::Through, InRow::ThroughTwice];
const HOPS: [(u8, u8); 5] = [(0, 0), (1, 1), (2, 0), (0, 2), (2, 2)];

struct Step {
    state: State,
    cost: f64,
    /// Index into the column before, the move made in the row, and the hop that led here.
    came: Option<(usize, InRow, (u8, u8))>,
}

/// The shortest closed tour; `None` when forward-only moves cannot close it (a single row that has to be left the way it
/// was entered).
///
/// ```
/// use kompas_planner::selective::rows::{InRow, Moves, Row, Rows, best_tour};
/// let row = |picks: &[f64]| Row { length_m: 100.0, picks_m: picks.to_vec() };
/// let rows = Rows { rows: vec![row(&[5.0]), row(&[8.0])], near_hops_m: vec![3.0], far_hops_m: vec![3.0] };
/// let tour = best_tour(&rows, Moves::Reversing).unwrap();
/// assert_eq!(tour.moves, [InRow::PeekNear, InRow::PeekNear]);
/// assert!((tour.length_m - (10.0 + 3.0 + 16.0 + 3.0)).abs() < 1e-9);
/// ```
pub fn best_tour(rows: &Rows, moves: Moves) -> Option<RowTour> {
    let allowed: &[InRow] = if moves == Moves::Reversing { &REVERSING } else { &FORWARD_ONLY };
    let mut columns = vec![vec![Step { state: State::START, cost: 0.0, came: None }]];
    let mut last: Option<(f64, usize, InRow)> = None;
    for (i, row) in rows.rows.iter().enumerate() {
        let mut next: Vec<Step> = Vec::new();
        for (from, step) in columns[i].iter().enumerate() {
            for action in allowed {
                let (Some(in_row), Some(after)) = (row.cost(*action), step.state.after(*action)) else {
                    continue;
                };
                let cost = step.cost + in_row;
                if i + 1 == rows.rows.len() {
                    if after.is_whole() && last.is_none_or(|l| cost < l.0) {
                        last = Some((cost, from, *action));
                    }
                    continue;
                }
                for (near, far) in HOPS {
                    let Some(state) = after.hopped(near, far) else { continue };
                    let cost =
                        cost + f64::from(near) * rows.near_hops_m[i] + f64::from(far) * rows.far_hops_m[i];
                    let came = Some((from, *action, (near, far)));
                    match next.iter_mut().find(|s| s.state == state) {
                        Some(known) if known.cost <= cost => {}
                        Some(known) => *known = Step { state, cost, came },
                        None => next.push(Step { state, cost, came }),
                    }
                }
            }
        }
        columns.push(next);
    }
    let (length_m, mut at, action) = last?;
    let (mut actions, mut hops) = (vec![action], vec![]);
    for column in columns[..rows.rows.len()].iter().rev() {
        if let Some((before, action, hop)) = column[at].came {
            actions.push(action);
            hops.push(hop);
            at = before;
        }
    }
    actions.reverse();
    hops.reverse();
    Some(RowTour { length_m, moves: actions, hops })
}

#[cfg(test)]
mod tests;
