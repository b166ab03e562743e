//! Crop stands in rows, weeds do not, and one field grows one crop: what a picture as a whole says of its plants.
//!
//! A network that sees a field for the first time takes its crop for weed, here more, there less, and a leaf alone does
//! not tell. The rows do: whatever stands in them at an even spacing is crop. They are looked for with Rayleigh's test
//! for a direction (Mardia & Jupp 2000, *Directional Statistics*, section 6.3.1): wrapped around the spacing,
//! the plants of rows lie on one side of the circle, others anywhere. They are looked for at several slants across them,
//! too (`view.rs`). Rows that converge in the picture are not modelled.

mod view;

use super::{CLASSES, RowSearch, WEED};
use std::f32::consts::{PI, TAU};
use view::View;

const SUGAR_BEET: usize = 2;
const POTATO: usize = 3;
const OTHER_CROP: usize = 4;

/// Smaller plants say nothing about rows.
const LEAST_PIXELS: usize = 40;
/// Larger ones say no more than this: a patch of weeds does not outweigh a row.
const MOST_PIXELS: usize = 4000;
/// Rows are looked for among the weightiest plants; more cost time and change nothing.
const MOST_PLANTS: usize = 128;
/// Directions looked at, three degrees apart.
const ANGLES: u16 = 60;
/// Spacings looked at, and the smallest and largest as a share of the shorter side of the picture.
const SPACINGS: u16 = 28;
const SPACING_SHARES: (f32, f32) = (0.12, 1.1);
/// Logits by which the network may underrate the crop of a picture. The one under which the rows stand out best is made
/// up for.
const UNDERRATED: [f32; 6] = [0., 1., 2., 3., 4., 5.];
/// The natural logarithm of how many independent rows the search tries as seen from straight above (what such rows must
/// stand out by), and at all slants together (what others must): among so many, chance alone shows some.
const TRIES: (f32, f32) = (6., 7.5);
/// Plants of a sown row lie this close together on the circle (mean resultant length), drifts and doubles included.
const SOWN: f32 = 0.85;
/// Logits a plant gains in the middle of a row, and loses halfway between two.
const IN_ROW: f32 = 4.;
/// Logits that potato loses at most in another crop.
const VOLUNTEERS: f32 = 1.5;

/// A connected plant of a picture.
pub(super) struct Plant {
    /// Its middle in pixels.
    pub x: f32,
    /// Its middle in pixels.
    pub y: f32,
    /// Its size.
    pub pixels: usize,
    /// Mean over its pixels of the logarithm of each class's share among plants; that of soil is not used.
    pub log_shares: [f32; CLASSES],
}

impl Plant {
    /// Log odds of crop against weed.
    fn crop(&self) -> f32 {
        log_sum(&self.log_shares[SUGAR_BEET..]) - self.log_shares[WEED]
    }

    /// What it counts for as a part of a row, under each assumption of [`UNDERRATED`].
    fn weights(&self) -> [f32; UNDERRATED.len()] {
        let (size, crop) = ((self.pixels.min(MOST_PIXELS) as f32).sqrt(), self.crop());
        UNDERRATED.map(|underrated| size / (1. + (-crop - underrated).exp()))
    }
}

/// How much of each crop there is, in pixels: sugar beet, potato, other crop; and of all plants.
#[derive(Clone, Copy, Default)]
pub(super) struct Crops {
    mass: [f32; 3],
    all: f32,
}

impl std::iter::Sum for Crops {
    fn sum<I: Iterator<Item = Self>>(crops: I) -> Self {
        crops.fold(Self::default(), |sum, crops| Self {
            mass: std::array::from_fn(|crop| sum.mass[crop] + crops.mass[crop]),
            all: sum.all + crops.all,
        })
    }
}

/// Logits to add to the classes of each plant, given all plants of a picture, its width and height in pixels, and the
/// crops that others of its field have shown; and the crops that this one shows.
pub(super) fn leanings(
    plants: &[Plant],
    size: (f32, f32),
    search: RowSearch,
    shown: &Crops,
) -> (Vec<[f32; CLASSES]>, Crops) {
    let rows = Rows::among(plants, size, search);
    let mut leanings: Vec<[f32; CLASSES]> = (plants.iter())
        .map(|plant| rows.as_ref().map_or(0., |rows| rows.crop(plant)))
        .map(|crop| [0., 0., crop, crop, crop])
        .collect();
    let crops = Crops::of(plants, &leanings);
    let [beet, potato, other] = [crops, *shown].into_iter().sum::<Crops>().leanings();
    for leaning in &mut leanings {
        leaning[SUGAR_BEET] += beet;
        leaning[POTATO] += potato;
        leaning[OTHER_CROP] += other;
    }
    (leanings, crops)
}

impl Crops {
    /// Whether there are no plants at all.
    pub(super) fn is_none(&self) -> bool {
        self.all == 0.
    }

    pub(super) fn is_finite(&self) -> bool {
        self.mass.iter().chain([&self.all]).all(|mass| mass.is_finite())
    }

    #[cfg(test)]
    pub(super) const fn of_beet(pixels: f32) -> Self {
        Self { mass: [pixels, 0., 0.], all: pixels }
    }

    fn of(plants: &[Plant], leanings: &[[f32; CLASSES]]) -> Self {
        let mut crops = Self::default();
        for (plant, leaning) in plants.iter().zip(leanings) {
            let scores: [f32; CLASSES] =
                std::array::from_fn(|class| plant.log_shares[class] + leaning[class]);
            let total = log_sum(&scores[WEED..]);
            let pixels = plant.pixels as f32;
            crops.all += pixels;
            for (mass, score) in crops.mass.iter_mut().zip(&scores[SUGAR_BEET..]) {
                *mass += pixels * (score - total).exp();
            }
        }
        crops
    }

    /// What sugar beet, potato and other crop lose where there is more of another. Volunteers of potato do stand in other
    /// crops: it loses little, and where it is most the others lose nothing to it.
    fn leanings(&self) -> [f32; 3] {
        // A fiftieth of the plants is what the network gets wrong anywhere.
        let floor = 0.02 * self.all + 1.;
        let [beet, potato, other] = self.mass.map(|mass| mass + floor);
        let sown = beet.max(other);
        [(beet / sown).ln(), (potato / sown).ln().clamp(-VOLUNTEERS, 0.), (other / sown).ln()]
    }
}

/// The views in which rows lie across `angle` that are searched.
fn views(angle: f32, size: (f32, f32), search: RowSearch) -> impl Iterator<Item = View> {
    let wanted = move |view: &View| search == RowSearch::AnySlant || view.is_level();
    View::across(angle, size).into_iter().filter(wanted)
}

impl View {
    /// What chance alone reaches ([`TRIES`]): a slant must stand out by more than a level picture.
    fn tries(&self) -> f32 {
        let (level, all) = TRIES;
        if self.is_level() { level } else { all }
    }
}

/// Parallel lines, evenly spaced as seen from straight above.
struct Rows {
    view: View,
    /// In pixels of the picture's middle.
    spacing: f32,
    /// Where a row lies from the picture's middle, as an angle around the spacing.
    phase: f32,
    /// From chance (0) to as clear as sown (1).
    sureness: f32,
    underrated: f32,
}

/// Rows found under one assumption of how underrated the crop is.
#[derive(Clone, Copy)]
struct Found {
    /// Rayleigh's statistic, less what chance alone shows.
    surplus: f32,
    length: f32,
    view: View,
    spacing: f32,
    phase: f32,
}

impl Rows {
    fn among(plants: &[Plant], size: (f32, f32), search: RowSearch) -> Option<Self> {
        let short_side = size.0.min(size.1);
        let most = UNDERRATED.len() - 1;
        let large = plants.iter().filter(|plant| plant.pixels >= LEAST_PIXELS);
        let mut large: Vec<_> = large.map(|plant| (plant, plant.weights())).collect();
        large.sort_by(|(_, a), (_, b)| b[most].total_cmp(&a[most]));
        large.truncate(MOST_PLANTS);
        if large.is_empty() {
            return None;
        }
        let (large, weights): (Vec<&Plant>, Vec<_>) = large.into_iter().unzip();
        let sums: [f32; UNDERRATED.len()] = std::array::from_fn(|at| weights.iter().map(|w| w[at]).sum());
        let squares: [f32; UNDERRATED.len()] =
            std::array::from_fn(|at| weights.iter().map(|w| w[at] * w[at]).sum());
        let mut best: [Option<Found>; UNDERRATED.len()] = [None; UNDERRATED.len()];
        let angles = (0..ANGLES).map(|angle| f32::from(angle) * PI / f32::from(ANGLES));
        for view in angles.flat_map(|angle| views(angle, size, search)) {
            let places: Vec<f32> = large.iter().map(|plant| view.place(plant.x, plant.y)).collect();
            for step in 0..SPACINGS {
                let (least, most) = SPACING_SHARES;
                let part = f32::from(step) / f32::from(SPACINGS - 1);
                let spacing = short_side * least * (most / least).powf(part);
                let resultants = resultants(&places, &weights, spacing);
                for ((best, squares), (east, north)) in best.iter_mut().zip(squares).zip(resultants) {
                    let length = east.hypot(north);
                    let surplus = length * length / squares - view.tries();
                    if best.is_none_or(|best| surplus > best.surplus) {
                        *best = Some(Found { surplus, length, view, spacing, phase: north.atan2(east) });
                    }
                }
            }
        }
        let rated = (best.into_iter().zip(sums).zip(squares).zip(UNDERRATED))
            .filter_map(|(((best, sum), squares), underrated)| Some((best?, sum, squares, underrated)))
            // Plants that are surely weeds weigh less than numbers can be small.
            .filter(|(_, _, squares, _)| *squares > 0.);
        let (found, sum, squares, underrated) =
            rated.max_by(|(a, ..), (b, ..)| a.surplus.total_cmp(&b.surplus))?;
        let Found { length, view, spacing, phase, .. } = found;
        let chance = (view.tries() * squares).sqrt() / sum;
        let sureness = ((length / sum - chance) / (SOWN - chance).max(0.1)).clamp(0., 1.);
        (sureness > 0.).then_some(Self { view, spacing, phase, sureness, underrated })
    }

    /// Logits that a plant gains as crop.
    fn crop(&self, plant: &Plant) -> f32 {
        let place = self.view.place(plant.x, plant.y);
        let around = (place / self.spacing * TAU - self.phase).cos();
        self.sureness * (IN_ROW * around + self.underrated)
    }
}

/// Weighted sums of the plants' directions around `spacing`, one per assumption.
fn resultants(
    places: &[f32],
    weights: &[[f32; UNDERRATED.len()]],
    spacing: f32,
) -> [(f32, f32); UNDERRATED.len()] {
    let mut sums = [(0., 0.); UNDERRATED.len()];
    for (place, weights) in places.iter().zip(weights) {
        let (north, east) = (place / spacing * TAU).sin_cos();
        for (sum, weight) in sums.iter_mut().zip(weights) {
            sum.0 += weight * east;
            sum.1 += weight * north;
        }
    }
    sums
}

fn log_sum(logs: &[f32]) -> f32 {
    let most = logs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    most + logs.iter().map(|log| (log - most).exp()).sum::<f32>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (f32, f32) = (1000., 750.);

    /// A plant whose classes weed and sugar beet differ by `beet` logits.
    fn plant(x: f32, y: f32, beet: f32) -> Plant {
        let weed = -(1. + beet.exp()).ln();
        Plant { x, y, pixels: 400, log_shares: [0., weed, weed + beet, -9., -9.] }
    }

    /// Places that no rule orders (Knuth's multiplicative generator).
    fn scattered(count: u16, seed: u64) -> impl Iterator<Item = (f32, f32)> {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f32::from(u16::try_from(state >> 48).unwrap()) / 65_536.
        };
        (0..count).map(move |_| (next() * 1000., next() * 750.))
    }

    /// Three rows, leaning by a sixth, that the network takes for weed: 2 logits short of beet.
    fn rows_and_weeds() -> Vec<Plant> {
        let crop = (0..30_u16).map(|i| {
            let (row, along) = (f32::from(i % 3), f32::from(i / 3) * 75.);
            plant(150. + 320. * row + along / 6. + f32::from(i % 4) * 8., along, -2.)
        });
        crop.chain(scattered(25, 7).map(|(x, y)| plant(x, y, -6.))).collect()
    }

    #[test]
    fn what_stands_in_rows_is_crop_though_the_network_says_weed() {
        let plants = rows_and_weeds();
        let rows = Rows::among(&plants, SIZE, RowSearch::AnySlant).expect("rows");
        let (x, y) = rows.view.across;
        assert!((y / x).atan().to_degrees() < -7. && (y / x).atan().to_degrees() > -12., "{x} {y}");
        let (leanings, _) = leanings(&plants, SIZE, RowSearch::AnySlant, &Crops::default());
        let is_beet = |i: usize| leanings[i][SUGAR_BEET] + plants[i].crop() > 0.;
        assert!((0..30).filter(|&i| is_beet(i)).count() >= 28);
        assert!((30..55).filter(|&i| is_beet(i)).count() <= 6, "weeds that stand in the rows by chance");
    }

    #[test]
    fn rows_seen_at_a_slant_are_rows() {
        // Six rows 194, 163, 139, 120 and 104 px apart: evenly sown, seen at a slant.
        let crop = (0..42_u16).map(|i| {
            let (row, along) = (
                [143., 337., 500., 639., 759., 863.][usize::from(i % 6)],
                f32::from(i / 6) * 100. + f32::from(i % 6 * 37 % 100),
            );
            plant(row + f32::from(i / 6 % 3) * 8. - 8., along, -2.)
        });
        let plants: Vec<Plant> = crop.chain(scattered(20, 5).map(|(x, y)| plant(x, y, -6.))).collect();
        let rows = Rows::among(&plants, SIZE, RowSearch::AnySlant).expect("rows");
        let level = Rows::among(&plants, SIZE, RowSearch::Level).expect("rows");
        assert!(!rows.view.is_level() && level.view.is_level());
        let gained = |rows: &Rows| (0..42).map(|i| rows.crop(&plants[i])).fold(f32::INFINITY, f32::min);
        assert!(gained(&rows) > 2. && gained(&level) < gained(&rows), "{} {}", gained(&rows), gained(&level));
    }

    #[test]
    fn plants_that_are_surely_weeds_show_no_rows() {
        let weed = |(x, y)| Plant { x, y, pixels: 400, log_shares: [0., 0., -200., -200., -200.] };
        let plants: Vec<Plant> = scattered(40, 9).map(weed).collect();
        assert!(Rows::among(&plants, SIZE, RowSearch::AnySlant).is_none());
    }

    #[test]
    fn scattered_plants_show_no_rows() {
        let mut moved: Vec<f32> = Vec::new();
        for (seed, count) in (0..200).zip([9, 14, 20, 30, 40, 60, 80, 100, 150, 200].into_iter().cycle()) {
            let plants: Vec<Plant> = scattered(count, seed).map(|(x, y)| plant(x, y, 1.)).collect();
            let (leanings, _) = leanings(&plants, SIZE, RowSearch::AnySlant, &Crops::default());
            let most = leanings.iter().map(|by| by[SUGAR_BEET].abs()).fold(0., f32::max);
            moved.push(most);
        }
        moved.sort_by(f32::total_cmp);
        let tenth = moved[moved.len() * 9 / 10];
        assert!(
            tenth < IN_ROW / 2.,
            "in a tenth of the pictures plants gain or lose {tenth} logits and more"
        );
    }

    #[test]
    fn a_beet_among_maize_was_maize_and_a_potato_stays() {
        let maize = |i: u16| {
            let x = f32::from(i) * 60.;
            Plant { x, y: 10., pixels: 900, log_shares: [0., -5., -4., -6., -0.1] }
        };
        let mut plants: Vec<Plant> = (0..8).map(maize).collect();
        plants.push(Plant { x: 30., y: 200., pixels: 300, log_shares: [0., -3., -0.5, -6., -1.] });
        plants.push(Plant { x: 90., y: 300., pixels: 300, log_shares: [0., -3., -6., -0.2, -2.] });
        let (leanings, _) = leanings(&plants, SIZE, RowSearch::AnySlant, &Crops::default());
        let class = |i: usize| {
            let score = |class: usize| plants[i].log_shares[class] + leanings[i][class];
            (1..CLASSES).max_by(|&a, &b| score(a).total_cmp(&score(b)))
        };
        assert_eq!((class(0), class(8), class(9)), (Some(4), Some(4), Some(3)));
    }

    #[test]
    fn a_lone_beet_in_a_field_that_has_shown_maize_was_maize() {
        let lone = [Plant { x: 30., y: 200., pixels: 300, log_shares: [0., -3., -0.5, -6., -1.] }];
        let maize = Crops { mass: [20., 0., 6000.], all: 7000. };
        let is_maize = |shown| {
            let (leanings, crops) = leanings(&lone, SIZE, RowSearch::AnySlant, &shown);
            assert!(
                (crops.all - 300.).abs() < 1e-3,
                "what it shows itself is told apart from what was shown"
            );
            leanings[0][OTHER_CROP] - leanings[0][SUGAR_BEET] > 0.5
        };
        assert!(is_maize(maize) && !is_maize(Crops::default()));
    }

    #[test]
    fn a_beet_that_is_nearly_taken_for_potato_among_beets_is_beet_and_a_field_of_potatoes_stays() {
        let unsure =
            |potato: f32| Plant { x: 5., y: 5., pixels: 300, log_shares: [0., -6., -1., potato, -6.] };
        let class = |plants: &[Plant]| {
            let (leanings, _) = leanings(plants, SIZE, RowSearch::AnySlant, &Crops::default());
            let score = |class: usize| plants[0].log_shares[class] + leanings[0][class];
            (1..CLASSES).max_by(|&a, &b| score(a).total_cmp(&score(b)))
        };
        let among = |potato: f32, others: [f32; CLASSES]| {
            let others = scattered(9, 3).map(|(x, y)| Plant { x, y, pixels: 900, log_shares: others });
            class(&std::iter::once(unsure(potato)).chain(others).collect::<Vec<_>>())
        };
        let (beets, potatoes) = ([0., -5., -0.1, -5., -5.], [0., -5., -5., -0.1, -5.]);
        assert_eq!(among(0., beets), Some(SUGAR_BEET), "1 logit more for potato");
        assert_eq!(among(1.5, beets), Some(POTATO), "2.5 logits more: a volunteer");
        assert_eq!(among(-0.5, potatoes), Some(POTATO));
        assert_eq!(among(-1.5, potatoes), Some(SUGAR_BEET), "beet loses nothing to potato");
    }
}
