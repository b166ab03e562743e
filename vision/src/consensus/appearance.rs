//! What the crop of this very field looks like.
//!
//! A network that sees a field for the first time knows some of its beets, and rows tell of others
//! ([`super::rows`]). Plants of one crop and sowing look alike: as green, as broad-leaved. So what has been found is
//! taken for examples, with those of earlier pictures of the field ([`super::memory`]); what tells them from the weeds is
//! learnt, and every leaf is judged by that, too. What the network says of a leaf is no feature: it would learn to repeat its mistakes.

use super::green::GREENER;
use super::logistic::{Example, FEATURES, log_odds};
use super::near::Near;
use super::plant::log_shares;
use super::{CLASSES, Colours, Heard, Plants, Shown, WEED};

/// Side of the pieces that plants are looked at in, in pixels: about a leaf, so that a beet and the weeds that touch it
/// are told apart.
const PIECE: usize = 24;
/// Smaller pieces show nothing.
const LEAST_PIXELS: usize = 40;
/// So far around its middle a piece's surroundings are looked at.
const AROUND: usize = 24;
/// From fewer plants nothing is learnt: a drone's tile shows two or three. Those of earlier pictures count, and one that
/// pictures share counts in each.
const LEAST_PLANTS: usize = 12;
/// Nor where nearly all of them are crop, or none.
const LEAST_SHARE: f32 = 0.03;
/// Logits per logit of the regression, whose penalty keeps it modest; at most so many, so that rows (`rows.rs`) and a sure
/// network outvote it together.
const TRUST: f32 = 8.0;
const MOST: f32 = 6.0;
/// So far around a pixel the pieces of its plant agree.
const REACH: usize = 30;
/// Keeps the logarithm of a spread finite.
const LITTLE: f32 = 1e-3;

/// The parts of a picture's plants, and what they teach of the crop's looks.
pub(super) struct Lesson {
    pieces: Vec<Piece>,
    examples: Vec<Example>,
}

impl Lesson {
    /// Of plants with what is `heard` of them. Those hardly greener than the ground (`greener`: how much each is) are left
    /// out: most are stones and straw, of which the weeds of the picture would be learnt.
    pub(super) fn of(plants: &Plants, colours: &Colours, greener: &[f32], heard: &[Vec<Heard>]) -> Self {
        let pieces = pieces(plants, |plant| greener[plant] >= GREENER);
        if pieces.is_empty() {
            return Self { pieces, examples: Vec::new() };
        }
        let distances = crate::leaves::distances(plants.is_plant, plants.width, plants.height);
        let look = Looked { plants, colours, distances: &distances };
        let examples = pieces.iter().map(|piece| look.example(piece, heard)).collect();
        Self { pieces, examples }
    }

    /// Log odds of crop for each piece; `None` where too little was shown to tell crop from weeds.
    fn odds(&self, shown: &Shown) -> Option<Vec<f32>> {
        let examples = || self.examples.iter().chain(shown.examples());
        let total: f32 = examples().map(|example| example.weight).sum();
        let crop = examples().map(|example| example.weight * example.share).sum::<f32>() / total;
        let enough = self.plants() + shown.plants() >= LEAST_PLANTS;
        let both = (LEAST_SHARE..=1.0 - LEAST_SHARE).contains(&crop);
        (enough && both).then(|| log_odds(&self.examples, || shown.examples())).flatten()
    }

    /// What it teaches other pictures: of how many plants, the looks of each part and what it was judged to be in the end
    /// (`heard`).
    pub(super) fn learnt(mut self, plants: &Plants, heard: &[Vec<Heard>]) -> (usize, Vec<Example>) {
        for (example, piece) in self.examples.iter_mut().zip(&self.pieces) {
            example.share = piece.crop(plants, heard);
        }
        (self.plants(), self.examples)
    }

    /// How many plants they are of.
    fn plants(&self) -> usize {
        self.pieces.chunk_by(|a, b| a.plant == b.plant).count()
    }

    /// Adds to `heard` what the classes of crop gain from looking like the crop of the picture and of others of its field
    /// (`shown`), or lose.
    pub(super) fn judge(&self, plants: &Plants, shown: &Shown, heard: &mut [Vec<Heard>]) {
        if self.pieces.is_empty() {
            return;
        }
        // Where the others have shown weeds only, or none, this picture may still teach by itself.
        let nothing = Shown::default();
        let Some(odds) = self.odds(shown).or_else(|| self.odds(&nothing)) else { return };
        let judged: Vec<(&Piece, f32)> = self.pieces.iter().zip(odds).collect();
        for judged in judged.chunk_by(|(a, _), (b, _)| a.plant == b.plant) {
            let Some((Piece { plant, .. }, _)) = judged.first() else { continue };
            let (pixels, heard) = (&plants.pixels[*plant], &mut heard[*plant]);
            let mut gains = vec![[0.0; CLASSES]; pixels.len()];
            for (piece, odds) in judged {
                let gain = (TRUST * odds).clamp(-MOST, MOST);
                for &member in &piece.members {
                    gains[member] = [0.0, 0.0, gain, gain, gain];
                }
            }
            let near = Near::of(pixels, &gains, plants.width, REACH);
            for (&at, heard) in pixels.iter().zip(heard) {
                for (heard, gain) in heard.iter_mut().zip(near.mean(at, plants.width)) {
                    *heard += gain;
                }
            }
        }
    }
}

/// A part of a plant that is looked at by itself.
struct Piece {
    plant: usize,
    /// Which of the plant's pixels.
    members: Vec<usize>,
}

impl Piece {
    /// How much of it is crop, 0 to 1.
    fn crop(&self, plants: &Plants, heard: &[Vec<Heard>]) -> f32 {
        let crop = |member: &usize| {
            let shares = &plants.log_shares[self.plant][*member];
            let by = &heard[self.plant][*member];
            1.0 - log_shares(&std::array::from_fn(|class| shares[class] + by[class]))[WEED].exp()
        };
        self.members.iter().map(crop).sum::<f32>() / self.members.len() as f32
    }
}

/// Every plant that is wanted, in squares from its left and upper end on; those with enough pixels.
fn pieces(plants: &Plants, wanted: impl Fn(usize) -> bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let large = |pixels: &[u32]| pixels.len() >= LEAST_PIXELS;
    let plants_wanted = plants.pixels.iter().enumerate();
    for (plant, pixels) in plants_wanted.filter(|(plant, pixels)| large(pixels) && wanted(*plant)) {
        let places = || pixels.iter().map(|&at| (at as usize % plants.width, at as usize / plants.width));
        let (left, top) = places().fold((usize::MAX, usize::MAX), |(l, t), (x, y)| (l.min(x), t.min(y)));
        let across = places().map(|(x, _)| (x - left) / PIECE).max().unwrap_or(0) + 1;
        let mut squares: Vec<Vec<usize>> = Vec::new();
        for (member, (x, y)) in places().enumerate() {
            let square = (y - top) / PIECE * across + (x - left) / PIECE;
            squares.resize_with(squares.len().max(square + 1), Vec::new);
            squares[square].push(member);
        }
        let squares = squares.into_iter().filter(|members| members.len() >= LEAST_PIXELS);
        pieces.extend(squares.map(|members| Piece { plant, members }));
    }
    pieces
}

/// A picture and its plants.
struct Looked<'a> {
    plants: &'a Plants<'a>,
    colours: &'a Colours,
    /// From every pixel to the nearest soil.
    distances: &'a [f32],
}

/// Mean and spread of something.
#[derive(Default)]
struct Sums {
    sum: f32,
    squares: f32,
}

impl Sums {
    fn add(&mut self, value: f32) {
        self.sum += value;
        self.squares += value * value;
    }

    /// Mean, and the logarithm of the standard deviation.
    fn features(&self, count: f32) -> [f32; 2] {
        let mean = self.sum / count;
        [mean, ((self.squares / count - mean * mean).max(0.0).sqrt() + LITTLE).ln()]
    }
}

impl Looked<'_> {
    fn example(&self, piece: &Piece, heard: &[Vec<Heard>]) -> Example {
        let weight = (piece.members.len() as f32).sqrt();
        Example { features: self.features(piece), share: piece.crop(self.plants, heard), weight }
    }

    /// How wide its leaves are, here and around; how much of the ground around is covered; its colour, how much that varies,
    /// and how smooth it is.
    fn features(&self, piece: &Piece) -> [f32; FEATURES] {
        let (width, height) = (self.plants.width, self.plants.height);
        let pixels = || piece.members.iter().map(|&member| self.plants.pixels[piece.plant][member] as usize);
        let count = piece.members.len() as f32;
        let (mut far, mut farthest, mut rough) = (0.0, 0.0_f32, 0.0);
        let [mut red, mut green, mut bright] = <[Sums; 3]>::default();
        let (mut middle_x, mut middle_y) = (0, 0);
        for at in pixels() {
            (middle_x, middle_y) = (middle_x + at % width, middle_y + at / width);
            far += self.distances[at];
            farthest = farthest.max(self.distances[at]);
            let ([r, g], light) = self.colours.shares(at);
            red.add(r);
            green.add(g);
            bright.add(light.ln());
            if at % width > 0 {
                rough += (self.colours.shares(at - 1).1 - light).abs() / light;
            }
        }
        let (x, y) = (middle_x / piece.members.len(), middle_y / piece.members.len());
        let (mut ground, mut cover, mut widest) = (0.0, 0.0, 0.0_f32);
        for row in (y.saturating_sub(AROUND)..(y + AROUND).min(height)).step_by(2) {
            for column in (x.saturating_sub(AROUND)..(x + AROUND).min(width)).step_by(2) {
                let distance = self.distances[row * width + column];
                ground += 1.0;
                cover += f32::from(u8::from(distance > 0.0));
                widest = widest.max(distance);
            }
        }
        let ([red, red_spread], [green, green_spread]) = (red.features(count), green.features(count));
        let [bright, bright_spread] = bright.features(count);
        // Every pixel of a plant is at least one pixel from soil, so these logarithms are finite.
        [
            (far / count).ln(),
            farthest.ln(),
            cover / ground,
            widest.max(1.0).ln(),
            red,
            red_spread,
            green,
            green_spread,
            bright,
            bright_spread,
            (rough / count + LITTLE).ln(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::Signs;
    use super::*;
    use image::{Rgb, RgbImage};

    const WIDTH: usize = 480;
    const HEIGHT: usize = 360;

    /// A square plant: where it lies, how large it is, and whether the network says beet (else weed).
    struct Square(usize, usize, usize, bool);

    /// Beets are 22 px wide and bright, weeds 11 px and dark; the first `mistaken` of each are told wrongly.
    fn field(beets: usize, weeds: usize, mistaken: usize) -> Vec<Square> {
        let place = |i: usize| (12 + i * 97 % 431, 12 + i * 53 % 317);
        let beet = (0..beets).map(|i| Square(place(i).0, place(i).1, 22, i >= mistaken));
        let weed = (beets..beets + weeds).map(|i| Square(place(i).0, place(i).1, 11, i < beets + mistaken));
        beet.chain(weed).collect()
    }

    /// What each plant gains as beet from its looks, averaged over its pixels.
    fn gains(field: &[Square], alike: bool) -> Vec<f32> {
        gains_after(&mut Shown::default(), field, alike)
    }

    /// The same after what was `shown`, to which it is added.
    fn gains_after(shown: &mut Shown, field: &[Square], alike: bool) -> Vec<f32> {
        let mut is_plant = vec![false; WIDTH * HEIGHT];
        let mut picture = RgbImage::from_pixel(480, 360, Rgb([130, 110, 90]));
        let (mut pixels, mut log_shares) = (Vec::new(), Vec::new());
        for &Square(left, top, side, beet) in field {
            let own = (top..top + side).flat_map(|y| (left..left + side).map(move |x| y * WIDTH + x));
            for at in own.clone() {
                is_plant[at] = true;
                let light = if side > 12 && !alike { [90, 160, 70] } else { [60, 100, 50] };
                let [x, y] = [at % WIDTH, at / WIDTH].map(|place| u32::try_from(place).unwrap());
                picture.put_pixel(x, y, Rgb(light));
            }
            let (weed, crop) = if beet { (-2.0, -0.2) } else { (-0.2, -2.0) };
            log_shares.push(vec![[0.0, weed, crop, -9.0, -9.0]; side * side]);
            pixels.push(own.map(|at| u32::try_from(at).unwrap()).collect::<Vec<u32>>());
        }
        let mut heard: Vec<Vec<Heard>> = pixels.iter().map(|own| vec![[0.0; CLASSES]; own.len()]).collect();
        let plants =
            Plants { width: WIDTH, height: HEIGHT, is_plant: &is_plant, pixels: &pixels, log_shares };
        let colours = Colours::of(&picture);
        let ground = colours.of_ground(&is_plant).unwrap();
        let greener: Vec<f32> = pixels.iter().map(|own| colours.mean_green(own).beyond(ground)).collect();
        let lesson = Lesson::of(&plants, &colours, &greener, &heard);
        lesson.judge(&plants, shown, &mut heard);
        shown.keep(Signs::of_beet(1.0), Some(lesson.learnt(&plants, &heard)));
        assert!(heard.iter().flatten().all(|by| by[0].abs() + by[WEED].abs() < 1e-6), "soil and weed stay");
        heard.iter().map(|own| own.iter().map(|by| by[2]).sum::<f32>() / own.len() as f32).collect()
    }

    #[test]
    fn plants_gain_from_looking_like_the_crop_and_lose_from_looking_like_weeds() {
        let gains = gains(&field(14, 20, 2), false);
        assert!(gains[..14].iter().all(|gain| *gain > 1.5), "beets, the two taken for weed too: {gains:?}");
        assert!(gains[14..].iter().all(|gain| *gain < -1.5), "weeds: {gains:?}");
    }

    #[test]
    fn a_few_plants_teach_nothing() {
        assert!(gains(&field(5, 6, 1), false).iter().all(|gain| *gain == 0.0));
    }

    #[test]
    fn a_few_plants_gain_from_what_another_picture_of_their_field_has_shown() {
        let mut shown = Shown::default();
        gains_after(&mut shown, &field(14, 20, 2), false);
        // Two beets of which the network takes one for weed, and two weeds of which it takes one for beet.
        let gains = gains_after(&mut shown, &field(2, 2, 1), false);
        assert!(gains[..2].iter().all(|gain| *gain > 1.5), "{gains:?}");
        assert!(gains[2..].iter().all(|gain| *gain < -1.5), "{gains:?}");
    }

    #[test]
    fn beside_pictures_without_weeds_a_picture_teaches_by_itself() {
        let (mut clean, alone) = (Shown::default(), gains(&field(14, 20, 2), false));
        for _ in 0..30 {
            gains_after(&mut clean, &field(40, 0, 0), false);
        }
        let after = gains_after(&mut clean, &field(14, 20, 2), false);
        assert!(after[..14].iter().all(|gain| *gain > 1.5) && after[14..].iter().all(|gain| *gain < -1.5));
        assert!((after[3] - alone[3]).abs() < 1e-3, "{} {}", after[3], alone[3]);
    }

    #[test]
    fn nor_do_plants_of_one_kind() {
        let only_beets: Vec<Square> = field(30, 0, 0);
        let gains = gains(&only_beets, true);
        let spread = gains.iter().fold(0.0_f32, |most, gain| most.max((gain - gains[0]).abs()));
        assert!(spread < 0.5, "{gains:?}");
    }

    #[test]
    fn a_picture_without_soil_or_plants_is_no_fault() {
        assert!(gains(&[], false).is_empty());
        let pixels = vec![(0..40_000).collect::<Vec<u32>>()];
        let log_shares = vec![vec![[0.0, -1.0, -0.5, -9.0, -9.0]; 40_000]];
        let plants =
            Plants { width: 200, height: 200, is_plant: &vec![true; 40_000], pixels: &pixels, log_shares };
        let mut heard = vec![vec![[0.0; CLASSES]; 40_000]];
        let colours = Colours::of(&RgbImage::new(200, 200));
        let lesson = Lesson::of(&plants, &colours, &[1.0], &heard);
        let mut shown = Shown::default();
        gains_after(&mut shown, &field(14, 20, 2), false);
        let known = shown.examples().count();
        lesson.judge(&plants, &shown, &mut heard);
        shown.keep(Signs::of_beet(1.0), Some(lesson.learnt(&plants, &heard)));
        assert_eq!(shown.examples().count(), known, "how far it is to soil nobody knows: not remembered");
        assert!(heard[0].iter().flatten().all(|by| by.is_finite()));
    }
}
