//! `muster plugin`: look into plugin files, sign them, stage them.

use std::fs;
use std::path::{Path, PathBuf};

use muster::wire::Describe;
use serde::Serialize;

use super::package::{Code, Manifest, Package};
use super::{Engine, Limits, PluginError, Shape, embedded_bytes, sign};
use crate::exit::Exit;

/// Look into plugin files, sign them, stage them.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what a plugin imports, exports, needs and is.
    Inspect {
        /// The core module; the embedded plugin if absent.
        file: Option<PathBuf>,
        /// One JSON object on standard output.
        #[arg(long)]
        json: bool,
    },
    /// Compile a plugin for devices without a compiler (`muster-device`), and sign the machine code.
    Precompile(Precompile),
    #[command(flatten)]
    Maker(sign::Maker),
    #[command(flatten)]
    Slots(crate::device::upgrade::Command),
}

/// Machine code and its package.
#[derive(Debug, clap::Args)]
struct Precompile {
    /// The core module; the embedded plugin if absent.
    file: Option<PathBuf>,
    /// Where to put the machine code; with --key, OUTPUT.manifest and OUTPUT.sig beside it.
    #[arg(short, long, default_value = "muster.cwasm")]
    output: PathBuf,
    /// The device's profile: machine code fits one set of [limits] alone.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// For any machine of this kind, such as x86_64-unknown-linux-gnu [default: machines like this one].
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// The private key's file (PEM). Without a signature no device runs it.
    #[arg(long, value_name = "FILE", requires = "release", requires = "counter")]
    key: Option<PathBuf>,
    /// For people: a semantic version such as 1.4.0.
    #[arg(long, value_name = "VERSION", requires = "key")]
    release: Option<String>,
    /// For devices: higher than that of every release before.
    #[arg(long, requires = "key")]
    counter: Option<u64>,
    /// Which plugin it is.
    #[arg(long, default_value = "muster")]
    name: String,
}

/// What `inspect` shows.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    bytes: usize,
    /// Whether a host runs it.
    plugin: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(flatten)]
    shape: Shape,
    describe: Option<Describe>,
    /// Fuel that `describe` took.
    describe_fuel: Option<u64>,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Exit> {
    let engine = Engine::new(Limits::default()).map_err(failed)?;
    match args.command {
        Command::Inspect { file, json } => inspect(&engine, file.as_deref(), json),
        Command::Precompile(what) => precompile(&what),
        Command::Maker(command) => sign::run(&engine, command),
        Command::Slots(command) => crate::device::upgrade::run(command),
    }
}

fn inspect(engine: &Engine, file: Option<&Path>, json: bool) -> Result<(), Exit> {
    let (name, bytes) = read(file)?;
    let report = report(engine, name, &bytes).map_err(failed)?;
    if json {
        let line = serde_json::to_string(&report).map_err(|error| Exit::local(error, ""))?;
        println!("{line}");
    } else {
        show(&report);
    }
    match report.problem {
        None => Ok(()),
        Some(problem) => Err(Exit::usage(problem, BUILD_ONE)),
    }
}

const BUILD_ONE: &str = "`cargo xtask plugin` builds one: target/plugin/muster.wasm";

fn report(engine: &Engine, file: String, bytes: &[u8]) -> Result<Report, PluginError> {
    let shape = engine.inspect(bytes)?;
    let described = engine.load(bytes).and_then(|plugin| {
        let mut instance = plugin.instantiate()?;
        let describe = instance.describe()?;
        Ok((describe, instance.fuel_used()))
    });
    let (describe, fuel, problem) = match described {
        Ok((describe, fuel)) => (Some(describe), Some(fuel), None),
        Err(error) => (None, None, Some(error.to_string())),
    };
    Ok(Report {
        file,
        bytes: bytes.len(),
        plugin: problem.is_none(),
        problem,
        shape,
        describe,
        describe_fuel: fuel,
    })
}

fn show(report: &Report) {
    println!("{}: {} bytes", report.file, report.bytes);
    match report.shape.imports.as_slice() {
        [] => println!("imports   none"),
        imports => println!("imports   {}", imports.join(", ")),
    }
    let pages = |pages: Option<u64>| pages.map_or("none".into(), |pages| pages.to_string());
    println!(
        "memory    {} pages of 64 KiB at first, declared maximum {}",
        pages(report.shape.initial_pages),
        pages(report.shape.maximum_pages)
    );
    println!("exports");
    for export in &report.shape.exports {
        println!("  {}  {}", export.name, export.kind);
    }
    if let Some(describe) = &report.describe {
        println!("version   {}", describe.version);
        println!("platforms {}", describe.platforms.join(", "));
        println!(
            "schema    {} (reads from {}), snapshots {}",
            describe.schema, describe.oldest_schema, describe.snapshot_schema
        );
        println!(
            "limits    requests of {} bytes, HTTP bodies of {} bytes",
            describe.limits.request, describe.limits.body
        );
    }
}

fn precompile(what: &Precompile) -> Result<(), Exit> {
    let limits = match &what.config {
        Some(profile) => crate::device::limits_in(profile)?,
        None => Limits::default(),
    };
    let engine = Engine::new(limits).map_err(failed)?;
    let (name, wasm) = read(what.file.as_deref())?;
    let target = what.target.as_deref();
    let code = match target {
        None => engine.precompile(&wasm),
        Some(target) => engine.precompile_for(target, &wasm),
    };
    let code = code.map_err(failed)?;
    let output = &what.output;
    println!("{}: {} bytes of machine code from {name}", output.display(), code.len());
    if let (Some(key), Some(version), Some(counter)) = (&what.key, &what.release, what.counter) {
        let key = sign::read_key(key)?;
        let describe = engine
            .load(&wasm)
            .and_then(|plugin| plugin.instantiate())
            .and_then(|mut instance| instance.describe())
            .map_err(failed)?;
        let manifest = Manifest::new(&what.name, version, counter, &code, &describe, &key.public())
            .map_err(|e| Exit::usage(e, "see `muster plugin precompile --help`"))?
            .of_code(Code::made_of(&wasm, target));
        for (ending, bytes) in Package::sign(code, &manifest, &key).files() {
            let mut path = output.clone().into_os_string();
            path.push(ending);
            write(Path::new(&path), bytes)?;
        }
        let Manifest { name, version, .. } = &manifest;
        println!("{name} {version} (counter {counter}) is signed with {}", key.public());
    } else {
        write(output, &code)?;
        println!("not signed: no device runs it; give --key, --release and --counter");
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Exit> {
    fs::write(path, bytes).map_err(|error| {
        let message = format!("cannot write {}: {error}", path.display());
        Exit::local(message, "choose another file with --output")
    })
}

fn read(file: Option<&Path>) -> Result<(String, Vec<u8>), Exit> {
    let Some(path) = file else {
        return Ok(("embedded plugin".into(), embedded_bytes().to_vec()));
    };
    let bytes = fs::read(path).map_err(|error| {
        Exit::local(format!("cannot read {}: {error}", path.display()), BUILD_ONE)
    })?;
    Ok((path.display().to_string(), bytes))
}

fn failed(error: PluginError) -> Exit {
    if let PluginError::NoSuchTarget(_) = error {
        let next = "run it on a machine of that kind, or name one of this architecture";
        return Exit::usage(error, next);
    }
    match error.blame() {
        super::Blame::Host => Exit::local(error, "this machine may lack address space or threads"),
        _ => Exit::usage(error, BUILD_ONE),
    }
}
