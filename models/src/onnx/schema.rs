//! The part of the public ONNX schema (`onnx.proto3`) that the writer needs; tags and types as there.

#![expect(unreachable_pub, reason = "one file of plain records; only its parent sees it")]

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct Model {
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    #[prost(string, tag = "2")]
    pub producer_name: String,
    #[prost(string, tag = "3")]
    pub producer_version: String,
    #[prost(string, tag = "6")]
    pub doc_string: String,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
    #[prost(message, repeated, tag = "14")]
    pub metadata_props: Vec<Property>,
}

#[derive(Clone, PartialEq, Message)]
pub struct OperatorSet {
    #[prost(string, tag = "1")]
    pub domain: String,
    #[prost(int64, tag = "2")]
    pub version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Property {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorData>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub s: Option<Vec<u8>>,
    #[prost(int64, repeated, tag = "8")]
    pub ints: Vec<i64>,
    /// INT = 2, STRING = 3, INTS = 7.
    #[prost(int32, tag = "20")]
    pub kind: i32,
}

impl Attribute {
    pub fn int(name: &str, value: i64) -> Self {
        Self { name: name.into(), i: Some(value), kind: 2, ..Self::default() }
    }

    pub fn text(name: &str, value: &str) -> Self {
        Self { name: name.into(), s: Some(value.into()), kind: 3, ..Self::default() }
    }

    pub fn ints(name: &str, values: &[i64]) -> Self {
        Self { name: name.into(), ints: values.to_vec(), kind: 7, ..Self::default() }
    }
}

#[derive(Clone, PartialEq, Message)]
pub struct TensorData {
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    /// FLOAT = 1, UINT8 = 2, INT8 = 3, INT32 = 6.
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    #[prost(string, tag = "8")]
    pub name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
}

/// How the schema calls 32-bit floats.
const FLOAT: i32 = 1;

impl TensorData {
    /// Its values, where it holds as many 32-bit floats as its dimensions say.
    pub fn to_floats(&self) -> Option<Vec<f32>> {
        let (bytes, rest) = self.raw_data.as_chunks();
        let count = |count: usize, &dim: &i64| count.checked_mul(usize::try_from(dim).ok()?);
        let whole = rest.is_empty() && self.dims.iter().try_fold(1, count) == Some(bytes.len());
        (whole && self.data_type == FLOAT)
            .then(|| bytes.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }

    pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> Self {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dims: dims.to_vec(), data_type: FLOAT, name: name.into(), raw_data }
    }

    pub fn unsigned_bytes(name: &str, dims: &[i64], values: &[u8]) -> Self {
        Self { dims: dims.to_vec(), data_type: 2, name: name.into(), raw_data: values.to_vec() }
    }

    pub fn signed_bytes(name: &str, dims: &[i64], values: &[i8]) -> Self {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dims: dims.to_vec(), data_type: 3, name: name.into(), raw_data }
    }

    pub fn integers(name: &str, dims: &[i64], values: &[i32]) -> Self {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dims: dims.to_vec(), data_type: 6, name: name.into(), raw_data }
    }
}

#[derive(Clone, PartialEq, Message)]
pub struct ValueInfo {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub kind: Option<TypeInfo>,
}

impl ValueInfo {
    /// A float tensor; a dimension given as text is free.
    pub fn floats(name: &str, dims: &[Result<i64, &str>]) -> Self {
        let dims = dims.iter().map(|dim| match *dim {
            Ok(length) => Dimension { dim_value: Some(length), dim_param: None },
            Err(free) => Dimension { dim_value: None, dim_param: Some(free.into()) },
        });
        let shape = Some(Shape { dim: dims.collect() });
        let tensor = Some(TensorInfo { elem_type: 1, shape });
        Self { name: name.into(), kind: Some(TypeInfo { tensor_type: tensor }) }
    }
}

#[derive(Clone, PartialEq, Message)]
pub struct TypeInfo {
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TensorInfo {
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    #[prost(int64, optional, tag = "1")]
    pub dim_value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub dim_param: Option<String>,
}
