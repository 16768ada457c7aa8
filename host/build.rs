//! Builds the plugin from the sources beside this crate and names the file for `plugin::embedded`.

#[path = "../xtask/src/wasm.rs"]
mod wasm;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn embed() -> Result<(), String> {
    let variable = |name: &str| env::var_os(name).ok_or(format!("{name} is not set"));
    let out_dir = PathBuf::from(variable("OUT_DIR")?);
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("..");
    let root = root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))?;
    for source in wasm::SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    // Beside everything else that cargo builds, wherever that is, and shared by all profiles.
    let target = out_dir.ancestors().find(|dir| dir.join("CACHEDIR.TAG").exists());
    let target = target.unwrap_or(&out_dir).join("wasm");
    let plugin = out_dir.join("muster.wasm");
    wasm::build(&root, &target, &wasm::PLATFORMS, &plugin, wasm::Effort::Rustup)?;
    println!("cargo::rustc-env=MUSTER_PLUGIN={}", plugin.display());
    Ok(())
}
