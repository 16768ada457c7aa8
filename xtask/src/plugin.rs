//! `cargo xtask plugin`: the core module. `cargo xtask component`: the same bytes as a component.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{Outcome, root, target_dir};
use crate::{component, wasm};

/// Builds `target/plugin/muster.wasm`, with the platforms that are named or with all four.
pub(crate) fn plugin(names: &[String]) -> Outcome {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if let Some(unknown) = names.iter().find(|name| !wasm::PLATFORMS.contains(name)) {
        let known = wasm::PLATFORMS.join(", ");
        return Err(format!("no platform `{unknown}`; there are {known}"));
    }
    let platforms = if names.is_empty() { &wasm::PLATFORMS[..] } else { &names };
    let file = if names.is_empty() { "muster.wasm".into() } else { platforms.join("-") + ".wasm" };
    let out = folder().join(file);
    build(platforms, &out)?;
    show(&out)
}

/// Builds `target/plugin/muster.wasm` and `target/plugin/muster.component.wasm`.
pub(crate) fn component(_: &[String]) -> Outcome {
    let core = folder().join("muster.wasm");
    build(&wasm::PLATFORMS, &core)?;
    let bytes = fs::read(&core).map_err(|e| format!("{}: {e}", core.display()))?;
    let component = component::encode(&bytes, &root().join("wit"))?;
    let out = folder().join("muster.component.wasm");
    fs::write(&out, component).map_err(|e| format!("{}: {e}", out.display()))?;
    show(&core)?;
    show(&out)
}

/// What flash has to have room for.
const ALL: u64 = 110_000;
const ONE: u64 = 64_000;

/// Builds the plugin with all platforms, and with each alone, and compares with the budgets.
pub(crate) fn sizes() -> Outcome {
    let alone = wasm::PLATFORMS.iter().map(|platform| (vec![*platform], ONE));
    let all = (wasm::PLATFORMS.to_vec(), ALL);
    let mut over = Vec::new();
    for (platforms, budget) in alone.chain([all]) {
        let name = platforms.join("-");
        let out = folder().join("size.wasm");
        build(&platforms, &out)?;
        let bytes = fs::metadata(&out).map_err(|e| format!("{}: {e}", out.display()))?.len();
        println!("{name}: {bytes} bytes, at most {budget}");
        if bytes > budget {
            over.push(name);
        }
    }
    if over.is_empty() { Ok(()) } else { Err(format!("too large: {}", over.join(", "))) }
}

fn folder() -> PathBuf {
    target_dir().join("plugin")
}

fn build(platforms: &[&str], out: &Path) -> Outcome {
    let target = target_dir().join("wasm");
    wasm::build(&root(), &target, platforms, out, wasm::Effort::Packages)
}

fn show(file: &Path) -> Outcome {
    let bytes = fs::metadata(file).map_err(|e| format!("{}: {e}", file.display()))?.len();
    println!("{}: {bytes} bytes", file.display());
    Ok(())
}
