//! How wide leaves look: what tells a camera that is near from one that is far.
//!
//! No file states how many millimetres a pixel is, and it would not help: the leaves of one crop are two millimetres wide
//! or two hundred. A network is led astray by leaves wider than any it has learnt from. Plant and soil it still tells
//! apart then, so their width is read off its own first look. A closed canopy counts as one wide leaf, and of a leaf that
//! the picture's edge cuts only the side that is seen.

use crate::normalise::MIN_SIDE;

/// Where leaves are wider than this at working size, the picture is looked at smaller. A network that was trained on beets
/// whose leaves are 20 to 50 px wide took nearly all of them for weed at 80 px and more.
const WIDEST_PX: f32 = 46.0;
/// How wide they then are at zoom 1.
const WANTED_PX: f32 = 25.0;
/// No look at a finer zoom than 1 shows leaves wider than this.
const ENLARGED_PX: f32 = 72.0;

/// At which multiples of its working size a picture should be looked at instead of `zooms`, from the `scores` of a look at
/// the first of them (five planes of `width` × `height` logits, soil first). The first stays unless leaves are too wide;
/// then all are smaller, the shorter side at least [`MIN_SIDE`] at zoom 1. A picture as small as that is looked at as it
/// is: drone tiles were trained on with leaves as wide as they come.
pub fn zooms(scores: &[f32], width: usize, height: usize, zooms: &[f64]) -> Vec<f64> {
    let count = width * height;
    let is_plant = is_plant(scores, count);
    let (Some(found), Some(&looked)) = (leaf_width(&is_plant, width, height), zooms.first()) else {
        return zooms.to_owned();
    };
    let least = f64::from(MIN_SIDE) * looked / width.min(height) as f64;
    if least >= 1.0 {
        return zooms.to_owned();
    }
    let wide = f64::from(found) / looked;
    let too_wide = wide > f64::from(WIDEST_PX);
    let smaller = if too_wide { (f64::from(WANTED_PX) / wide).max(least) } else { 1.0 };
    let coarse = looked.max(1.0) * smaller;
    let fits = |zoom: f64| zoom <= coarse || zoom * wide <= f64::from(ENLARGED_PX);
    zooms.iter().map(|zoom| zoom * smaller).filter(|zoom| fits(*zoom)).collect()
}

/// What a picture looks like to a network, as `look` sees it at a zoom: at all of `zooms`, or at those that
/// `decide` makes of them after the first look.
/// # Errors
/// As `look` says.
pub fn looks<L, E>(
    zooms: &[f64],
    mut look: impl FnMut(f64) -> Result<L, E>,
    decide: impl Fn(&L, &[f64]) -> Vec<f64>,
) -> Result<Vec<L>, E> {
    let Some(&first_zoom) = zooms.first() else { return Ok(Vec::new()) };
    let first = look(first_zoom)?;
    let decided = decide(&first, zooms);
    let mut looks = Vec::with_capacity(decided.len());
    if decided.first() == Some(&first_zoom) {
        looks.push(first);
    }
    for zoom in &decided[looks.len()..] {
        looks.push(look(*zoom)?);
    }
    Ok(looks)
}

/// Whether each of `count` pixels is likelier a plant of some class than soil, from five planes of scores, soil first.
pub(crate) fn is_plant(scores: &[f32], count: usize) -> Vec<bool> {
    let (soil, plants) = scores.split_at(count);
    let mut is_plant = vec![false; count];
    for plane in plants.chunks_exact(count.max(1)) {
        for ((is_plant, score), soil) in is_plant.iter_mut().zip(plane).zip(soil) {
            *is_plant |= score > soil;
        }
    }
    is_plant
}

/// Width of leaves in pixels: four times the distance from a plant's pixel to the nearest soil, averaged over all of them
/// (in a strip that mean is a quarter of the width). `None` where there is no plant or no soil.
///
/// What lies beyond the picture's edge is not known and counts as neither.
fn leaf_width(is_plant: &[bool], width: usize, height: usize) -> Option<f32> {
    let plants = is_plant.iter().filter(|&&plant| plant).count();
    if plants == 0 || plants == is_plant.len() {
        return None;
    }
    let distances = distances(is_plant, width, height);
    let sum: f64 = distances.iter().map(|&distance| f64::from(distance)).sum();
    #[expect(clippy::cast_possible_truncation, reason = "at most the picture's side")]
    let mean = (sum / plants as f64) as f32;
    // The nearest soil pixel's middle lies half a pixel beyond the leaf's edge.
    Some(4.0 * (mean - 0.5))
}

/// A step aside and one aslant, in pixels (Borgefors 1986: a chamfer of 3 and 4, within 6 % of the true distance).
const ASIDE: f32 = 1.0;
const ASLANT: f32 = 4.0 / 3.0;

/// From every pixel to the nearest that is no plant; zero for those.
pub(crate) fn distances(is_plant: &[bool], width: usize, height: usize) -> Vec<f32> {
    let mut found: Vec<f32> = is_plant.iter().map(|&plant| if plant { f32::MAX } else { 0.0 }).collect();
    // Down and to the right, then back: each pixel hears the four neighbours before it.
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let mut least = found[at];
            if least == 0.0 {
                continue; // most of a field is soil
            }
            if x > 0 {
                least = least.min(found[at - 1] + ASIDE);
            }
            if y > 0 {
                least = least.min(found[at - width] + ASIDE);
                if x > 0 {
                    least = least.min(found[at - width - 1] + ASLANT);
                }
                if x + 1 < width {
                    least = least.min(found[at - width + 1] + ASLANT);
                }
            }
            found[at] = least;
        }
    }
    for y in (0..height).rev() {
        for x in (0..width).rev() {
            let at = y * width + x;
            let mut least = found[at];
            if least == 0.0 {
                continue;
            }
            if x + 1 < width {
                least = least.min(found[at + 1] + ASIDE);
            }
            if y + 1 < height {
                least = least.min(found[at + width] + ASIDE);
                if x + 1 < width {
                    least = least.min(found[at + width + 1] + ASLANT);
                }
                if x > 0 {
                    least = least.min(found[at + width - 1] + ASLANT);
                }
            }
            found[at] = least;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::ZOOMS;

    const CLASSES: usize = kompas_field::PlantClass::ALL.len();

    /// Scores of a picture whose pixels are plant where `plant` says so.
    fn scores(width: usize, height: usize, plant: impl Fn(usize, usize) -> bool) -> Vec<f32> {
        let mut scores = vec![0.0; CLASSES * width * height];
        for at in 0..width * height {
            let class = if plant(at % width, at / width) { 1 + at % 4 } else { 0 };
            scores[class * width * height + at] = 3.0;
        }
        scores
    }

    #[test]
    fn strips_are_as_wide_as_they_are_and_a_picture_twice_as_large_is_looked_at_half_as_large() {
        for wide in [10, 20, 60, 100, 160] {
            let strip = |x: usize, _| x % (3 * wide) >= wide && x % (3 * wide) < 2 * wide;
            let is_plant: Vec<bool> = (0..960 * 720).map(|at| strip(at % 960, at / 960)).collect();
            let found = leaf_width(&is_plant, 960, 720).unwrap();
            assert!((found / wide as f32 - 1.0).abs() < 0.06, "{wide}: {found}");
            // 160 px cannot become 25: the shorter side stays 256 px, and twice that would be 114 px.
            let (smaller, finest) = match wide {
                10 | 20 => (1.0, 2.0),
                60 | 100 => ((25.0 / wide as f64).max(256.0 / 720.0), 2.0),
                _ => (256.0 / 720.0, 1.0),
            };
            let wanted: Vec<f64> =
                ZOOMS.iter().filter(|zoom| **zoom <= finest).map(|zoom| zoom * smaller).collect();
            let found = zooms(&scores(960, 720, strip), 960, 720, ZOOMS);
            assert_eq!(found.len(), wanted.len(), "{wide}: {found:?}");
            assert!(found.iter().zip(&wanted).all(|(a, b)| (a / b - 1.0).abs() < 0.06), "{wide}: {found:?}");
        }
    }

    #[test]
    fn widths_are_those_at_working_size() {
        // 40 px wide in a first look at half the size: 80 px.
        let strip = |x: usize, _: usize| x % 120 >= 40 && x % 120 < 80;
        let found = zooms(&scores(720, 600, strip), 720, 600, &[0.5, 1.0]);
        assert!((found[1] / (25.0 / 80.0) - 1.0).abs() < 0.06, "{found:?}");
        assert!((found[0] * 2.0 - found[1]).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_first_look_is_kept_where_it_stays_and_taken_again_where_not() {
        let mut seen = Vec::new();
        let mut look = |zoom: f64| {
            seen.push(zoom);
            Ok::<f64, ()>(zoom)
        };
        assert_eq!(looks(&[1.0, 2.0], &mut look, |_, zooms| zooms.to_vec()), Ok(vec![1.0, 2.0]));
        assert_eq!(looks(&[1.0, 2.0], &mut look, |_, _| vec![0.5, 1.0]), Ok(vec![0.5, 1.0]));
        assert_eq!(looks(&[], &mut look, |_, zooms| zooms.to_vec()), Ok(vec![]));
        assert_eq!(seen, [1.0, 2.0, 1.0, 0.5, 1.0]);
        assert_eq!(looks(&[1.0], |_| Err::<f64, &str>("no"), |_, zooms| zooms.to_vec()), Err("no"));
    }

    #[test]
    fn where_nothing_can_be_told_a_picture_stays_as_it_is() {
        // All soil and all plant.
        assert_eq!(zooms(&scores(512, 400, |_, _| false), 512, 400, ZOOMS), ZOOMS);
        assert_eq!(zooms(&scores(512, 400, |_, _| true), 512, 400, ZOOMS), ZOOMS);
        // A drone tile that is small already, most of it leaves.
        assert_eq!(zooms(&scores(256, 256, |x, _| x > 9), 256, 256, ZOOMS), ZOOMS);
    }

    #[test]
    fn many_specks_do_not_hide_a_large_plant() {
        let plant = |x: usize, y: usize| {
            (x / 24 + y / 24).is_multiple_of(5) && x % 24 < 3 && y % 24 < 3
                || x.abs_diff(500).pow(2) + y.abs_diff(350).pow(2) < 120 * 120
        };
        assert!(zooms(&scores(1024, 768, plant), 1024, 768, ZOOMS)[0] < 0.5);
    }

    #[test]
    fn an_empty_picture_is_no_fault() {
        assert_eq!(zooms(&[], 0, 0, ZOOMS), ZOOMS);
    }
}
