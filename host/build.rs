//! The full build embeds the plugin and the console (`build/full.rs`). The small one embeds nothing: its plugin comes as
//! a file.

#[cfg(feature = "full")]
#[path = "build/full.rs"]
mod full;
#[cfg(feature = "full")]
#[path = "../xtask/src/wasm.rs"]
mod wasm;

#[cfg(feature = "full")]
fn main() -> std::process::ExitCode {
    match full::embed() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(feature = "full"))]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
