//! Emits the network's layers as ONNX nodes: one function per layer kind.

use super::calibration::{Calibration, Range};
use super::schema::{Attribute, Node, TensorData};
use crate::net::{Activation, Conv, DEVIATION, Layers, MEAN, Params};
use std::collections::BTreeMap;
use tch::{Kind, TchError, Tensor};

/// No bias of a rounded layer is a larger number of its steps: they are 32-bit sums, to which products are added.
const MOST_SUM: f32 = 1_073_741_824.;

/// Collects nodes and constants. With a calibration every value is rounded to 8 bits after it is made.
pub struct OnnxLayers<'a> {
    params: &'a Params,
    calibration: Option<&'a Calibration>,
    nodes: Vec<Node>,
    constants: Vec<TensorData>,
    /// The 8-bit scale of each rounded value.
    scales: BTreeMap<String, f32>,
}

impl<'a> OnnxLayers<'a> {
    /// An empty graph.
    pub fn new(params: &'a Params, calibration: Option<&'a Calibration>) -> Self {
        Self { params, calibration, nodes: Vec::new(), constants: Vec::new(), scales: BTreeMap::new() }
    }

    /// Nodes and constants, with the value `result` called `name`.
    pub(super) fn finish(mut self, result: &str, name: &str) -> (Vec<Node>, Vec<TensorData>) {
        for value in self.nodes.iter_mut().flat_map(|node| node.output.iter_mut().chain(&mut node.input)) {
            if value == result {
                name.clone_into(value);
            }
        }
        (self.nodes, self.constants)
    }

    /// A node with one output, which is its name too.
    fn node(&mut self, name: &str, op: &str, input: &[&str], attribute: Vec<Attribute>) -> String {
        self.nodes.push(Node {
            input: input.iter().map(|&value| value.to_owned()).collect(),
            output: vec![name.to_owned()],
            name: name.to_owned(),
            op_type: op.to_owned(),
            attribute,
        });
        name.to_owned()
    }

    fn floats(&mut self, name: String, dims: &[i64], values: &[f32]) -> String {
        if !self.constants.iter().any(|constant| constant.name == name) {
            self.constants.push(TensorData::floats(&name, dims, values));
        }
        name
    }

    /// Rounds `value` to 8 bits where calibrated: `QuantizeLinear` and back.
    fn rounded(&mut self, name: &str, value: String) -> Result<String, TchError> {
        self.rounded_within(name, value, f64::INFINITY)
    }

    /// The same for a value that never exceeds `limit`. A range beyond a `Clip`'s would keep the runtime from
    /// merging convolution, `Clip` and rounding into one integer kernel.
    fn rounded_within(&mut self, name: &str, value: String, limit: f64) -> Result<String, TchError> {
        let Some(calibration) = self.calibration else { return Ok(value) };
        let Range { scale, zero } = calibration.range(name, limit)?;
        let scale_name = self.floats(format!("{name}.scale"), &[], &[scale]);
        let zero_name = format!("{name}.zero");
        self.constants.push(TensorData::unsigned_bytes(&zero_name, &[], &[zero]));
        let byte =
            self.node(&format!("{name}.u8"), "QuantizeLinear", &[&value, &scale_name, &zero_name], vec![]);
        let back =
            self.node(&format!("{name}.back"), "DequantizeLinear", &[&byte, &scale_name, &zero_name], vec![]);
        self.scales.insert(back.clone(), scale);
        Ok(back)
    }

    /// Weight and bias as constants; 8-bit per output channel where calibrated.
    fn weights(&mut self, name: &str, input: &str) -> Result<(String, String), TchError> {
        let (weight, bias) = self.params.conv(name)?;
        let (dims, weight, bias) = (weight.size(), values(weight)?, values(bias)?);
        let (weight_name, bias_name) = (format!("{name}.weight"), format!("{name}.bias"));
        let Some(&input_scale) = self.scales.get(input) else {
            let weight = self.floats(weight_name, &dims, &weight);
            return Ok((weight, self.floats(bias_name, &dims[..1], &bias)));
        };
        let (mut bytes, mut steps, mut sums, mut sum_steps) = (vec![], vec![], vec![], vec![]);
        for (row, bias) in weight.chunks_exact(weight.len() / bias.len()).zip(&bias) {
            let largest = row.iter().fold(0_f32, |largest, value| largest.max(value.abs()));
            let step = step_of(largest, *bias, input_scale);
            #[expect(clippy::cast_possible_truncation, reason = "within -127..=127")]
            bytes.extend(row.iter().map(|value| (value / step).round() as i8));
            #[expect(clippy::cast_possible_truncation, reason = "half of what fits, as MOST_SUM says")]
            sums.push((bias / (step * input_scale)).round() as i32);
            steps.push(step);
            sum_steps.push(step * input_scale);
        }
        let channels = dims[..1].to_vec();
        self.constants.push(TensorData::signed_bytes(&format!("{weight_name}.s8"), &dims, &bytes));
        self.constants.push(TensorData::integers(&format!("{bias_name}.s32"), &channels, &sums));
        for (name, steps, bytes) in [
            (&weight_name, steps, format!("{weight_name}.s8")),
            (&bias_name, sum_steps, format!("{bias_name}.s32")),
        ] {
            let scale = self.floats(format!("{name}.scale"), &channels, &steps);
            self.node(name, "DequantizeLinear", &[&bytes, &scale], vec![Attribute::int("axis", 0)]);
        }
        Ok((weight_name, bias_name))
    }

    fn resize(&mut self, name: &str, x: &str, mode: &[(&str, &str)]) -> String {
        let scales = self.floats("double.scales".into(), &[4], &[1., 1., 2., 2.]);
        let attributes = mode.iter().map(|(key, value)| Attribute::text(key, value)).collect();
        self.node(name, "Resize", &[x, "", &scales], attributes)
    }
}

impl Layers for OnnxLayers<'_> {
    type Value = String;
    type Error = TchError;

    fn standardise(&mut self, rgb: &String) -> Result<String, TchError> {
        let mean = self.floats("mean".into(), &[1, 3, 1, 1], &MEAN);
        let inverse = self.floats("inverse_deviation".into(), &[1, 3, 1, 1], &DEVIATION.map(f32::recip));
        let centred = self.node("centred", "Sub", &[rgb, &mean], vec![]);
        let standardised = self.node("standardised", "Mul", &[&centred, &inverse], vec![]);
        self.rounded("standardised", standardised)
    }

    fn conv(&mut self, name: &str, x: &String, conv: Conv) -> Result<String, TchError> {
        let (weight, bias) = self.weights(name, x)?;
        let (before, after) = conv.padding();
        let attributes = vec![
            Attribute::ints("kernel_shape", &[conv.kernel; 2]),
            Attribute::ints("strides", &[conv.stride; 2]),
            Attribute::ints("pads", &[before, before, after, after]),
            Attribute::int("group", conv.groups),
        ];
        let sum = self.node(&format!("{name}.conv"), "Conv", &[x, &weight, &bias], attributes);
        let value = match conv.then {
            Activation::Linear => sum,
            Activation::Relu6 => {
                let (low, high) =
                    (self.floats("zero".into(), &[], &[0.]), self.floats("six".into(), &[], &[6.]));
                self.node(&format!("{name}.relu6"), "Clip", &[&sum, &low, &high], vec![])
            }
        };
        // Scores are what classes are told apart by: they keep their fractions.
        let limit = if conv.then == Activation::Relu6 { 6. } else { f64::INFINITY };
        if name == "decoder.head" { Ok(value) } else { self.rounded_within(name, value, limit) }
    }

    fn add(&mut self, name: &str, a: &String, b: &String) -> Result<String, TchError> {
        let sum = self.node(&format!("{name}.add"), "Add", &[a, b], vec![]);
        self.rounded(name, sum)
    }

    fn double(&mut self, name: &str, x: &String) -> Result<String, TchError> {
        let nearest = [
            ("mode", "nearest"),
            ("coordinate_transformation_mode", "asymmetric"),
            ("nearest_mode", "floor"),
        ];
        let large = self.resize(&format!("{name}.resize"), x, &nearest);
        self.rounded(name, large)
    }

    fn double_smooth(&mut self, name: &str, x: &String) -> Result<String, TchError> {
        let linear = [("mode", "linear"), ("coordinate_transformation_mode", "half_pixel")];
        Ok(self.resize(name, x, &linear))
    }
}

/// All values in row-major order.
fn values(tensor: &Tensor) -> Result<Vec<f32>, TchError> {
    let flat = tensor.f_detach()?.f_to_kind(Kind::Float)?.f_contiguous()?.f_view([-1])?;
    let mut values = vec![0.; flat.numel()];
    let count = values.len();
    flat.f_copy_data(&mut values, count)?;
    Ok(values)
}

/// The finest step of an output channel's 8-bit weights of which the sums, of products with bytes of `input_scale`, hold the
/// bias, too: some channels have next to no weights.
fn step_of(largest: f32, bias: f32, input_scale: f32) -> f32 {
    (largest / 127.).max(bias.abs() / (MOST_SUM * input_scale)).max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_hold_the_bias_of_a_channel_without_weights() {
        for (largest, bias, input_scale) in [(0., 0.6, 0.02), (1e-7, -7., 0.004), (0.5, 0.3, 0.02)] {
            let step = step_of(largest, bias, input_scale);
            let sum = f64::from(bias) / f64::from(step * input_scale);
            assert!(sum.abs() <= f64::from(i32::MAX) && largest / step <= 127.1, "{sum}");
        }
        assert!((step_of(0.5, 0.3, 0.02) - 0.5 / 127.).abs() < 1e-9, "weights are as fine as they can be");
    }
}
