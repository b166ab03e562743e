//! Connected components of a class map.

use image::GrayImage;

/// Pixels of one class that touch, also over corners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Their class id.
    pub class: u8,
    /// Their places `(x, y)`, in no particular order.
    pub pixels: Vec<(u32, u32)>,
    /// Smallest and largest x and y: left, top, right, bottom, all inside.
    pub bounds: (u32, u32, u32, u32),
}

impl Component {
    /// Whether it reaches the border of a map of this size: then part of the plant is out of sight.
    pub fn touches_border(&self, width: u32, height: u32) -> bool {
        let (left, top, right, bottom) = self.bounds;
        left == 0 || top == 0 || right + 1 == width || bottom + 1 == height
    }
}

/// The components of every class `wanted` accepts, in reading order of their first pixel.
pub fn components(map: &GrayImage, wanted: impl Fn(u8) -> bool) -> Vec<Component> {
    let (width, height) = map.dimensions();
    let place = |x: u32, y: u32| y as usize * width as usize + x as usize;
    let mut seen = vec![false; width as usize * height as usize];
    let mut found = Vec::new();
    for (x, y, pixel) in map.enumerate_pixels() {
        let class = pixel.0[0];
        if seen[place(x, y)] || !wanted(class) {
            continue;
        }
        seen[place(x, y)] = true;
        let (mut pixels, mut next) = (vec![(x, y)], 0);
        let mut bounds = (x, y, x, y);
        while next < pixels.len() {
            let (x, y) = pixels[next];
            next += 1;
            bounds = (bounds.0.min(x), bounds.1.min(y), bounds.2.max(x), bounds.3.max(y));
            for near_y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for near_x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let seen = &mut seen[place(near_x, near_y)];
                    if !*seen && map.get_pixel(near_x, near_y).0[0] == class {
                        *seen = true;
                        pixels.push((near_x, near_y));
                    }
                }
            }
        }
        found.push(Component { class, pixels, bounds });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_connect_and_classes_do_not() {
        let map = GrayImage::from_raw(4, 3, vec![1, 0, 0, 2, 0, 1, 2, 0, 0, 0, 0, 1]).unwrap();
        let found = components(&map, |class| class > 0);
        let summary: Vec<_> = found.iter().map(|c| (c.class, c.pixels.len(), c.bounds)).collect();
        assert_eq!(summary, [(1, 2, (0, 0, 1, 1)), (2, 2, (2, 0, 3, 1)), (1, 1, (3, 2, 3, 2))]);
        assert!(found[0].touches_border(4, 3));
    }
}
