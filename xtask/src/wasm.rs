//! Builds the plugin: one core module for small runtimes. Finds the compiler for it, and for the browser's module.
//!
//! This file uses `std` alone, because the host's build script includes it too (by `#[path]`): what
//! `cargo run -- device` runs is always the plugin of the sources beside it.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// All four clouds.
pub(crate) const PLATFORMS: [&str; 4] = ["ucloud", "cmcc", "krtyun", "alibaba"];

/// What a module is compiled for.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) triple: &'static str,
    /// The parts of the standard library that are built from source where none is installed for the target.
    pub(crate) library: &'static str,
    /// A file of the last of these parts, below `library/`.
    pub(crate) library_file: &'static str,
    /// For the compiler.
    pub(crate) flags: &'static [&'static str],
}

/// The features of WebAssembly 1.0 and nothing more, its `core` and `alloc` included, so that the strictest runtimes
/// load the plugin. `wasm32-unknown-unknown` will not do in its place, unless `core` is built anew for it: the one that
/// comes with Rust uses later features.
pub(crate) const PLUGIN: Target = Target {
    triple: "wasm32v1-none",
    library: "core,alloc",
    library_file: "alloc/src/lib.rs",
    // Equal functions stay functions of their own, which costs 36 bytes: wasm3 keeps at most three names of one, and
    // the five `cabi_post_…` are equal.
    flags: &["-Ctarget-cpu=mvp", "-Cllvm-args=-mergefunc-use-aliases=false"],
};

/// How far to go for a compiler that can build the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// `rustup target add`, and no more: what a build script may do.
    #[allow(dead_code, reason = "the build script goes no further, xtask does")]
    Rustup,
    /// Debian's packages as well.
    #[allow(dead_code, reason = "xtask goes this far, the build script does not")]
    Packages,
}

/// The compiler for the plugin, installed if need be, for those that want more of it than [`build`].
#[allow(dead_code, reason = "xtask's, not the build script's")]
pub(crate) fn ensure_target() -> Result<Toolchain, String> {
    Toolchain::find(&PLUGIN, &Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), Effort::Packages)
}

/// Builds the plugin with `platforms` in it and puts it to `out`.
///
/// `root` is the workspace; `target` a directory of its own, so that a build within a build never waits for a lock
/// that its parent holds.
pub(crate) fn build(
    root: &Path,
    target: &Path,
    platforms: &[&str],
    out: &Path,
    effort: Effort,
) -> Result<(), String> {
    let toolchain = Toolchain::find(&PLUGIN, root, effort)?;
    fs::create_dir_all(target).map_err(|e| cannot("create", target, &e))?;
    // Cargo's own lock ends before the copy: another build with other platforms must not come between.
    let lock_path = target.join(".muster-lock");
    let lock = File::create(&lock_path).map_err(|e| cannot("create", &lock_path, &e))?;
    lock.lock().map_err(|e| cannot("lock", &lock_path, &e))?;

    let mut cargo = toolchain.cargo();
    cargo
        .current_dir(root)
        .args(["rustc", "--package", "muster", "--lib", "--crate-type", "cdylib", "--locked"])
        .args(["--profile", "plugin", "--no-default-features"])
        .arg("--features")
        .arg(["plugin"].iter().chain(platforms).copied().collect::<Vec<_>>().join(","))
        .arg("--target-dir")
        .arg(target);
    toolchain.apply(&mut cargo);
    // The stack comes first in the memory, so an overflow traps instead of overwriting data. The two globals tell
    // WAMR and others where the heap begins.
    cargo.args(["--", "-Clink-arg=-zstack-size=16384", "-Clink-arg=--export=__heap_base"]);
    cargo.arg("-Clink-arg=--export=__data_end");
    // Without it every call and every address takes five bytes.
    cargo.arg("-Clink-arg=--compress-relocations");

    let output = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|e| format!("cannot start {:?}: {e}", cargo.get_program()))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the plugin does not build ({}):\n{stderr}", output.status));
    }
    let built = target.join(PLUGIN.triple).join("plugin").join("muster.wasm");
    if let Some(parent) = out.parent() {
        fs::create_dir_all(parent).map_err(|e| cannot("create", parent, &e))?;
    }
    let module = fs::read(&built).map_err(|e| cannot("read", &built, &e))?;
    let module = without_names_of_its_own(&module).ok_or("the linker's module cannot be read")?;
    fs::write(out, module).map_err(|e| cannot("write", out, &e))?;
    Ok(())
}

/// What the compiler's own calls need by name, and nobody outside: `memcpy` and its kin (`src/plugin/mem.rs`), and the
/// second name of `cabi_realloc`.
const INTERNAL: [&[u8]; 4] = [b"memcpy", b"memmove", b"memset", b"cabi_realloc_wit_bindgen_"];
/// What says how the module was made, and a component's type, which is embedded anew where a component is made.
const CHATTER: [&[u8]; 3] = [b"producers", b"target_features", b"component-type"];

/// The module without [`INTERNAL`] exports and [`CHATTER`]: its bytes are sections, each a kind, a length and a body.
fn without_names_of_its_own(module: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut rest) = (module.get(..8)?.to_vec(), module.get(8..)?);
    while let Some((&kind, behind)) = rest.split_first() {
        let (length, behind) = number(behind)?;
        let (body, behind) = behind.split_at_checked(length)?;
        rest = behind;
        let body = match kind {
            0 if begins_with_any(name(body)?.0, &CHATTER) => continue,
            7 => exports(body)?,
            _ => body.to_vec(),
        };
        out.push(kind);
        push_number(&mut out, body.len());
        out.extend(body);
    }
    Some(out)
}

/// The body of a section of exports, each a name, a kind and an index.
fn exports(body: &[u8]) -> Option<Vec<u8>> {
    let (count, mut rest) = number(body)?;
    let (mut kept, mut out) = (0, Vec::<u8>::new());
    for _ in 0..count {
        let (name, behind) = name(rest)?;
        let (_, next) = number(behind.get(1..)?)?;
        if !begins_with_any(name, &INTERNAL) {
            kept += 1;
            out.extend(rest.get(..rest.len() - next.len())?);
        }
        rest = next;
    }
    let mut body = Vec::new();
    push_number(&mut body, kept);
    body.extend(out);
    Some(body)
}

fn begins_with_any(name: &[u8], beginnings: &[&[u8]]) -> bool {
    beginnings.iter().any(|beginning| name.starts_with(beginning))
}

fn name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number(bytes)?;
    rest.split_at_checked(length)
}

/// A number in LEB128, and what stands behind it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0)?;
    let (number, rest) = bytes.split_at_checked(end + 1)?;
    let number = number.iter().rev().fold(0, |n, byte| n << 7 | usize::from(byte & 0x7f));
    Some((number, rest))
}

fn push_number(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// The files that the plugin is made of, relative to the workspace.
#[allow(dead_code, reason = "the build script asks, xtask does not")]
pub(crate) const SOURCES: [&str; 5] =
    ["src", "wit", "Cargo.toml", "Cargo.lock", "xtask/src/wasm.rs"];

/// A compiler for a target.
pub(crate) struct Toolchain {
    target: &'static Target,
    cargo: PathBuf,
    rustc: PathBuf,
    /// No library for the target is installed, but its source is.
    build_std: bool,
    /// Where `wasm-ld` is, if the compiler brings none.
    linker: Option<PathBuf>,
}

impl Toolchain {
    /// Looks for one, and installs one where that is possible.
    pub(crate) fn find(
        target: &'static Target,
        root: &Path,
        effort: Effort,
    ) -> Result<Self, String> {
        let triple = target.triple;
        let path = |name: &str, default| env::var_os(name).map_or_else(|| default, PathBuf::from);
        let cargo = path("CARGO", PathBuf::from("cargo"));
        let rustc = path("RUSTC", PathBuf::from("rustc"));
        let ours = |build_std, linker| Self {
            target,
            cargo: cargo.clone(),
            rustc: rustc.clone(),
            build_std,
            linker,
        };

        if has_library(&rustc, target, root) {
            return Ok(ours(false, None));
        }
        let mut tried = vec![format!("{} has no {triple}", rustc.display())];
        match run(Command::new("rustup").args(["target", "add", triple]).current_dir(root)) {
            Ok(_) if has_library(&rustc, target, root) => return Ok(ours(false, None)),
            Ok(_) => tried.push("`rustup target add` went well, for another toolchain".into()),
            Err(error) => tried.push(format!("`rustup target add {triple}`: {error}")),
        }
        if has_source(&rustc, target, root)
            && let Some(linker) = wasm_ld(&rustc, root)
        {
            return Ok(ours(true, linker));
        }
        tried.push("no source of the standard library beside a linker for wasm".into());
        if effort == Effort::Packages {
            match Self::debian(target, root) {
                Ok(found) => return Ok(found),
                Err(error) => tried.push(error),
            }
        } else if let Ok(linker) = debian_fits(Path::new("/usr/bin/rustc"), target, root) {
            // What `cargo xtask` installed serves the build script too.
            return Ok(Self {
                target,
                cargo: PathBuf::from("/usr/bin/cargo"),
                rustc: PathBuf::from("/usr/bin/rustc"),
                build_std: true,
                linker,
            });
        }
        Err(format!(
            "no compiler for {triple}:\n  - {}\n\
             next: run `rustup target add {triple}` where the network allows it;\n\
             on Debian, `apt-get install {}` and then `cargo xtask up`;\n\
             elsewhere, install a Rust of 1.95 or later with its source and with lld",
            tried.join("\n  - "),
            DEBIAN.join(" "),
        ))
    }

    /// Debian's own recent Rust, which it keeps for its browsers, with the library from source.
    fn debian(target: &'static Target, root: &Path) -> Result<Self, String> {
        let rustc = PathBuf::from("/usr/bin/rustc");
        let mut installed = debian_fits(&rustc, target, root);
        if installed.is_err() {
            let apt = |args: &[&str]| {
                let mut command = if is_root() {
                    Command::new("apt-get")
                } else {
                    let mut sudo = Command::new("sudo");
                    sudo.args(["-n", "apt-get"]);
                    sudo
                };
                run(command.args(args).env("DEBIAN_FRONTEND", "noninteractive"))
            };
            apt(&["update"])
                .and_then(|_| {
                    apt(&[&["install", "-y", "--no-install-recommends"], &DEBIAN[..]].concat())
                })
                .map_err(|e| format!("`apt-get install {}`: {e}", DEBIAN.join(" ")))?;
            installed = debian_fits(&rustc, target, root);
        }
        let linker = installed.map_err(|e| format!("Debian's Rust: {e}"))?;
        Ok(Self { target, cargo: PathBuf::from("/usr/bin/cargo"), rustc, build_std: true, linker })
    }

    /// Its cargo, free of what surrounds us.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(&self.cargo);
        for (name, _) in env::vars_os() {
            if disturbs(&name) {
                cargo.env_remove(name);
            }
        }
        cargo
    }

    /// Makes a command of cargo one for the target.
    pub(crate) fn apply(&self, cargo: &mut Command) {
        cargo.env("RUSTC", &self.rustc).args(["--target", self.target.triple]);
        let mut flags: Vec<String> = self.target.flags.iter().map(|&flag| flag.into()).collect();
        // Copies of structs as calls instead of one load and store a word: 3 KB less. Compilers before LLVM 22 may not
        // know how to be asked for it.
        const SMALL_COPIES: &str = "-Cllvm-args=-max-store-memcpy=1";
        let mut probe = Command::new(&self.rustc);
        probe.args([SMALL_COPIES, "--print", "cfg"]);
        if self.target.triple == PLUGIN.triple && run(&mut probe).is_ok() {
            flags.push(SMALL_COPIES.into());
        }
        // The module must not depend on where it was built.
        let home = env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
        if let Some(home) = home {
            flags.push(format!("--remap-path-prefix={}=cargo", home.display()));
        }
        if let Some(linker) = &self.linker {
            flags.push(format!("-Clinker={}", linker.display()));
        }
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        if self.build_std {
            // Building it is the one thing that a stable compiler has to be asked for in this way.
            cargo.env("RUSTC_BOOTSTRAP", "1").arg(format!("-Zbuild-std={}", self.target.library));
        }
    }
}

/// What the build around this one (a build script's, clippy's, another target's) left in the environment for itself.
fn disturbs(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    if let Some(rest) = name.strip_prefix("CARGO_") {
        // Where crates come from, and how to get them, stays.
        let keep =
            ["HOME", "NET_", "HTTP_", "REGISTRIES_", "REGISTRY_", "SOURCE_", "TERM_", "MAKEFLAGS"];
        return !keep.iter().any(|prefix| rest.starts_with(prefix));
    }
    let others = ["RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS", "CLIPPY_ARGS"];
    others.contains(&&*name)
}

const DEBIAN: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];

/// Where the linker is, if Debian's compiler can build for the target.
fn debian_fits(rustc: &Path, target: &Target, root: &Path) -> Result<Option<PathBuf>, String> {
    let version = run(Command::new(rustc).arg("--version"))?;
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor < 95) {
        return Err(format!("{} is older than 1.95", version.trim()));
    }
    if !has_source(rustc, target, root) {
        return Err("the source of the standard library is not installed".into());
    }
    wasm_ld(rustc, root).ok_or_else(|| "lld is not installed".into())
}

/// Whether the library for the target is installed.
fn has_library(rustc: &Path, target: &Target, root: &Path) -> bool {
    let mut command = Command::new(rustc);
    command.args(["--print", "target-libdir", "--target", target.triple]).current_dir(root);
    run(&mut command).is_ok_and(|libdir| {
        fs::read_dir(libdir.trim()).is_ok_and(|dir| {
            dir.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
        })
    })
}

/// Whether the source of the library is there.
fn has_source(rustc: &Path, target: &Target, root: &Path) -> bool {
    sysroot(rustc, root).is_some_and(|sysroot| {
        sysroot.join("lib/rustlib/src/rust/library").join(target.library_file).exists()
    })
}

/// A linker for wasm: `Some(None)` if the compiler brings its own.
fn wasm_ld(rustc: &Path, root: &Path) -> Option<Option<PathBuf>> {
    let own = fs::read_dir(sysroot(rustc, root)?.join("lib/rustlib"))
        .ok()
        .is_some_and(|dir| dir.flatten().any(|triple| triple.path().join("bin/rust-lld").exists()));
    if own {
        return Some(None);
    }
    let names = ["wasm-ld", "wasm-ld-22", "wasm-ld-21", "wasm-ld-20", "wasm-ld-19"];
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .flat_map(|dir| names.map(|name| dir.join(name)))
        .find(|file| file.exists())
        .map(Some)
}

fn sysroot(rustc: &Path, root: &Path) -> Option<PathBuf> {
    run(Command::new(rustc).args(["--print", "sysroot"]).current_dir(root))
        .ok()
        .map(|sysroot| PathBuf::from(sysroot.trim()))
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// What the command prints, or the last line of its complaint.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.lines().rev().find(|line| !line.trim().is_empty());
        Err(last.map_or_else(|| output.status.to_string(), |line| line.trim().to_string()))
    }
}

fn cannot(verb: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {verb} {}: {error}", path.display())
}
