//! One plant, one class: the pixels of a plant hear what the plant around them looks like.
//!
//! A network that sees a camera for the first time is sure of outlines, and of most leaves; on a few leaves it
//! wavers. The other leaves near by then decide (`near.rs`). Where two plants touch, a part of which it is sure
//! keeps its class. Then the picture as a whole is heard: crop stands in rows (`rows.rs`), a field grows one crop
//! (`crops.rs`), and the plants of a crop look alike (`appearance.rs`). So are earlier pictures of the same field
//! (`memory.rs`).
//!
//! It also takes stones and straw for plants, on soil it has not seen, and leaves of weeds it does not know for soil.
//! How green both are against the ground around them tells ([`Colours`], `green.rs`).

mod appearance;
mod colours;
mod crops;
mod green;
mod leanings;
mod logistic;
mod memory;
mod near;
mod plant;
mod rows;

use crate::leaves;
use appearance::Lesson;
pub use colours::Colours;
use green::Greenness;
use kompas_field::PlantClass;
use leanings::Leanings;
use memory::Signs;
pub use memory::{FieldMemory, Shown};
use near::{Near, Parts};
use plant::{Plant, log_shares};

const CLASSES: usize = PlantClass::ALL.len();
const SOIL: usize = 0;
const WEED: usize = 1;
const SUGAR_BEET: usize = 2;
const POTATO: usize = 3;
const OTHER_CROP: usize = 4;

/// What counts beside a pixel's own scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consensus {
    /// How much the mean of the plant around a pixel counts, against 1 for its own scores.
    pub weight: f32,
    /// How rows are looked for, and with them the crop of the field and what it looks like.
    pub rows: RowSearch,
}

/// How rows are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSearch {
    /// Not at all.
    Off,
    /// As a camera sees them that is known to hang level, as on a robot. The more ways are tried, the more rows chance
    /// alone shows.
    Level,
    /// At a slant, too: nobody knows how the camera was held.
    AnySlant,
}

impl Consensus {
    /// For a picture of which nothing is known, and what figures are of that do not say otherwise.
    pub const RELEASED: Self = Self { weight: 1.0, rows: RowSearch::AnySlant };
    /// For a camera that hangs level.
    pub const LEVEL: Self = Self { rows: RowSearch::Level, ..Self::RELEASED };
    /// Only green counts.
    pub const NONE: Self = Self { weight: 0.0, rows: RowSearch::Off };
}

/// So far, across and down, a pixel hears its plant, in pixels that the network sees. Most beets are heard whole; of
/// plants that touch, and in a closed canopy, only what is near.
const REACH: usize = 80;

/// What is added to a pixel's scores; soil's is not used.
type Heard = [f32; CLASSES];

/// The connected plants of a picture.
struct Plants<'a> {
    width: usize,
    height: usize,
    is_plant: &'a [bool],
    /// The pixels of every plant.
    pixels: &'a [Vec<u32>],
    /// For each of them the logarithm of each class's share among the plants; that of soil is zero.
    log_shares: Vec<Vec<Heard>>,
}

/// First raises the plant scores of green weeds (`green.rs`), which may make plants of soil. Then moves those of every pixel
/// (`scores`: five planes of `width` × `height` logits, soil first) towards the mean of the connected plant around it and
/// towards what the picture as a whole, and others of its field (`shown`), say of that plant (`rows.rs`, `crops.rs`,
/// `appearance.rs`). Last lowers those of plants that are hardly greener than the ground.
pub fn agree(
    scores: &mut [f32],
    width: usize,
    height: usize,
    rules: Consensus,
    colours: &Colours,
    shown: &mut Shown,
) {
    let count = width * height;
    let greenness = Greenness::of(scores, colours, &leaves::is_plant(scores, count));
    if let Some(greenness) = &greenness {
        green::trust_weeds(scores, colours, greenness);
    }
    let is_plant = leaves::is_plant(scores, count);
    let pixels = plant::connected(&is_plant, width, height);
    // How much greener than the ground each plant is; nobody knows where no ground is to be seen.
    let greener = greenness.map(|greenness| {
        pixels.iter().map(|plant| greenness.beyond(colours.mean_green(plant))).collect::<Vec<f32>>()
    });
    if rules != Consensus::NONE {
        let plants = Plants::of(scores, (width, height), &is_plant, &pixels);
        let (mut heard, signs) = plants.hear(rules, shown);
        if rules.rows != RowSearch::Off {
            let lesson = greener.as_deref().map(|greener| Lesson::of(&plants, colours, greener, &heard));
            if let Some(lesson) = &lesson {
                lesson.judge(&plants, shown, &mut heard);
            }
            shown.keep(signs, lesson.map(|lesson| lesson.learnt(&plants, &heard)));
        }
        for (pixels, heard) in pixels.iter().zip(&heard) {
            for (&at, by) in pixels.iter().zip(heard) {
                lean(scores, count, at as usize, by);
            }
        }
    }
    if let Some(greener) = greener {
        green::doubt(scores, &pixels, &greener);
    }
}

impl<'a> Plants<'a> {
    fn of(
        scores: &[f32],
        (width, height): (usize, usize),
        is_plant: &'a [bool],
        pixels: &'a [Vec<u32>],
    ) -> Self {
        let shares = |&at: &u32| log_shares(&own(scores, width * height, at as usize));
        let log_shares = pixels.iter().map(|pixels| pixels.iter().map(shares).collect()).collect();
        Self { width, height, is_plant, pixels, log_shares }
    }

    /// What the plant around each pixel and the rows of the picture say of it.
    fn hear(&self, rules: Consensus, shown: &Shown) -> (Vec<Vec<Heard>>, Signs) {
        let plants = self.pixels.iter().zip(&self.log_shares);
        let plants: Vec<Plant> =
            plants.map(|(pixels, shares)| Plant::of(pixels, shares, self.width)).collect();
        let size = (self.width as f32, self.height as f32);
        let searched = (rules.rows != RowSearch::Off)
            .then(|| Leanings::among(&plants, size, rules.rows, &shown.signs()));
        let (leanings, signs) = searched.unwrap_or_default();
        let heard = |(number, (pixels, shares)): (usize, (&Vec<u32>, &Vec<Heard>))| {
            let near = Near::of(pixels, shares, self.width, REACH);
            let parts = leanings.have_rows().then(|| Parts::of(pixels, self.width)).flatten();
            let by = |&at: &u32| {
                let mean = near.mean(at, self.width);
                let part = parts.as_ref().map(|parts| parts.middle(at, self.width));
                let leaning = leanings.of_part(number, part);
                std::array::from_fn(|class| rules.weight * mean[class] + leaning[class])
            };
            pixels.iter().map(by).collect()
        };
        let heard = self.pixels.iter().zip(&self.log_shares).enumerate().map(heard).collect();
        (heard, signs)
    }
}

fn own(scores: &[f32], count: usize, at: usize) -> [f32; CLASSES] {
    std::array::from_fn(|class| scores[class * count + at])
}

/// Adds `by` to the plant classes of a pixel. What is plant and what is soil stays.
fn lean(scores: &mut [f32], count: usize, at: usize, by: &[f32; CLASSES]) {
    let all = own(scores, count, at);
    let moved: [f32; CLASSES] = std::array::from_fn(|class| all[class] + by[class]);
    // The strongest plant class stays as strong as it was against soil.
    let lift = highest(&all) - highest(&moved);
    for class in 1..CLASSES {
        scores[class * count + at] = moved[class] + lift;
    }
}

/// The highest plant score.
fn highest(all: &[f32; CLASSES]) -> f32 {
    all[1..].iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;

    /// Scores in which every pixel has the given class by the given margin.
    fn scores(classes: &[(usize, f32)]) -> Vec<f32> {
        let mut scores = vec![0.0; CLASSES * classes.len()];
        for (at, &(class, margin)) in classes.iter().enumerate() {
            scores[class * classes.len() + at] = margin;
        }
        scores
    }

    fn judged(scores: &[f32], count: usize) -> Vec<usize> {
        let best = |at: usize| {
            (0..CLASSES).max_by(|&a, &b| scores[a * count + at].total_cmp(&scores[b * count + at]))
        };
        (0..count).filter_map(best).collect()
    }

    /// A picture in which plants are much greener than soil.
    fn picture(classes: &[(usize, f32)], width: u32) -> Colours {
        let height = u32::try_from(classes.len()).unwrap() / width;
        Colours::of(&RgbImage::from_fn(width, height, |x, y| {
            let class = classes[(y * width + x) as usize].0;
            image::Rgb(if class == SOIL { [120, 100, 80] } else { [60, 120, 50] })
        }))
    }

    #[test]
    fn a_wavering_leaf_follows_its_plant_and_a_sure_neighbour_does_not() {
        // A beet of four sure pixels and a wavering one; soil; a sure weed that touches three beet pixels.
        let row = [(2, 4.), (2, 4.), (1, 0.5), (2, 4.), (2, 4.), (0, 3.), (1, 8.), (2, 3.), (2, 3.), (2, 3.)];
        let mut scores = scores(&row);
        agree(&mut scores, row.len(), 1, Consensus::RELEASED, &picture(&row, 10), &mut Shown::default());
        assert_eq!(judged(&scores, row.len()), [2, 2, 2, 2, 2, 0, 1, 2, 2, 2]);
    }

    /// Plants are green and soil is brown: colours leave both as they are.
    #[test]
    fn plants_and_rows_do_not_exchange_plant_and_soil() {
        let row: Vec<(usize, f32)> = (0..60).map(|i| ((i * 7 + i / 5) % 5, (i % 9) as f32)).collect();
        let before = scores(&row);
        let mut after = before.clone();
        agree(&mut after, 10, 6, Consensus::RELEASED, &picture(&row, 10), &mut Shown::default());
        let soil = |scores: &[f32]| judged(scores, 60).iter().map(|&class| class == 0).collect::<Vec<_>>();
        // Pixels with all scores zero are ties: leave them out.
        let ties: Vec<bool> = row.iter().map(|(_, margin)| *margin == 0.).collect();
        for ((before, after), tie) in soil(&before).iter().zip(soil(&after)).zip(ties) {
            assert!(tie || *before == after);
        }
    }

    /// Soil, a leaf, a yellow and a grey stone that look like plants to the network, and one of which it is quite sure.
    #[test]
    fn what_is_no_greener_than_the_ground_must_be_the_surer_of_itself() {
        let row = [(0, 2.), (0, 2.), (0, 2.), (2, 1.), (0, 2.), (1, 1.), (0, 2.), (1, 9.), (0, 2.), (1, 1.)];
        let mut scores = scores(&row);
        let colours = |at: u32| match at {
            3 => [80, 110, 60],
            5 | 7 => [200, 180, 110],
            9 => [150, 150, 150],
            _ => [120, 100, 80],
        };
        let colours = Colours::of(&RgbImage::from_fn(10, 1, |x, _| image::Rgb(colours(x))));
        agree(&mut scores, row.len(), 1, Consensus::RELEASED, &colours, &mut Shown::default());
        assert_eq!(judged(&scores, row.len()), [0, 0, 0, 2, 0, 0, 0, 1, 0, 0]);
    }

    /// Soil by one logit to the network, or by five, and weed or beet if it were a plant, by `lead` logits.
    #[test]
    fn what_is_green_and_weed_if_anything_is_a_weed() {
        let judged_as = |class: usize, lead: f32, soil: f32, colour: [u8; 3]| {
            let mut scores = scores(&[(0, 9.); 10]);
            scores[class * 10 + 4] = 9.0 - soil;
            (1..CLASSES)
                .filter(|&other| other != class)
                .for_each(|other| scores[other * 10 + 4] = 9.0 - soil - lead);
            let picture = |x: u32| if x == 4 { colour } else { [120, 100, 80] };
            let colours = Colours::of(&RgbImage::from_fn(10, 1, |x, _| image::Rgb(picture(x))));
            agree(&mut scores, 10, 1, Consensus::NONE, &colours, &mut Shown::default());
            judged(&scores, 10)[4]
        };
        let (green, yellow, black) = ([60, 120, 50], [124, 112, 60], [2, 5, 2]);
        assert_eq!(judged_as(WEED, 2.0, 1.0, green), WEED);
        assert_eq!(judged_as(WEED, 2.0, 5.0, green), SOIL, "too sure of it");
        assert_eq!(judged_as(WEED, 2.0, 1.0, yellow), SOIL);
        assert_eq!(judged_as(WEED, 2.0, 1.0, black), SOIL, "the last bit of a black pixel");
        assert_eq!(judged_as(WEED, 0.1, 1.0, green), SOIL, "it may be a crop's");
        assert_eq!(judged_as(SUGAR_BEET, 2.0, 1.0, green), SOIL);
    }

    /// Sure beets left, ground right, and a leaf between of which the network is not sure, as one camera shows them and as
    /// one with a seventh of the colour does.
    #[test]
    fn in_a_pale_picture_leaves_and_stones_are_told_apart_as_well() {
        let judged_as = |leaf: [u8; 3], saturation: f32, stony: bool| {
            let mut row = [(0, 9.); 400];
            row[..100].fill((SUGAR_BEET, 9.));
            row[200] = (WEED, 1.);
            let mut scores = scores(&row);
            let colours = Colours::of(&RgbImage::from_fn(400, 1, |x, _| {
                let colour = match x {
                    0..100 => [60., 120., 50.],
                    200 => leaf.map(f32::from),
                    _ if stony && x % 7 == 0 => [100., 120., 80.],
                    _ => [120., 100., 80.],
                };
                let grey = colour.iter().sum::<f32>() / 3.;
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=255")]
                let pale = |value: f32| (grey + saturation * (value - grey)).round() as u8;
                image::Rgb(colour.map(pale))
            }));
            agree(&mut scores, 400, 1, Consensus::NONE, &colours, &mut Shown::default());
            judged(&scores, 400)[200]
        };
        let (leaf, stone) = ([60, 120, 50], [114, 104, 78]);
        for saturation in [1.0, 0.15] {
            assert_eq!(judged_as(leaf, saturation, false), WEED, "{saturation}");
            assert_eq!(judged_as(stone, saturation, false), SOIL, "{saturation}");
        }
        let greenish = [90, 115, 60];
        assert_eq!(judged_as(greenish, 0.15, false), WEED, "greener than any ground");
        assert_eq!(judged_as(greenish, 0.15, true), SOIL, "so are many stones here");
    }

    #[test]
    fn a_brown_leaf_of_a_green_weed_loses_nothing() {
        let row = [(0, 3.), (1, 4.), (1, 4.), (1, 0.5), (1, 4.), (1, 4.), (0, 3.), (0, 3.), (0, 3.), (0, 3.)];
        let mut scores = scores(&row);
        let colour = |x: u32| if (1..6).contains(&x) && x != 3 { [60, 120, 50] } else { [120, 100, 80] };
        let colours = Colours::of(&RgbImage::from_fn(10, 1, |x, _| image::Rgb(colour(x))));
        agree(&mut scores, 10, 1, Consensus::NONE, &colours, &mut Shown::default());
        assert_eq!(judged(&scores, 10)[1..6], [WEED; 5]);
    }

    /// A picture of beets or of bare ground, after what was shown.
    fn look(row: &[(usize, f32)], rules: Consensus, shown: &mut Shown) -> Vec<f32> {
        let mut scores = scores(row);
        agree(&mut scores, row.len(), 1, rules, &picture(row, 100), shown);
        scores
    }

    #[test]
    fn what_is_no_number_is_not_remembered_and_bare_ground_forgets_nothing() {
        let mut beets = [(0, 3.); 100];
        beets[10..60].fill((2, 1.));
        let mut shown = Shown::default();
        let mut broken = beets;
        broken[30].1 = f32::INFINITY;
        look(&broken, Consensus::RELEASED, &mut shown);
        assert_eq!(shown.pictures(), 0);
        let alone = look(&beets, Consensus::RELEASED, &mut shown);
        assert_eq!(alone, look(&beets, Consensus::RELEASED, &mut Shown::default()));
        assert_eq!(shown.pictures(), 1);
        for _ in 0..1000 {
            look(&[(0, 3.); 100], Consensus::RELEASED, &mut shown);
        }
        assert_eq!(shown.pictures(), 1);
    }

    #[test]
    fn a_picture_judged_without_rows_neither_hears_nor_is_remembered() {
        let mut beets = [(0, 3.); 100];
        beets[10..60].fill((2, 1.));
        let mut shown = Shown::default();
        for rules in [Consensus::NONE, Consensus { rows: RowSearch::Off, ..Consensus::RELEASED }] {
            look(&beets, rules, &mut shown);
        }
        assert_eq!(shown.pictures(), 0);
    }

    #[test]
    fn a_picture_full_of_leaves_has_no_ground_to_compare_with() {
        let row = [(2, 1.); 100];
        let mut scores = scores(&row);
        let colours = Colours::of(&RgbImage::from_pixel(100, 1, image::Rgb([90, 80, 60])));
        agree(&mut scores, row.len(), 1, Consensus::RELEASED, &colours, &mut Shown::default());
        assert!(judged(&scores, row.len()).iter().all(|&class| class == 2));
    }
}
