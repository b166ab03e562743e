//! Plants from a mask: connected patches of one class.

use super::super::sprites::even_points;
use image::GrayImage;
use kompas_field::PlantClass;

/// A connected patch of one class in a mask (8 neighbours). Pixel coordinates: the middle of the first pixel
/// is 0.5.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Patch {
    pub(super) class: PlantClass,
    /// The patch's pixel nearest its centre of gravity.
    pub(super) stem_px: [f32; 2],
    pub(super) area_px: u32,
    /// Not cut by the edge of the photograph.
    pub(super) whole: bool,
    /// Pixels spread evenly over it.
    pub(super) samples_px: Vec<[f32; 2]>,
}

/// Patches of at least `min_px` pixels, from the top down. Class 0, 255 and ids not given out are no plants.
pub(super) fn patches(mask: &GrayImage, min_px: f64) -> Vec<Patch> {
    let (width, height) = (mask.width() as usize, mask.height() as usize);
    let ids = mask.as_raw();
    let mut visited = vec![false; ids.len()];
    let mut found = Vec::new();
    let mut pixels: Vec<usize> = Vec::new();
    for start in 0..ids.len() {
        let plant = PlantClass::from_id(ids[start]).filter(|&class| class != PlantClass::Soil);
        let Some(class) = plant.filter(|_| !visited[start]) else { continue };
        pixels.clear();
        pixels.push(start);
        visited[start] = true;
        let mut next = 0;
        while next < pixels.len() {
            let (col, row) = (pixels[next] % width, pixels[next] / width);
            next += 1;
            for r in row.saturating_sub(1)..=(row + 1).min(height - 1) {
                for c in col.saturating_sub(1)..=(col + 1).min(width - 1) {
                    let at = r * width + c;
                    if !visited[at] && ids[at] == class.id() {
                        visited[at] = true;
                        pixels.push(at);
                    }
                }
            }
        }
        if pixels.len() as f64 >= min_px {
            pixels.sort_unstable();
            found.push(Patch::of(class, &pixels, width, height));
        }
    }
    found
}

impl Patch {
    fn of(class: PlantClass, pixels: &[usize], width: usize, height: usize) -> Self {
        let place = |&at: &usize| [at % width, at / width].map(|c| c as f32 + 0.5);
        let n = pixels.len() as f64;
        let mean = |axis: usize| pixels.iter().map(|at| f64::from(place(at)[axis])).sum::<f64>() / n;
        let centre = [mean(0), mean(1)];
        let off = |at: &usize| {
            let [x, y] = place(at).map(f64::from);
            (x - centre[0]).powi(2) + (y - centre[1]).powi(2)
        };
        let nearest = pixels.iter().min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(&pixels[0]);
        let at_edge = |at: &usize| {
            [0, width - 1].contains(&(at % width)) || at / width == 0 || at / width == height - 1
        };
        let (mut low, mut high) = ([usize::MAX; 2], [0; 2]);
        for at in pixels {
            for (axis, c) in [at % width, at / width].into_iter().enumerate() {
                (low[axis], high[axis]) = (low[axis].min(c), high[axis].max(c));
            }
        }
        let size = [0, 1].map(|axis| high[axis] - low[axis] + 1);
        let mut covered = vec![false; size[0] * size[1]];
        for at in pixels {
            covered[(at / width - low[1]) * size[0] + at % width - low[0]] = true;
        }
        let points = even_points(size, |col, row| covered[row * size[0] + col]);
        Self {
            class,
            stem_px: place(nearest),
            area_px: u32::try_from(pixels.len()).unwrap_or(u32::MAX),
            whole: !pixels.iter().any(at_edge),
            samples_px: points
                .into_iter()
                .map(|[col, row]| [col + low[0], row + low[1]].map(|c| c as f32 + 0.5))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_connected_pixels_of_one_class() {
        let rows = ["1........", ".1..22...", "....2..33", "..i.....3", "..i.777.."];
        let id = |c: char| match c {
            '.' => 0,
            'i' => 255,
            digit => digit as u8 - b'0',
        };
        let pixels: Vec<u8> = rows.iter().flat_map(|row| row.chars().map(id)).collect();
        let found = patches(&GrayImage::from_raw(9, 5, pixels).unwrap(), 2.0);
        let short: Vec<(PlantClass, u32, bool)> =
            found.iter().map(|p| (p.class, p.area_px, p.whole)).collect();
        assert_eq!(
            short,
            [(PlantClass::Weed, 2, false), (PlantClass::SugarBeet, 3, true), (PlantClass::Potato, 3, false)]
        );
        assert!(found[1].stem_px.iter().zip([4.5, 1.5]).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
