//! Tells the linker where LibTorch lies, so that the binary and the tests find it without `LD_LIBRARY_PATH`.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    match std::env::var("DEP_TCH_LIBTORCH_LIB") {
        Ok(lib) => {
            println!("cargo::rustc-link-arg=-Wl,-rpath,{lib}");
            // Nothing but LibTorch's own registration needs libtorch_cpu at link time; keep it linked.
            println!("cargo::rustc-link-arg=-Wl,--no-as-needed");
            if Path::new(&lib).join("libtorch_cuda.so").exists() {
                println!("cargo::rustc-link-arg=-L{lib}");
                println!("cargo::rustc-link-arg=-ltorch_cuda");
            }
        }
        Err(_) => println!("cargo::error=LibTorch is missing: run models/setup-libtorch.sh first"),
    }
}
