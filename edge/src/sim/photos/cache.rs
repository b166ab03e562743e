//! Decoded photographs, as many as memory allows.

use super::PhotoGround;
use super::library::decode;
use std::sync::Arc;

/// A photograph at about the camera's resolution.
#[derive(Debug)]
pub(super) struct Shrunk {
    /// Pixels of the file per pixel here and axis.
    pub(super) factor: u32,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) rgb: Vec<u8>,
}

/// Least recently used goes first. What one picture needs stays until it is done, even beyond the limit.
#[derive(Debug)]
pub(in super::super) struct PhotoCache {
    limit_bytes: usize,
    used_bytes: usize,
    factor: u32,
    /// By photo: the picture of its last use, and the photograph while it is kept. A photograph that no longer
    /// decodes is kept as empty and shows bare ground.
    kept: Vec<(u64, Option<Arc<Shrunk>>)>,
    picture: u64,
}

impl PhotoCache {
    /// For a camera with this ground sampling distance: photographs are shrunk by whole powers of two, so
    /// that none of their pixels is skipped and the camera's are not coarser than its own.
    pub(in super::super) fn new(ground: &PhotoGround, limit_mb: u32, camera_gsd_m: f64) -> Self {
        let mut factor = 1;
        while ground.gsd_m * f64::from(factor) * 2.0 <= camera_gsd_m && factor < 64 {
            factor *= 2;
        }
        Self {
            limit_bytes: limit_mb as usize * 1_000_000,
            used_bytes: 0,
            factor,
            kept: vec![(0, None); ground.photos.len()],
            picture: 0,
        }
    }

    /// A new picture begins.
    pub(super) fn begin(&mut self) {
        self.picture += 1;
    }

    pub(super) fn get(&mut self, ground: &PhotoGround, photo: usize) -> Arc<Shrunk> {
        self.kept[photo].0 = self.picture;
        if let Some(shrunk) = &self.kept[photo].1 {
            return Arc::clone(shrunk);
        }
        let shrunk = Arc::new(Shrunk::read(ground, photo, self.factor));
        self.used_bytes += shrunk.rgb.len();
        self.kept[photo].1 = Some(Arc::clone(&shrunk));
        self.evict();
        shrunk
    }

    fn evict(&mut self) {
        while self.used_bytes > self.limit_bytes {
            let picture = self.picture;
            let oldest = self
                .kept
                .iter_mut()
                .filter(|(used, shrunk)| *used < picture && shrunk.is_some())
                .min_by_key(|(used, _)| *used);
            let Some((_, slot)) = oldest else { return };
            self.used_bytes -= slot.take().map_or(0, |shrunk| shrunk.rgb.len());
        }
    }

    #[cfg(test)]
    pub(super) const fn used_bytes(&self) -> usize {
        self.used_bytes
    }
}

impl Shrunk {
    /// Box average over `factor` × `factor` pixels; a rest at the right and lower edge is left out.
    fn read(ground: &PhotoGround, photo: usize, factor: u32) -> Self {
        let photo = &ground.photos[photo];
        let Ok(image) = decode(&photo.path) else {
            return Self { factor, width: 0, height: 0, rgb: Vec::new() };
        };
        let (width, height) = ((image.width() / factor) as usize, (image.height() / factor) as usize);
        if factor == 1 {
            return Self { factor, width, height, rgb: image.into_raw() };
        }
        let (side, step) = (factor as usize, image.width() as usize * 3);
        let raw = image.as_raw();
        let mut rgb = Vec::with_capacity(width * height * 3);
        for row in 0..height {
            for col in 0..width {
                for channel in 0..3 {
                    let sum: usize = (0..side)
                        .flat_map(|dy| (0..side).map(move |dx| (dy, dx)))
                        .map(|(dy, dx)| {
                            usize::from(raw[(row * side + dy) * step + (col * side + dx) * 3 + channel])
                        })
                        .sum();
                    #[expect(clippy::cast_possible_truncation, reason = "a mean of bytes")]
                    rgb.push((sum / (side * side)) as u8);
                }
            }
        }
        Self { factor, width, height, rgb }
    }
}
