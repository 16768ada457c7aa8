//! `cargo xtask web`: the core for browsers, its bindings, and the console around them.
//!
//! | step | from | to | again when |
//! | --- | --- | --- | --- |
//! | module | `src/web` and the core | `target/web/…/muster.wasm` | cargo says so |
//! | bindings | the module | `www/src/muster/generated/` | the module or the generator differs |
//! | packages | `www/package-lock.json` | `www/node_modules/` | the lockfile differs |
//! | console | `www/` and the bindings | `www/dist/` | any of these files differs |
//!
//! The bindings lie among the sources because Vite, vitest, the type checker and editors then find them without being
//! told. Nothing of this is committed. Each step leaves a note of what it was made from beside what it made, so a
//! deleted or half-made result is made again. The host embeds `www/dist` (`host/build.rs`).

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use crate::shell::{Outcome, cargo, command, output_of, root, run, target_dir};
use crate::wasm::{Effort, Target, Toolchain};

/// What a browser runs.
pub(crate) const BROWSER: Target = Target {
    triple: "wasm32-unknown-unknown",
    library: "std,panic_abort",
    library_file: "std/src/lib.rs",
    // SHA-256 as a loop instead of unrolled, as in the plugin.
    flags: &["--cfg=sha2_backend_soft=\"compact\""],
};

/// A module: its name, and what is in it.
struct Module {
    name: &'static str,
    features: &'static str,
}

/// Devices alone, for pages that embed them; with faults and recordings, for the first paint of the console; everything.
const MODULES: [Module; 3] = [
    Module { name: "muster", features: "web" },
    Module { name: "muster_lab", features: "web,lab" },
    Module { name: "muster_all", features: ALL },
];
const ALL: &str = "web,app,cloud,tool,fleet";

/// The note beside a result.
const NOTE: &str = ".made-from";

/// Builds all of it; prints where it is and how large.
pub(crate) fn web(args: &[String]) -> Outcome {
    if let Some(unknown) = args.first() {
        return Err(format!("`cargo xtask web` takes no argument `{unknown}`"));
    }
    build()?;
    for module in &MODULES {
        let file = module.made();
        let size = fs::metadata(&file).map_err(|e| cannot("read", &file, &e))?.len();
        println!("{}: {size} bytes", file.display());
    }
    println!("{}", www().join("dist").display());
    Ok(())
}

/// Brings bindings and console up to date.
pub(crate) fn build() -> Outcome {
    let _lock = begin()?;
    console()
}

/// Bindings and packages, brought up to date; nobody else builds until the result is dropped.
pub(crate) fn begin() -> Outcome<File> {
    let folder = target_dir();
    fs::create_dir_all(&folder).map_err(|e| cannot("create", &folder, &e))?;
    // Two commands at once would write into the same folders.
    let lock_path = folder.join("web.lock");
    let lock = File::create(&lock_path).map_err(|e| cannot("create", &lock_path, &e))?;
    lock.lock().map_err(|e| cannot("lock", &lock_path, &e))?;

    // Before the modules: each of them would install what is missing, all at once.
    Toolchain::find(&BROWSER, &root(), Effort::Packages)?;
    // Beside one another: each is one crate that one processor optimises for a minute.
    std::thread::scope(|scope| {
        let all: Vec<_> =
            MODULES.iter().map(|module| scope.spawn(move || bindings(module))).collect();
        all.into_iter().try_for_each(|one| match one.join() {
            Ok(outcome) => outcome,
            Err(_) => Err("a module's build ended in the middle".to_owned()),
        })
    })?;
    packages(&www())?;
    Ok(lock)
}

pub(crate) fn www() -> PathBuf {
    root().join("www")
}

impl Module {
    fn folder(&self) -> PathBuf {
        www().join("src/muster/generated").join(self.name)
    }

    fn made(&self) -> PathBuf {
        self.folder().join([self.name, "_bg.wasm"].concat())
    }
}

/// The lints of the browser's side, all of it.
pub(crate) fn clippy() -> Outcome {
    let mut clippy = cargo_for(&["clippy", "--profile", "lint"], ALL)?;
    clippy.args(["--", "-D", "warnings"]);
    run(clippy)
}

/// Cargo for a module of the browser's.
fn cargo_for(subcommand: &[&str], features: &str) -> Outcome<std::process::Command> {
    let toolchain = Toolchain::find(&BROWSER, &root(), Effort::Packages)?;
    let mut cargo = toolchain.cargo();
    cargo.current_dir(root()).args(subcommand).args([
        "--locked",
        "--package",
        "muster",
        "--lib",
        "--no-default-features",
        "--features",
        features,
    ]);
    toolchain.apply(&mut cargo);
    Ok(cargo)
}

/// The module and its bindings.
fn bindings(of: &Module) -> Outcome {
    // One for each: cargo gives a module for this target one name whatever its features, and would build both anew
    // each time they take turns.
    let target = target_dir().join("web").join(of.name);
    let build = ["rustc", "--crate-type", "cdylib", "--profile", "web"];
    let mut rustc = cargo_for(&build, of.features)?;
    // What one module leaves unused the other one uses; the lints look at both in one.
    rustc.arg("--target-dir").arg(&target).args(["--", "-Adead_code"]);
    run(rustc)?;
    let built = target.join(BROWSER.triple).join("web/muster.wasm");
    // The bindings take the module's name.
    let module = target.join([of.name, ".wasm"].concat());
    if module != built {
        fs::copy(&built, &module).map_err(|e| cannot("copy", &built, &e))?;
    }

    let generator = root().join("xtask/bindgen");
    let mut made_from = Digest::default();
    made_from.file(&module)?;
    made_from.files_below(&generator)?;
    // The version of the generator is here.
    made_from.file(&root().join("Cargo.lock"))?;
    let made_from = made_from.finish();
    let out = of.folder();
    if is_made_from(&out, &made_from) && of.made().is_file() {
        return Ok(());
    }
    if out.exists() {
        fs::remove_dir_all(&out).map_err(|e| cannot("remove", &out, &e))?;
    }
    let target = root().join("target/xtask");
    let mut bindgen = cargo(&["run", "--locked", "--quiet", "--package", "xtask-bindgen"]);
    bindgen
        .args(["--profile", "xtask", "--target-dir"])
        .arg(target)
        .arg("--")
        .arg(&module)
        .arg(&out);
    run(bindgen)?;
    note(&out, &made_from)
}

/// `node_modules` in a folder, exactly as its lockfile says.
pub(crate) fn packages(folder: &Path) -> Outcome {
    crate::needs::node()?;
    let place = folder.join("node_modules");
    let mut made_from = Digest::default();
    for file in ["package.json", "package-lock.json"] {
        made_from.file(&folder.join(file))?;
    }
    // Some packages bring a program for the Node that installs them.
    made_from.bytes(output_of("node", &["--version"]).unwrap_or_default().as_bytes());
    let made_from = made_from.finish();
    if is_made_from(&place, &made_from) {
        return Ok(());
    }
    // Nothing that comes with a package runs while it is installed.
    let mut npm = command("npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    npm.current_dir(folder).stdin(Stdio::null());
    run(npm).map_err(|e| {
        format!("{e}\nnext: this step alone needs the npm registry; see that `npm ping` works, then try again")
    })?;
    note(&place, &made_from)
}

/// What the browser loads.
fn console() -> Outcome {
    let dist = www().join("dist");
    let mut made_from = Digest::default();
    made_from.files_below(&www())?;
    let made_from = made_from.finish();
    if is_made_from(&dist, &made_from) && dist.join("index.html").is_file() {
        return Ok(());
    }
    let begin = Instant::now();
    run(npm(&["run", "--silent", "build"]))?;
    eprintln!("the console was built in {:.1} s", begin.elapsed().as_secs_f64());
    note(&dist, &made_from)
}

/// npm in `www/`.
pub(crate) fn npm(args: &[&str]) -> std::process::Command {
    let mut npm = command("npm", args);
    npm.current_dir(www());
    npm
}

/// Whether a folder holds what was made from exactly this.
fn is_made_from(place: &Path, digest: &str) -> bool {
    fs::read_to_string(place.join(NOTE)).is_ok_and(|note| note == digest)
}

fn note(place: &Path, digest: &str) -> Outcome {
    let note = place.join(NOTE);
    fs::write(&note, digest).map_err(|e| cannot("write", &note, &e))
}

/// Folders that are results, or have no part in the console.
const NOT_SOURCES: [&str; 5] = ["node_modules", "dist", "tests", "coverage", "package"];

/// Sums up files: names and contents. Not against malice, but against stale results.
#[derive(Default)]
struct Digest(DefaultHasher);

impl Digest {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.write_usize(bytes.len());
        self.0.write(bytes);
    }

    fn file(&mut self, path: &Path) -> Outcome {
        let bytes = fs::read(path).map_err(|e| cannot("read", path, &e))?;
        self.bytes(path.as_os_str().as_encoded_bytes());
        self.bytes(&bytes);
        Ok(())
    }

    /// Every file below a folder, in the order of their names.
    fn files_below(&mut self, folder: &Path) -> Outcome {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)
            .map_err(|e| cannot("read", folder, &e))?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if NOT_SOURCES.contains(&name.as_str()) || name == NOTE {
                continue;
            }
            if path.is_dir() {
                self.files_below(&path)?;
            } else {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> String {
        format!("{:016x}\n", self.0.finish())
    }
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {verb} {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum_of(folder: &Path) -> String {
        let mut digest = Digest::default();
        digest.files_below(folder).unwrap();
        digest.finish()
    }

    #[test]
    fn a_result_is_stale_once_a_source_is_changed_renamed_added_or_removed() {
        let folder = std::env::temp_dir().join(format!("muster-web-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("src/a.ts"), "1").unwrap();
        let first = sum_of(&folder);
        note(&folder, &first).unwrap();
        assert!(is_made_from(&folder, &sum_of(&folder)), "the note itself is no source");

        fs::create_dir_all(folder.join("node_modules/x")).unwrap();
        fs::write(folder.join("node_modules/x/y"), "1").unwrap();
        assert_eq!(sum_of(&folder), first, "packages are not the console's sources");

        fs::write(folder.join("src/a.ts"), "2").unwrap();
        let changed = sum_of(&folder);
        fs::rename(folder.join("src/a.ts"), folder.join("src/b.ts")).unwrap();
        let renamed = sum_of(&folder);
        fs::write(folder.join("src/c.ts"), "").unwrap();
        let added = sum_of(&folder);
        let mut all = vec![first.clone(), changed, renamed, added];
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 4);

        fs::remove_dir_all(&folder).unwrap();
        assert!(!is_made_from(&folder, &first));
    }
}
