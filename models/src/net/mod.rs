//! The network: an EfficientNet-Lite0 encoder and a light decoder, defined once in [`segment`].
//!
//! [`segment`] speaks to the [`Layers`] trait only. `TorchLayers` computes, the ONNX writer emits nodes:
//! the two cannot drift apart.

mod condition;
mod input;
mod mix;
mod params;
mod torch;

pub use condition::condition;
pub use input::rgb_tensor;
pub use mix::MixedStyles;
pub use params::{ParamError, Params};
pub use torch::TorchLayers;

/// What follows a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// `min(max(x, 0), 6)`: quantises well.
    Relu6,
}

/// A convolution with bias and "same" padding in TensorFlow's sense (the odd pixel goes right and below).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Channels in.
    pub inputs: i64,
    /// Channels out.
    pub outputs: i64,
    /// Side of the kernel; odd.
    pub kernel: i64,
    /// 1 or 2.
    pub stride: i64,
    /// 1, or `inputs` for a depthwise convolution.
    pub groups: i64,
    /// What follows.
    pub then: Activation,
}

impl Conv {
    const fn full(inputs: i64, outputs: i64, kernel: i64, stride: i64, then: Activation) -> Self {
        Self { inputs, outputs, kernel, stride, groups: 1, then }
    }

    const fn depthwise(channels: i64, kernel: i64, stride: i64) -> Self {
        Self {
            inputs: channels,
            outputs: channels,
            kernel,
            stride,
            groups: channels,
            then: Activation::Relu6,
        }
    }

    /// Padding before (left, above) and after (right, below) an axis whose length the stride divides.
    pub const fn padding(&self) -> (i64, i64) {
        let total = self.kernel - self.stride;
        (total / 2, total - total / 2)
    }
}

/// The layer kinds the network is made of.
pub trait Layers {
    /// A tensor (or the name of one).
    type Value;
    /// Why a layer could not be made.
    type Error;

    /// Brings RGB in 0..=1 to the encoder's zero mean and unit variance.
    /// # Errors
    /// As the implementation says.
    fn standardise(&mut self, rgb: &Self::Value) -> Result<Self::Value, Self::Error>;
    /// The convolution called `name`.
    /// # Errors
    /// As the implementation says.
    fn conv(&mut self, name: &str, x: &Self::Value, conv: Conv) -> Result<Self::Value, Self::Error>;
    /// `a + b`, same shape.
    /// # Errors
    /// As the implementation says.
    fn add(&mut self, name: &str, a: &Self::Value, b: &Self::Value) -> Result<Self::Value, Self::Error>;
    /// Twice the height and width, nearest neighbour.
    /// # Errors
    /// As the implementation says.
    fn double(&mut self, name: &str, x: &Self::Value) -> Result<Self::Value, Self::Error>;
    /// Twice the height and width, bilinear with half-pixel centres.
    /// # Errors
    /// As the implementation says.
    fn double_smooth(&mut self, name: &str, x: &Self::Value) -> Result<Self::Value, Self::Error>;
}

/// Pixel classes of the output: soil, weed, sugar beet, potato, other crop.
pub const CLASSES: i64 = 5;
/// Height and width of an input are multiples of this.
pub const STRIDE: u32 = 32;
/// `ImageNet` mean of RGB in 0..=1, which the encoder was trained with.
pub const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// `ImageNet` standard deviation of RGB in 0..=1.
pub const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// One row per stage of EfficientNet-Lite0: blocks, kernel, stride of the first, expansion, channels out.
const STAGES: [(usize, i64, i64, i64, i64); 7] = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
];
/// Stages whose output the decoder reads (strides 2, 4, 8, 16 and 32), and their channels.
const TAPS: [(usize, i64); 5] = [(0, 16), (1, 24), (2, 40), (4, 112), (6, 320)];
/// Decoder channels at strides 2, 4, 8, 16 and 32.
const WIDTHS: [i64; 5] = [24, 32, 48, 64, 96];

/// Features at strides 2, 4, 8, 16 and 32.
/// # Errors
/// As `layers` says.
pub fn encode<L: Layers>(layers: &mut L, x: &L::Value) -> Result<[L::Value; 5], L::Error> {
    let mut current = layers.conv("encoder.stem", x, Conv::full(3, 32, 3, 2, Activation::Relu6))?;
    let (mut channels, mut index, mut taps) = (32, 0, Vec::with_capacity(5));
    for (stage, &(blocks, kernel, first_stride, expansion, outputs)) in STAGES.iter().enumerate() {
        for block in 0..blocks {
            let name = format!("encoder.block{index}");
            let stride = if block == 0 { first_stride } else { 1 };
            let inner = channels * expansion;
            let expanded = match expansion {
                1 => None,
                _ => Some(layers.conv(
                    &format!("{name}.expand"),
                    &current,
                    Conv::full(channels, inner, 1, 1, Activation::Relu6),
                )?),
            };
            let wide = layers.conv(
                &format!("{name}.depthwise"),
                expanded.as_ref().unwrap_or(&current),
                Conv::depthwise(inner, kernel, stride),
            )?;
            let narrow = layers.conv(
                &format!("{name}.project"),
                &wide,
                Conv::full(inner, outputs, 1, 1, Activation::Linear),
            )?;
            let next = if block == 0 { narrow } else { layers.add(&name, &narrow, &current)? };
            let before = std::mem::replace(&mut current, next);
            if block == 0 && stage > 0 && TAPS[taps.len()].0 == stage - 1 {
                taps.push(before);
            }
            channels = outputs;
            index += 1;
        }
    }
    taps.push(current);
    match <[L::Value; 5]>::try_from(taps) {
        Ok(taps) => Ok(taps),
        Err(taps) => unreachable!("the stage table has five taps, {} were taken", taps.len()),
    }
}

/// Class scores (logits), as large as the input, which is RGB in 0..=1 with sides divisible by [`STRIDE`].
/// # Errors
/// As `layers` says.
pub fn segment<L: Layers>(layers: &mut L, rgb: &L::Value) -> Result<L::Value, L::Error> {
    let x = layers.standardise(rgb)?;
    let taps = encode(layers, &x)?;
    let deepest = Conv::full(TAPS[4].1, WIDTHS[4], 1, 1, Activation::Relu6);
    let context = layers.conv("decoder.context", &taps[4], deepest)?;
    let mut current =
        layers.conv("decoder.mix4", &context, Conv::full(WIDTHS[4], WIDTHS[4], 3, 1, Activation::Relu6))?;
    for level in (0..4).rev() {
        let width = WIDTHS[level];
        let narrowed = layers.conv(
            &format!("decoder.narrow{level}"),
            &current,
            Conv::full(WIDTHS[level + 1], width, 1, 1, Activation::Linear),
        )?;
        let up = layers.double(&format!("decoder.up{level}"), &narrowed)?;
        let skip = layers.conv(
            &format!("decoder.skip{level}"),
            &taps[level],
            Conv::full(TAPS[level].1, width, 1, 1, Activation::Linear),
        )?;
        let sum = layers.add(&format!("decoder.sum{level}"), &up, &skip)?;
        current = layers.conv(
            &format!("decoder.mix{level}"),
            &sum,
            Conv::full(width, width, 3, 1, Activation::Relu6),
        )?;
    }
    let scores =
        layers.conv("decoder.head", &current, Conv::full(WIDTHS[0], CLASSES, 1, 1, Activation::Linear))?;
    layers.double_smooth("decoder.scores", &scores)
}

/// Every convolution of the network, in order, with its name.
pub fn convolutions() -> Vec<(String, Conv)> {
    let mut list = ConvList(Vec::new());
    let Ok(()) = segment(&mut list, &());
    list.0
}

struct ConvList(Vec<(String, Conv)>);

impl Layers for ConvList {
    type Value = ();
    type Error = std::convert::Infallible;

    fn standardise(&mut self, (): &()) -> Result<(), Self::Error> {
        Ok(())
    }
    fn conv(&mut self, name: &str, (): &(), conv: Conv) -> Result<(), Self::Error> {
        self.0.push((name.to_owned(), conv));
        Ok(())
    }
    fn add(&mut self, _: &str, (): &(), (): &()) -> Result<(), Self::Error> {
        Ok(())
    }
    fn double(&mut self, _: &str, (): &()) -> Result<(), Self::Error> {
        Ok(())
    }
    fn double_smooth(&mut self, _: &str, (): &()) -> Result<(), Self::Error> {
        Ok(())
    }
}
