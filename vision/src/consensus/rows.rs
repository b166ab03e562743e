//! Crop stands in rows, weeds do not: what a picture as a whole says of its plants.
//!
//! A network that sees a field for the first time takes its crop for weed, here more, there less, and a leaf alone does
//! not tell. The rows do: crop stands in them at an even spacing, weeds stand in them or anywhere. They are looked for with
//! Rayleigh's test for a direction (Mardia & Jupp 2000, *Directional Statistics*, section 6.3.1): wrapped around the
//! spacing, the plants of rows lie on one side of the circle, others anywhere. They are looked for at several slants across
//! them, too (`view.rs`). Rows that converge in the picture are not modelled. How much a place tells, and how far the
//! network is wrong about the crop, follows from how likely plants stand where they do (`likelihood.rs`).

mod likelihood;
mod view;

use super::RowSearch;
use super::plant::Plant;
pub(super) use likelihood::Underrated;
use likelihood::{UNDERRATED, in_row, likeliest};
use std::f32::consts::{PI, TAU};
use view::View;

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
/// The natural logarithm of how many independent rows the search tries as seen from straight above (what such rows must
/// stand out by), and at all slants together (what others must): among so many, chance alone shows some.
const TRIES: (f32, f32) = (6., 7.5);
/// Plants of a sown row lie this close together on the circle (mean resultant length; 0.84 by `likelihood.rs`).
const SOWN: f32 = 0.85;
/// What a plant's place tells counts twice when it is judged, 3.7 logits in the middle of a row and -4.6 halfway between
/// two: of a field that it sees for the first time the network says more than it knows.
const PLACE_COUNTS: f32 = 2.;

/// What a plant counts for.
fn weight(plant: &Plant) -> f32 {
    (plant.pixels.min(MOST_PIXELS) as f32).sqrt()
}

/// What it counts for as a part of a row, under each assumption of [`UNDERRATED`].
fn weights(plant: &Plant) -> [f32; UNDERRATED.len()] {
    UNDERRATED.map(|underrated| weight(plant) * plant.crop(underrated))
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

    /// The cosine of where something stands around the spacing: 1 in the middle of a row.
    fn around(&self, (x, y): (f32, f32), spacing: f32, phase: f32) -> f32 {
        (self.place(x, y) / spacing * TAU - phase).cos()
    }
}

/// Parallel lines, evenly spaced as seen from straight above.
pub(super) struct Rows {
    view: View,
    /// In pixels of the picture's middle.
    spacing: f32,
    /// Where a row lies from the picture's middle, as an angle around the spacing.
    phase: f32,
    /// From chance (0) to as clear as sown (1).
    sureness: f32,
    /// Logits by which the network underrates their crop.
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
    /// The rows that explain best where the plants stand, and how far they say that the network underrates the crop.
    pub(super) fn among(plants: &[Plant], size: (f32, f32), search: RowSearch) -> Option<(Self, Underrated)> {
        let short_side = size.0.min(size.1);
        let most = UNDERRATED.len() - 1;
        let large = plants.iter().filter(|plant| plant.pixels >= LEAST_PIXELS);
        let mut large: Vec<_> = large.map(|plant| (plant, weights(plant))).collect();
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
        // Plants that are surely weeds weigh less than numbers can be small.
        let best: [Option<Found>; UNDERRATED.len()] =
            std::array::from_fn(|at| best[at].filter(|_| squares[at] > 0.));
        let explained: [_; UNDERRATED.len()] = std::array::from_fn(|at| {
            best[at].map(|found| found.explains(&large, UNDERRATED[at]) - found.view.tries())
        });
        let at = likeliest(&explained)?;
        let Found { length, view, spacing, phase, .. } = best[at]?;
        let (sum, squares, underrated) = (sums[at], squares[at], UNDERRATED[at]);
        let chance = (view.tries() * squares).sqrt() / sum;
        let sureness = ((length / sum - chance) / (SOWN - chance).max(0.1)).clamp(0., 1.);
        let rows = Self { view, spacing, phase, sureness, underrated };
        (sureness > 0.).then(|| (rows, Underrated::of(explained, sureness)))
    }

    /// Logits that a plant with its middle there gains as crop; `known` is by how many this picture and others of its field together show the
    /// crop to be underrated, which counts as far as these rows are not sure.
    pub(super) fn crop(&self, middle: (f32, f32), known: f32) -> f32 {
        let told =
            PLACE_COUNTS * in_row(self.view.around(middle, self.spacing, self.phase)) + self.underrated;
        self.sureness * told + (1. - self.sureness) * known
    }
}

impl Found {
    /// The natural logarithm of how much likelier the plants stand where they do if the crop among them stands in these
    /// rows, than if all stood anywhere. Large plants weigh more, and together they count for as many as of one size
    /// would tell as much (Kish 1965, *Survey Sampling*, section 11.7).
    fn explains(&self, plants: &[&Plant], underrated: f32) -> f32 {
        let (mut sum, mut weights, mut squares) = (0., 0., 0.);
        for plant in plants {
            let (weight, crop) = (weight(plant), plant.crop(underrated));
            let place = in_row(self.view.around((plant.x, plant.y), self.spacing, self.phase)).exp();
            sum += weight * (crop * place + 1. - crop).ln();
            weights += weight;
            squares += weight * weight;
        }
        sum * weights / squares
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

#[cfg(test)]
mod tests {
    use super::super::SUGAR_BEET;
    use super::super::leanings::Leanings;
    use super::super::memory::Signs;
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
        let (rows, _) = Rows::among(&plants, SIZE, RowSearch::AnySlant).expect("rows");
        let (x, y) = rows.view.across;
        assert!((y / x).atan().to_degrees() < -7. && (y / x).atan().to_degrees() > -12., "{x} {y}");
        let (leanings, _) = Leanings::among(&plants, SIZE, RowSearch::AnySlant, &Signs::default());
        let is_beet = |i: usize| plants[i].crop(leanings.of_part(i, None)[SUGAR_BEET]) > 0.5;
        assert!((0..30).filter(|&i| is_beet(i)).count() >= 28);
        assert!((30..55).filter(|&i| is_beet(i)).count() <= 6, "weeds that stand in the rows by chance");
    }

    #[test]
    fn a_part_of_a_plant_is_asked_where_it_stands_and_the_whole_where_its_middle_is() {
        let plants = rows_and_weeds();
        let (leanings, _) = Leanings::among(&plants, SIZE, RowSearch::AnySlant, &Signs::default());
        let (x, y) = (plants[15].x, plants[15].y);
        let gains = |part| leanings.of_part(15, part)[SUGAR_BEET];
        assert!((gains(Some((x, y))) - gains(None)).abs() < 1e-4);
        let between = gains(Some((x + 160., y)));
        assert!(gains(None) > between + 3., "{} in its row, {between} between two", gains(None));
        let weed = leanings.of_part(15, Some((x + 160., y)))[super::super::WEED];
        assert!(weed.abs() < 1e-6, "only crop gains or loses");
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
        let (rows, _) = Rows::among(&plants, SIZE, RowSearch::AnySlant).expect("rows");
        let (level, _) = Rows::among(&plants, SIZE, RowSearch::Level).expect("rows");
        assert!(!rows.view.is_level() && level.view.is_level());
        let gained = |rows: &Rows| {
            (0..42).map(|i| rows.crop((plants[i].x, plants[i].y), 0.)).fold(f32::INFINITY, f32::min)
        };
        assert!(
            gained(&rows) > 1.5 && gained(&level) < gained(&rows),
            "{} {}",
            gained(&rows),
            gained(&level)
        );
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
            let (leanings, _) = Leanings::among(&plants, SIZE, RowSearch::AnySlant, &Signs::default());
            let most =
                (0..plants.len()).map(|at| leanings.of_part(at, None)[SUGAR_BEET].abs()).fold(0., f32::max);
            moved.push(most);
        }
        moved.sort_by(f32::total_cmp);
        let tenth = moved[moved.len() * 9 / 10];
        let half = -PLACE_COUNTS * in_row(-1.) / 2.;
        assert!(tenth < half, "in a tenth of the pictures plants gain or lose {tenth} logits and more");
    }

    #[test]
    fn a_weed_in_a_row_stays_a_weed_where_the_network_knows_both() {
        let mut plants = rows_and_weeds();
        for beet in &mut plants[..30] {
            beet.log_shares = plant(0., 0., 4.).log_shares;
        }
        plants[6].log_shares = plant(0., 0., -6.).log_shares;
        for plants in [&plants[..], &plants[..30]] {
            let (leanings, _) = Leanings::among(plants, SIZE, RowSearch::AnySlant, &Signs::default());
            let is_crop =
                [6, 7].map(|at: usize| plants[at].crop(leanings.of_part(at, None)[SUGAR_BEET]) > 0.5);
            assert_eq!(is_crop, [false, true], "{} plants", plants.len());
        }
    }

    #[test]
    fn what_rows_said_of_the_network_is_heard_where_none_are_seen() {
        let (_, shown) = Leanings::among(&rows_and_weeds(), SIZE, RowSearch::AnySlant, &Signs::default());
        let few = [plant(100., 90., -1.5), plant(700., 300., -8.)];
        let judged = |shown: &Signs| {
            let (leanings, _) = Leanings::among(&few, SIZE, RowSearch::AnySlant, shown);
            [0, 1].map(|at| few[at].crop(leanings.of_part(at, None)[SUGAR_BEET]) > 0.5)
        };
        assert_eq!((judged(&Signs::default()), judged(&shown)), ([false; 2], [true, false]));
    }
}
