//! One plant, one class: the pixels of a plant hear what the whole of it looks like.
//!
//! A network that sees a camera for the first time is sure of outlines, and of most leaves; on a few leaves it
//! wavers. The other leaves of the same plant then decide. Where two plants touch, a part of which it is sure
//! keeps its class.

const CLASSES: usize = 5;
const SOIL: usize = 0;

/// How much the mean of a plant counts beside a pixel's own scores.
pub const WEIGHT: f32 = 1.0;

/// Moves the plant scores of every pixel (`scores`: five planes of `width` × `height` logits, soil first)
/// towards the mean of the connected plant it belongs to. What is plant and what is soil stays.
pub fn agree(scores: &mut [f32], width: usize, height: usize, weight: f32) {
    let count = width * height;
    let own = |scores: &[f32], at: usize| -> [f32; CLASSES] {
        std::array::from_fn(|class| scores[class * count + at])
    };
    let is_plant: Vec<bool> = (0..count)
        .map(|at| {
            let all = own(scores, at);
            all[1..].iter().any(|score| *score > all[SOIL])
        })
        .collect();
    let mut seen = vec![false; count];
    let mut plant: Vec<usize> = Vec::new();
    for start in 0..count {
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
        let mut mean = [0.0_f32; CLASSES];
        for &at in &plant {
            let all = own(scores, at);
            let most = highest(&all);
            let total: f32 = all[1..].iter().map(|score| (score - most).exp()).sum();
            for (mean, score) in mean[1..].iter_mut().zip(&all[1..]) {
                *mean += (score - most) - total.ln();
            }
        }
        let mean = mean.map(|sum| weight * sum / plant.len() as f32);
        for &at in &plant {
            let all = own(scores, at);
            let moved: [f32; CLASSES] = std::array::from_fn(|class| all[class] + mean[class]);
            // The strongest plant class stays as strong as it was against soil.
            let lift = highest(&all) - highest(&moved);
            for class in 1..CLASSES {
                scores[class * count + at] = moved[class] + lift;
            }
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

    #[test]
    fn a_wavering_leaf_follows_its_plant_and_a_sure_neighbour_does_not() {
        // A beet of four sure pixels and a wavering one; soil; a sure weed that touches three beet pixels.
        let row = [(2, 4.), (2, 4.), (1, 0.5), (2, 4.), (2, 4.), (0, 3.), (1, 8.), (2, 3.), (2, 3.), (2, 3.)];
        let mut scores = scores(&row);
        agree(&mut scores, row.len(), 1, 1.0);
        assert_eq!(judged(&scores, row.len()), [2, 2, 2, 2, 2, 0, 1, 2, 2, 2]);
    }

    #[test]
    fn plant_and_soil_are_never_exchanged() {
        let row: Vec<(usize, f32)> = (0..60).map(|i| ((i * 7 + i / 5) % 5, (i % 9) as f32)).collect();
        let before = scores(&row);
        let mut after = before.clone();
        agree(&mut after, 10, 6, 1.0);
        let soil = |scores: &[f32]| judged(scores, 60).iter().map(|&class| class == 0).collect::<Vec<_>>();
        // Pixels with all scores zero are ties: leave them out.
        let ties: Vec<bool> = row.iter().map(|(_, margin)| *margin == 0.).collect();
        for ((before, after), tie) in soil(&before).iter().zip(soil(&after)).zip(ties) {
            assert!(tie || *before == after);
        }
    }
}
