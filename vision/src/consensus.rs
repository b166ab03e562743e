//! One plant, one class: the pixels of a plant hear what the whole of it looks like.
//!
//! A network that sees a camera for the first time is sure of outlines, and of most leaves; on a few leaves it
//! wavers. The other leaves of the same plant then decide. Where two plants touch, a part of which it is sure
//! keeps its class.
//!
//! It also takes stones and straw for plants, on soil it has not seen. Those are no greener than the ground around
//! them, so what is not must be the surer of itself ([`Green`]).

use image::RgbImage;

const CLASSES: usize = 5;
const SOIL: usize = 0;

/// How much the mean of a plant counts beside a pixel's own scores.
pub const WEIGHT: f32 = 1.0;

/// A plant at least this much greener than the ground is believed as it is: most labelled plants are, most stones and
/// straw are not. Between the two the network's own certainty decides.
const GREENER: f32 = 0.08;
/// Logits that a plant loses per unit that it falls short.
const DOUBT: f32 = 50.0;
/// With less ground than this in the picture there is nothing to compare with.
const LEAST_GROUND_SHARE: f64 = 0.02;

/// How green the pixels of a picture are, (G − R) / (G + R): the normalised green-red difference index, which
/// shade leaves as it is (Tucker 1979). As the camera gave them: before any tone curve.
pub struct Green(Vec<f32>);

impl Green {
    /// Of every pixel, row by row.
    pub fn of(picture: &RgbImage) -> Self {
        let index = |[red, green, _]: [u8; 3]| {
            let (red, green) = (f32::from(red), f32::from(green));
            (green - red) / (green + red).max(1.0)
        };
        Self(picture.pixels().map(|pixel| index(pixel.0)).collect())
    }

    /// Half of the ground is less green than this.
    fn of_ground(&self, is_plant: &[bool]) -> Option<f32> {
        const STEPS: usize = 512;
        let mut counts = [0_u64; 2 * STEPS + 1];
        for (green, _) in self.0.iter().zip(is_plant).filter(|(_, is_plant)| !**is_plant) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "-1..=1 becomes 0..=1024"
            )]
            let at = ((green + 1.0) * STEPS as f32) as usize;
            counts[at] += 1;
        }
        let ground: u64 = counts.iter().sum();
        if (ground as f64) < LEAST_GROUND_SHARE * is_plant.len() as f64 {
            return None;
        }
        let mut below = 0;
        let median = counts.iter().position(|count| {
            below += count;
            2 * below >= ground
        });
        median.map(|at| at as f32 / STEPS as f32 - 1.0)
    }
}

/// Moves the plant scores of every pixel (`scores`: five planes of `width` × `height` logits, soil first)
/// towards the mean of the connected plant it belongs to, and takes from them what the plant lacks in green.
pub fn agree(scores: &mut [f32], width: usize, height: usize, weight: f32, green: &Green) {
    let count = width * height;
    let is_plant: Vec<bool> = (0..count)
        .map(|at| {
            let all = own(scores, count, at);
            all[1..].iter().any(|score| *score > all[SOIL])
        })
        .collect();
    let ground = green.of_ground(&is_plant);
    for_each_plant(&is_plant, width, height, |plant| {
        if weight > 0.0 {
            share(scores, count, plant, weight);
        }
        if let Some(ground) = ground {
            let sum: f32 = plant.iter().map(|&at| green.0[at]).sum();
            let doubt = DOUBT * (GREENER - (sum / plant.len() as f32 - ground)).max(0.0);
            for class in 1..CLASSES {
                for at in plant {
                    scores[class * count + at] -= doubt;
                }
            }
        }
    });
}

fn own(scores: &[f32], count: usize, at: usize) -> [f32; CLASSES] {
    std::array::from_fn(|class| scores[class * count + at])
}

/// Calls `act` with the pixels of every connected plant.
fn for_each_plant(is_plant: &[bool], width: usize, height: usize, mut act: impl FnMut(&[usize])) {
    let mut seen = vec![false; is_plant.len()];
    let mut plant: Vec<usize> = Vec::new();
    for start in 0..is_plant.len() {
        if seen[start] || !is_plant[start] {
            continue;
        }
        plant.clear();
        plant.push(start);
        seen[start] = true;
        let mut next = 0;
        while next < plant.len() {
            let at = plant[next];
            next += 1;
            let (x, y) = (at % width, at / width);
            let near = [
                (x > 0).then(|| at - 1),
                (x + 1 < width).then(|| at + 1),
                (y > 0).then(|| at - width),
                (y + 1 < height).then(|| at + width),
            ];
            for at in near.into_iter().flatten().filter(|&at| is_plant[at]) {
                if !seen[at] {
                    seen[at] = true;
                    plant.push(at);
                }
            }
        }
        act(&plant);
    }
}

/// Adds the mean log share of each class over the plant. What is plant and what is soil stays.
fn share(scores: &mut [f32], count: usize, plant: &[usize], weight: f32) {
    let mut mean = [0.0_f32; CLASSES];
    for &at in plant {
        let all = own(scores, count, at);
        let most = highest(&all);
        let total: f32 = all[1..].iter().map(|score| (score - most).exp()).sum();
        for (mean, score) in mean[1..].iter_mut().zip(&all[1..]) {
            *mean += (score - most) - total.ln();
        }
    }
    let mean = mean.map(|sum| weight * sum / plant.len() as f32);
    for &at in plant {
        let all = own(scores, count, at);
        let moved: [f32; CLASSES] = std::array::from_fn(|class| all[class] + mean[class]);
        // The strongest plant class stays as strong as it was against soil.
        let lift = highest(&all) - highest(&moved);
        for class in 1..CLASSES {
            scores[class * count + at] = moved[class] + lift;
        }
    }
}

/// The highest plant score.
fn highest(all: &[f32; CLASSES]) -> f32 {
    all[1..].iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn picture(classes: &[(usize, f32)], width: u32) -> Green {
        let height = u32::try_from(classes.len()).unwrap() / width;
        Green::of(&RgbImage::from_fn(width, height, |x, y| {
            let class = classes[(y * width + x) as usize].0;
            image::Rgb(if class == SOIL { [120, 100, 80] } else { [60, 120, 50] })
        }))
    }

    #[test]
    fn a_wavering_leaf_follows_its_plant_and_a_sure_neighbour_does_not() {
        // A beet of four sure pixels and a wavering one; soil; a sure weed that touches three beet pixels.
        let row = [(2, 4.), (2, 4.), (1, 0.5), (2, 4.), (2, 4.), (0, 3.), (1, 8.), (2, 3.), (2, 3.), (2, 3.)];
        let mut scores = scores(&row);
        agree(&mut scores, row.len(), 1, 1.0, &picture(&row, 10));
        assert_eq!(judged(&scores, row.len()), [2, 2, 2, 2, 2, 0, 1, 2, 2, 2]);
    }

    #[test]
    fn plant_and_soil_are_never_exchanged() {
        let row: Vec<(usize, f32)> = (0..60).map(|i| ((i * 7 + i / 5) % 5, (i % 9) as f32)).collect();
        let before = scores(&row);
        let mut after = before.clone();
        agree(&mut after, 10, 6, 1.0, &picture(&row, 10));
        let soil = |scores: &[f32]| judged(scores, 60).iter().map(|&class| class == 0).collect::<Vec<_>>();
        // Pixels with all scores zero are ties: leave them out.
        let ties: Vec<bool> = row.iter().map(|(_, margin)| *margin == 0.).collect();
        for ((before, after), tie) in soil(&before).iter().zip(soil(&after)).zip(ties) {
            assert!(tie || *before == after);
        }
    }

    /// Soil, a leaf, a yellow stone that looks like a plant to the network, and one of which it is quite sure.
    #[test]
    fn what_is_no_greener_than_the_ground_must_be_the_surer_of_itself() {
        let row = [(0, 2.), (0, 2.), (0, 2.), (2, 1.), (0, 2.), (1, 1.), (0, 2.), (1, 9.), (0, 2.), (0, 2.)];
        let mut scores = scores(&row);
        let colours = |at: u32| match at {
            3 => [80, 110, 60],
            5 | 7 => [200, 180, 110],
            _ => [120, 100, 80],
        };
        let green = Green::of(&RgbImage::from_fn(10, 1, |x, _| image::Rgb(colours(x))));
        agree(&mut scores, row.len(), 1, 1.0, &green);
        assert_eq!(judged(&scores, row.len()), [0, 0, 0, 2, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_picture_full_of_leaves_has_no_ground_to_compare_with() {
        let row = [(2, 1.); 100];
        let mut scores = scores(&row);
        let green = Green::of(&RgbImage::from_pixel(100, 1, image::Rgb([90, 80, 60])));
        agree(&mut scores, row.len(), 1, 1.0, &green);
        assert!(judged(&scores, row.len()).iter().all(|&class| class == 2));
    }
}
