//! What the full build embeds: the plugin, built from the sources beside this crate, for `plugin::embedded`; the
//! console's files, if `cargo xtask web` has built them, for `up::console`.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::hash::Hasher;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::wasm;

pub(super) fn embed() -> Result<(), String> {
    let variable = |name: &str| env::var_os(name).ok_or(format!("{name} is not set"));
    let out_dir = PathBuf::from(variable("OUT_DIR")?);
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("..");
    let root = root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))?;
    for source in wasm::SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    console(&root.join("www/dist"), &out_dir)?;
    // Beside everything else that cargo builds, wherever that is, and shared by all profiles.
    let target = out_dir.ancestors().find(|dir| dir.join("CACHEDIR.TAG").exists());
    let target = target.unwrap_or(&out_dir).join("wasm");
    let plugin = out_dir.join("muster.wasm");
    wasm::build(&root, &target, &wasm::PLATFORMS, &plugin, wasm::Effort::Rustup)?;
    println!("cargo::rustc-env=MUSTER_PLUGIN={}", plugin.display());
    Ok(())
}

/// Writes the table of the console's files; an empty one if it is not built, which is no error: it needs Node.
fn console(dist: &Path, out_dir: &Path) -> Result<(), String> {
    // Cargo compares dates of what is there. A folder that is not would make every build begin anew, so there is one,
    // which git ignores; where it cannot be made, builds take longer and that is all.
    let _ = fs::create_dir_all(dist);
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        list(dist, dist, &mut files)?;
        files.sort();
    }
    // Copies: `dist` may be built anew while this crate is compiled.
    let copies = out_dir.join("console");
    fs::create_dir_all(&copies).map_err(|e| format!("{}: {e}", copies.display()))?;
    let mut table = String::from("static EMBEDDED: &[Embedded] = &[\n");
    for (number, path) in files.iter().enumerate() {
        let bytes = fs::read(dist.join(path)).map_err(|e| format!("{path}: {e}"))?;
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        let keep = |name: &str, bytes: &[u8]| {
            let copy = copies.join(format!("{number}.{name}"));
            fs::write(&copy, bytes).map_err(|e| format!("{}: {e}", copy.display()))?;
            Ok::<_, String>(format!("include_bytes!({:?})", copy.display().to_string()))
        };
        let small = gzip(&bytes).map_err(|e| format!("{path}: {e}"))?;
        let plain = keep("plain", &bytes)?;
        // What a few bytes less would save, the header that says so costs.
        let small = if small.len() + 64 < bytes.len() {
            format!("Some({})", keep("gzip", &small)?)
        } else {
            "None".into()
        };
        let _ = writeln!(
            table,
            "    Embedded {{ path: {path:?}, tag: \"{:016x}\", plain: {plain}, gzip: {small} }},",
            hasher.finish()
        );
    }
    table.push_str("];\n");
    let file = out_dir.join("console.rs");
    fs::write(&file, table).map_err(|e| format!("{}: {e}", file.display()))
}

/// Every file below `folder`, by its path from `dist`. Names with a dot in front are notes of the build.
fn list(dist: &Path, folder: &Path, files: &mut Vec<String>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            list(dist, &path, files)?;
        } else if let Ok(relative) = path.strip_prefix(dist) {
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            files.push(parts.join("/"));
        }
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
