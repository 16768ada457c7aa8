//! Building and running the hosts of `examples/embed/`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use muster_host::plugin::embedded_bytes;

/// What the conversation prints, whoever holds it.
pub(crate) const CONVERSATION: &str = include_str!("../../../examples/embed/conversation.txt");

/// What `cargo xtask test` has installed under this name.
pub(crate) fn installed(name: &str) -> PathBuf {
    let path = std::env::var_os(name);
    path.unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask test host`")).into()
}

/// A file or folder of the workspace.
pub(crate) fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A file of the test's own, whatever is in it by now.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runtimes");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// The plugin as a file.
pub(crate) fn plugin() -> &'static Path {
    static PLUGIN: OnceLock<PathBuf> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        let file = scratch("muster.wasm");
        fs::write(&file, embedded_bytes()).unwrap();
        file
    })
}

/// The recorded calls, in the order in which every host plays them.
pub(crate) fn recordings() -> Vec<PathBuf> {
    let names = ["ucloud", "cmcc", "krtyun", "alibaba", "refusals"];
    names.map(|name| workspace(&format!("tests/conformance/{name}.txt"))).into()
}

/// Runs a program to its end.
pub(crate) fn run(program: &Path, args: &[&OsStr]) -> Output {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    command.output().unwrap_or_else(|e| panic!("{}: {e}", program.display()))
}

/// What a program prints, if all goes well.
pub(crate) fn stdout(program: &Path, args: &[&OsStr]) -> String {
    let output = run(program, args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {args:?}: {errors}", program.display());
    String::from_utf8(output.stdout).unwrap()
}

/// Holds a host to the conversation and to the recorded calls. `args` come before the plays.
pub(crate) fn hold(converse: &Path, replay: &Path, args: &[&OsStr]) {
    assert_eq!(stdout(converse, args), CONVERSATION, "{} {args:?}", converse.display());
    for secret in ["made-up", "the-product-secret"] {
        assert!(!CONVERSATION.contains(secret), "the conversation shows `{secret}`");
    }
    let recordings = recordings();
    let mut plays = args.to_vec();
    plays.extend(recordings.iter().map(|file| file.as_os_str()));
    let said = stdout(replay, &plays);
    let (lines, files): (Vec<&str>, Vec<&str>) = (
        said.lines().collect(),
        recordings.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect(),
    );
    assert_eq!(lines.len(), files.len(), "{said}");
    for (line, file) in lines.iter().zip(&files) {
        let calls = calls(&workspace(&format!("tests/conformance/{file}")));
        assert_eq!(*line, format!("{file}: {calls} calls alike"));
    }
}

fn calls(recording: &Path) -> usize {
    fs::read_to_string(recording).unwrap().lines().filter(|line| line.starts_with("= ")).count()
}

/// `examples/embed/c/host.c` on wasm3.
pub(crate) fn host() -> &'static Path {
    static HOST: OnceLock<PathBuf> = OnceLock::new();
    HOST.get_or_init(|| c_program("host"))
}

/// With every warning and every check that the compiler has.
pub(crate) fn c_program(name: &str) -> PathBuf {
    let source = workspace("examples/embed/c");
    let program = scratch(name);
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-O2", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    if sanitizers() {
        cc.args(SANITIZERS);
    } else {
        eprintln!("{name}: this compiler has no sanitizers");
    }
    cc.arg("-isystem").arg(installed("MUSTER_RUNTIMES_WASM3"));
    cc.args([source.join(format!("{name}.c")), source.join("engine_wasm3.c")]);
    cc.args(wasm3()).arg("-lm").arg("-o").arg(&program);
    let output = cc.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

const SANITIZERS: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/// Whether a program with them links and runs: GNU's compiler on Debian has them, others may lack their libraries.
fn sanitizers() -> bool {
    static WORK: OnceLock<bool> = OnceLock::new();
    *WORK.get_or_init(|| {
        let (source, program) = (scratch("probe.c"), scratch("probe"));
        fs::write(&source, "int main(void) { return 0; }\n").unwrap();
        let mut cc = Command::new("cc");
        cc.args(SANITIZERS).arg(&source).arg("-o").arg(&program).stderr(Stdio::null());
        cc.status().unwrap().success() && run(&program, &[]).status.success()
    })
}

/// wasm3's own objects, built once. It needs an optimiser that makes jumps of its tail calls, and no sanitizer.
fn wasm3() -> &'static [PathBuf] {
    static OBJECTS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    OBJECTS.get_or_init(|| {
        let folder = installed("MUSTER_RUNTIMES_WASM3");
        let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let mut sources: Vec<_> =
            files.filter(|file| file.extension() == Some("c".as_ref())).collect();
        sources.sort();
        assert!(sources.len() > 5, "wasm3's sources in {}", folder.display());
        let builds: Vec<_> = sources
            .iter()
            .map(|source| {
                let object =
                    scratch(&format!("{}.o", source.file_stem().unwrap().to_str().unwrap()));
                let mut cc = Command::new("cc");
                cc.args(["-O2", "-w", "-c"]).arg(source).arg("-o").arg(&object);
                (cc.spawn().unwrap(), object)
            })
            .collect();
        let built = builds.into_iter().map(|(mut cc, object)| {
            assert!(cc.wait().unwrap().success(), "{}", object.display());
            object
        });
        built.collect()
    })
}
