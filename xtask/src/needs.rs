//! What the tests need beyond Rust: found, installed where that is possible, or named precisely.

use std::path::PathBuf;

use crate::shell::{Outcome, command, output_of, root, run, target_dir, works};

/// A program and the Debian package that brings it.
struct Program {
    name: &'static str,
    probe: &'static [&'static str],
    package: &'static str,
    what_for: &'static str,
}

const MOSQUITTO: Program = Program {
    name: "mosquitto",
    // Its help exits with 3; `-h` of the clients with 1. The version of the shell's own look-up is enough.
    probe: &[],
    package: "mosquitto",
    what_for: "a real broker for the transport tests",
};

const PROGRAMS: &[Program] = &[
    MOSQUITTO,
    Program {
        name: "mosquitto_pub",
        probe: &[],
        package: "mosquitto-clients",
        what_for: "real MQTT clients for the local clouds",
    },
    Program {
        name: "curl",
        probe: &["--version"],
        package: "curl",
        what_for: "the commands of the documentation",
    },
    Program {
        name: "cc",
        probe: &["--version"],
        package: "build-essential",
        what_for: "the host in C",
    },
];

/// Fails where Python is too old, or has no virtual environments or headers for what is built for it.
const PYTHON: &str = "import ensurepip, os, sys, sysconfig, venv; \
    sys.exit(sys.version_info < (3, 10) or \
    not os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')))";

/// Finds or installs every program, and the peers' packages. Returns the environment for the tests.
pub(crate) fn prepare() -> Outcome<Vec<(&'static str, PathBuf)>> {
    let mut missing: Vec<&Program> = PROGRAMS.iter().filter(|p| !present(p)).collect();
    if !missing.is_empty() {
        install(&missing.iter().map(|p| p.package).collect::<Vec<_>>());
        missing.retain(|p| !present(p));
    }
    let mut wanted: Vec<String> = missing
        .iter()
        .map(|p| {
            format!(
                "`{}` ({}): on Debian or Ubuntu `apt-get install {}`",
                p.name, p.what_for, p.package
            )
        })
        .collect();
    wanted.extend(missing_node());
    if !works("python3", &["-c", PYTHON]) {
        install(&["python3", "python3-venv", "python3-dev"]);
        if !works("python3", &["-c", PYTHON]) {
            wanted.push(
                "Python 3.10 or newer with venv and its C headers: on Debian or Ubuntu \
                 `apt-get install python3 python3-venv python3-dev`"
                    .into(),
            );
        }
    }
    if !wanted.is_empty() {
        return Err(format!(
            "the tests need, and could not install:\n  - {}",
            wanted.join("\n  - ")
        ));
    }
    let mut environment = vec![
        ("MUSTER_PEERS_NODE", node_modules("tests/peers", "node")?),
        ("MUSTER_PEERS_PYTHON", python("tests/peers/requirements.txt", "python")?),
    ];
    environment.extend(runtimes()?);
    Ok(environment)
}

/// Node.js and npm, or what to do about them.
pub(crate) fn node() -> Outcome {
    let missing = missing_node();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("the console needs, and cannot install:\n  - {}", missing.join("\n  - ")))
}

/// What the browser tests need. Returns the browser.
pub(crate) fn browser() -> Outcome<PathBuf> {
    let chinese = || {
        // Other systems bring such fonts; on Linux they are a package of their own.
        !cfg!(target_os = "linux")
            || output_of("fc-list", &[":lang=zh"]).is_some_and(|fonts| !fonts.is_empty())
    };
    let mut packages = Vec::new();
    if chromium().is_none() {
        packages.push("chromium");
    }
    if !chinese() {
        packages.extend(["fontconfig", "fonts-noto-cjk"]);
    }
    if !present(&MOSQUITTO) {
        packages.push(MOSQUITTO.package);
    }
    if !packages.is_empty() {
        install(&packages);
    }
    let mut wanted = missing_node();
    if chromium().is_none() {
        wanted.push(
            "Chromium or Chrome: on Debian `apt-get install chromium`, elsewhere MUSTER_CHROMIUM=/its/path".into(),
        );
    }
    if !chinese() {
        wanted.push(
            "a Chinese font, without which no picture can be judged: on Debian or Ubuntu \
             `apt-get install fontconfig fonts-noto-cjk`"
                .into(),
        );
    }
    if !present(&MOSQUITTO) {
        wanted.push(
            "Mosquitto, a real broker: on Debian or Ubuntu `apt-get install mosquitto`".into(),
        );
    }
    match chromium() {
        Some(browser) if wanted.is_empty() => Ok(browser),
        _ => Err(format!(
            "the browser tests need, and could not install:\n  - {}",
            wanted.join("\n  - ")
        )),
    }
}

fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("MUSTER_CHROMIUM") {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let places = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    std::env::split_paths(&places)
        .flat_map(|dir| names.map(|name| dir.join(name)))
        .find(|path| path.is_file())
}

fn missing_node() -> Vec<String> {
    let mut wanted = Vec::new();
    match output_of("node", &["--version"]) {
        Some(version) if new_enough(&version) => {}
        Some(version) => {
            wanted.push(format!("Node.js 20.19 or newer (found {version}): https://nodejs.org"))
        }
        None => wanted.push("Node.js 20.19 or newer, with npm: https://nodejs.org".into()),
    }
    if !works("npm", &["--version"]) {
        wanted.push("npm: it comes with Node.js, or as Debian's package `npm`".into());
    }
    wanted
}

fn present(program: &Program) -> bool {
    if program.probe.is_empty() {
        let places = std::env::var_os("PATH").unwrap_or_default();
        // Debian's mosquitto lives where only root's PATH looks.
        let more = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")];
        std::env::split_paths(&places).chain(more).any(|dir| dir.join(program.name).is_file())
    } else {
        works(program.name, program.probe)
    }
}

/// Tries Debian's package manager; whether it worked is seen by looking again.
fn install(packages: &[&str]) {
    if !works("apt-get", &["--version"]) {
        return;
    }
    let root_user = output_of("id", &["-u"]).is_some_and(|id| id == "0");
    let prefix: &[&str] = if root_user { &[] } else { &["sudo", "-n"] };
    let apt = |args: &[&str]| {
        let words: Vec<&str> = prefix.iter().chain(&["apt-get"]).chain(args).copied().collect();
        let mut command = command(words[0], &words[1..]);
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
        run(command)
    };
    let _ = apt(&["update", "-qq"]);
    let words: Vec<&str> = ["install", "-y", "-qq", "--no-install-recommends"]
        .into_iter()
        .chain(packages.iter().copied())
        .collect();
    let _ = apt(&words);
}

/// Whether this is the version of a Node that Vite and the tests run on.
fn new_enough(version: &str) -> bool {
    let mut parts = version.trim_start_matches('v').split('.').map(|part| part.parse::<u32>());
    match (parts.next(), parts.next()) {
        (Some(Ok(20)), Some(Ok(minor))) => minor >= 19,
        (Some(Ok(major)), _) => major > 20,
        _ => false,
    }
}

/// `node_modules` of `target/peers/<name>`, with what the lockfile in `folder` says.
fn node_modules(folder: &str, name: &str) -> Outcome<PathBuf> {
    let place = target_dir().join("peers").join(name);
    let folder = root().join(folder);
    let lock = folder.join("package-lock.json");
    if !up_to_date(&place, &lock) {
        std::fs::create_dir_all(&place).map_err(|e| format!("{}: {e}", place.display()))?;
        for file in ["package.json", "package-lock.json"] {
            copy(&folder.join(file), &place.join(file))?;
        }
        let mut npm = command("npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        npm.current_dir(&place);
        run(npm)?;
        mark(&place, &lock)?;
    }
    Ok(place.join("node_modules"))
}

/// The Python of the virtual environment `target/peers/<name>` with what `lock` says.
fn python(lock: &str, name: &str) -> Outcome<PathBuf> {
    let place = target_dir().join("peers").join(name);
    let lock = root().join(lock);
    let python = place.join("bin/python");
    if !up_to_date(&place, &lock) {
        run(command("python3", &["-m", "venv", "--clear", &place.to_string_lossy()]))?;
        pip(&python, &["install", "--require-hashes", "-r", &lock.to_string_lossy()])?;
        mark(&place, &lock)?;
    }
    Ok(python)
}

fn pip(python: &std::path::Path, args: &[&str]) -> Outcome {
    let head = ["-m", "pip", "--quiet", "--disable-pip-version-check"];
    run(command(&python.to_string_lossy(), &[&head[..], args].concat()))
}

/// The other runtimes: a Python with wasmtime and wasm3, wasm3's C sources, and jco.
fn runtimes() -> Outcome<[(&'static str, PathBuf); 3]> {
    let python = python("tests/peers/runtimes/requirements.txt", "runtimes")?;
    let place = target_dir().join("peers/wasm3");
    let lock = root().join("tests/peers/runtimes/wasm3.txt");
    let archive = place.join("pywasm3-0.5.0.tar.gz");
    let built = target_dir().join("peers/runtimes/.made-from-wasm3");
    // The archive holds the C sources and the Python package around them, which is built from them here.
    if !up_to_date(&place, &lock) || !built.exists() {
        std::fs::create_dir_all(&place).map_err(|e| format!("{}: {e}", place.display()))?;
        let (to, from) = (place.to_string_lossy(), lock.to_string_lossy());
        let source = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation"];
        let hashes = ["--require-hashes", "-r", &from, "--dest", &to];
        pip(&python, &[&["download"][..], &source, &hashes].concat())?;
        let file = archive.to_string_lossy();
        run(command("tar", &["-xzf", &file, "-C", &to]))?;
        pip(&python, &["install", "--no-deps", "--no-index", "--no-build-isolation", &file])?;
        mark(&place, &lock)?;
        copy(&lock, &built)?;
    }
    Ok([
        ("MUSTER_RUNTIMES_PYTHON", python),
        ("MUSTER_RUNTIMES_WASM3", place.join("pywasm3-0.5.0/wasm3")),
        ("MUSTER_RUNTIMES_JCO", node_modules("tests/peers/runtimes", "jco")?),
    ])
}

/// An installation remembers the lockfile it was made from.
fn up_to_date(place: &std::path::Path, lock: &std::path::Path) -> bool {
    let made_from = std::fs::read(place.join(".made-from")).ok();
    made_from.is_some() && made_from == std::fs::read(lock).ok()
}

fn mark(place: &std::path::Path, lock: &std::path::Path) -> Outcome {
    copy(lock, &place.join(".made-from"))
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> Outcome {
    std::fs::copy(from, to)
        .map(drop)
        .map_err(|e| format!("{} to {}: {e}", from.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use super::new_enough;

    #[test]
    fn old_nodes_are_refused() {
        for good in ["v20.19.0", "v20.20.2", "v22.0.0", "v24.1.0"] {
            assert!(new_enough(good), "{good}");
        }
        for bad in ["v18.19.0", "v20.18.3", "v9.0.0", "", "node"] {
            assert!(!new_enough(bad), "{bad}");
        }
    }
}
