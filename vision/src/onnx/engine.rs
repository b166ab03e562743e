//! The one file that talks to ONNX Runtime.
//!
//! The library is loaded at run time from a given path (`vision/setup-onnxruntime.sh` puts it into
//! `vendor/onnxruntime`), once per process. Everything behind it is numbers in, numbers out.

use ort::ep::{CUDA, ExecutionProviderDispatch, OpenVINO, TensorRT};
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::{TensorElementType, TensorRef, ValueType};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What computes the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The processor, with ONNX Runtime's own kernels. Always there.
    Cpu,
    /// Intel's engine: the library must come from the `onnxruntime-openvino` wheel.
    OpenVino,
    /// NVIDIA: the library must come from the `onnxruntime-gpu` wheel.
    Cuda,
    /// NVIDIA, compiled for the card: as [`Provider::Cuda`], with `TensorRT` installed.
    TensorRt,
}

/// Why there is no engine, or why it stopped.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No such library, or not one of ONNX Runtime 1.24 or later.
    #[error("cannot load ONNX Runtime from {}: run vision/setup-onnxruntime.sh, or give the path of libonnxruntime.so", path.display())]
    Library {
        /// Where it was looked for.
        path: PathBuf,
        /// What the loader says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Two libraries in one process.
    #[error("ONNX Runtime is loaded from {} already; {} cannot be loaded beside it", loaded.display(), wanted.display())]
    SecondLibrary {
        /// The one in use.
        loaded: PathBuf,
        /// The one asked for.
        wanted: PathBuf,
    },
    /// The library was built without it, its driver is missing, or it cannot run a model that the processor can.
    #[error("the execution provider {provider:?} does not work with {}: choose cpu, or install the ONNX Runtime build and the driver it needs", library.display())]
    Provider {
        /// The one asked for.
        provider: Provider,
        /// The library asked.
        library: PathBuf,
        /// What ONNX Runtime says.
        #[source]
        source: ort::Error,
    },
    /// The file is no ONNX model that this library can run.
    #[error("{} is not a model that ONNX Runtime can load", model.display())]
    Model {
        /// The file.
        model: PathBuf,
        /// What ONNX Runtime says.
        #[source]
        source: ort::Error,
    },
    /// Of some picture it makes no scores.
    #[error(
        "the network answers with what is no number: its file or its execution provider is at fault; choose the 32-bit file or `cpu`"
    )]
    NotANumber,
    /// The model does not take one image and give one map.
    #[error("{} has the wrong shape: {found}; wanted is one float input [n, 3, h, w] and one float output [n, 5, h, w]", model.display())]
    Shape {
        /// The file.
        model: PathBuf,
        /// What it has.
        found: String,
    },
    /// Running it failed.
    #[error("ONNX Runtime failed")]
    Run(#[from] ort::Error),
}

/// The library in use, once loaded.
static LOADED: Mutex<Option<(PathBuf, ort::environment::Environment)>> = Mutex::new(None);

fn environment(library: &Path) -> Result<ort::environment::Environment, EngineError> {
    let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((path, environment)) = loaded.as_ref() {
        if path == library {
            return Ok(environment.clone());
        }
        return Err(EngineError::SecondLibrary { loaded: path.clone(), wanted: library.to_owned() });
    }
    let missing = |source| EngineError::Library { path: library.to_owned(), source };
    let builder = ort::init_from(library).map_err(|error| missing(error.to_string().into()))?;
    let environment = builder.with_telemetry(false).build().map_err(|error| missing(Box::new(error)))?;
    *loaded = Some((library.to_owned(), environment.clone()));
    Ok(environment)
}

fn dispatch(provider: Provider) -> Option<ExecutionProviderDispatch> {
    match provider {
        Provider::Cpu => None,
        Provider::OpenVino => Some(OpenVINO::default().build().error_on_failure()),
        Provider::Cuda => Some(CUDA::default().build().error_on_failure()),
        Provider::TensorRt => Some(TensorRT::default().build().error_on_failure()),
    }
}

/// Set up as a robot wants it, with no provider but the processor.
fn on_processor(environment: &ort::environment::Environment, threads: usize) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(environment)?.with_optimization_level(GraphOptimizationLevel::All)?;
    // A busy robot needs its other core more than the last millisecond.
    Ok(builder.with_intra_threads(threads.max(1))?.with_intra_op_spinning(false)?)
}

/// What is at fault where there is no session, and what is said of it.
#[derive(Debug, PartialEq, Eq)]
enum Fault<E> {
    Model(E),
    Provider(E),
}

/// A provider without its driver registers, and fails only with the session (`why`), as a broken file does: the file is
/// at fault where the processor cannot load it, either.
fn at_fault<S, E>(provider: Provider, why: E, on_cpu: impl FnOnce() -> Result<S, E>) -> Fault<E> {
    if provider == Provider::Cpu {
        return Fault::Model(why);
    }
    on_cpu().map_or_else(Fault::Model, |_| Fault::Provider(why))
}

/// A loaded network with one image input and one score output.
pub struct Engine {
    session: Session,
    /// The class list the file itself carries, where it does.
    classes: Option<String>,
}

impl Engine {
    /// Loads `bytes`, read from the file `model`, to run on `threads` threads.
    ///
    /// # Errors
    /// [`EngineError`]: library, provider, model or shape.
    pub fn load(
        library: &Path,
        provider: Provider,
        threads: usize,
        model: &Path,
        bytes: &[u8],
    ) -> Result<Self, EngineError> {
        let environment = environment(library)?;
        let refused = |source| EngineError::Provider { provider, library: library.to_owned(), source };
        let unreadable = |source| EngineError::Model { model: model.to_owned(), source };
        let mut builder = on_processor(&environment, threads)?;
        if let Some(wanted) = dispatch(provider) {
            builder = builder.with_execution_providers([wanted]).map_err(|error| refused(error.into()))?;
        }
        let session = builder.commit_from_memory(bytes).map_err(|why| {
            let on_cpu = || on_processor(&environment, threads)?.commit_from_memory(bytes);
            match at_fault(provider, why, on_cpu) {
                Fault::Model(why) => unreadable(why),
                Fault::Provider(why) => refused(why),
            }
        })?;
        check_shape(&session).map_err(|found| EngineError::Shape { model: model.to_owned(), found })?;
        let classes = session.metadata().map_err(unreadable)?.custom("kompas.classes");
        Ok(Self { session, classes })
    }

    /// The class names the file carries, comma-separated by id.
    pub fn classes(&self) -> Option<&str> {
        self.classes.as_deref()
    }

    /// Runs on one image of `height` × `width`, three planes after another, and hands the scores (one plane
    /// per class) to `read`.
    ///
    /// # Errors
    /// [`EngineError::Run`].
    pub fn run<T>(
        &mut self,
        image: &[f32],
        [height, width]: [usize; 2],
        read: impl FnOnce(&[i64], &[f32]) -> T,
    ) -> Result<T, EngineError> {
        let input = TensorRef::from_array_view(([1, 3, height, width], image))?;
        let outputs = self.session.run(ort::inputs![input])?;
        let (shape, scores) = outputs[0].try_extract_tensor::<f32>()?;
        Ok(read(shape, scores))
    }
}

/// What is wrong with inputs and outputs, in words.
fn check_shape(session: &Session) -> Result<(), String> {
    let (inputs, outputs) = (session.inputs(), session.outputs());
    if inputs.len() != 1 || outputs.len() != 1 {
        return Err(format!("{} inputs and {} outputs", inputs.len(), outputs.len()));
    }
    for (outlet, kind, channels) in [(&inputs[0], "input", 3), (&outputs[0], "output", 5)] {
        let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else {
            return Err(format!("{kind} {} is no tensor", outlet.name()));
        };
        // −1 is a size left open.
        let fits = shape.len() == 4 && [channels, -1].contains(&shape[1]);
        if *ty != TensorElementType::Float32 || !fits {
            return Err(format!("{kind} {} is {ty} {shape}", outlet.name()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_at_fault_only_where_the_processor_cannot_load_it_either() {
        let loads = || Ok::<_, &str>(());
        let fails = || Err::<(), _>("no protobuf");
        for provider in [Provider::OpenVino, Provider::Cuda, Provider::TensorRt] {
            assert_eq!(at_fault(provider, "no driver", loads), Fault::Provider("no driver"));
            assert_eq!(at_fault(provider, "no driver", fails), Fault::Model("no protobuf"));
        }
        // The processor is not asked again.
        assert_eq!(at_fault(Provider::Cpu, "no protobuf", loads), Fault::Model("no protobuf"));
    }
}
