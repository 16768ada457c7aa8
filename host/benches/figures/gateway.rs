//! Many devices in one host: what it takes to begin one, to keep one, and to tell one something; beside extism.
//!
//! A device's life is recorded once against the cloud in this process. A process of its own for each measurement then
//! tells it to every instance, so that neither a cloud's memory nor another measurement's is counted; what extism does
//! with the same bytes is measured by `tests/peers/extism` in the same way.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant as Clock;

use muster::PlatformName;
use muster::wire::Guest;
use muster_host::plugin::{Engine, Instance, Limits, embedded_bytes};
use serde::{Deserialize, Serialize};

use super::{Figure, lives};

/// The first argument of a process that measures.
pub(super) const MEASURE: &str = "measure-gateway";

const DEVICES: usize = 3_000;
/// Budgets.
const INSTANTIATE: f64 = 10.0;
const RESIDENT: f64 = 40.0;

/// What every instance is told, and what it has to answer.
#[derive(Serialize, Deserialize)]
struct Script {
    devices: usize,
    /// Requests and replies: the first of `open`, all others of `handle`.
    life: Vec<(Vec<u8>, Vec<u8>)>,
    /// The call that is timed in devices at rest.
    next: (Vec<u8>, Vec<u8>),
}

/// What came of it.
#[derive(Debug, Deserialize, Serialize)]
struct Measured {
    /// How the instances got their memory.
    allocation: String,
    /// Median microseconds to make an instance in a place that nobody had before.
    instantiate: f64,
    /// The same, and `describe`: a first call.
    first_call: f64,
    /// The same in a place that another instance just left.
    again: f64,
    /// Median microseconds of the call that a device at rest gets.
    next: f64,
    /// KiB of resident memory a device at rest; pages that many share count for each of them.
    resident: f64,
    /// KiB, of which shared pages count as a share.
    proportional: f64,
    /// Mappings a device.
    mappings: f64,
}

/// Ours beside the budgets, and beside extism where it was built.
pub(super) fn figures() -> Vec<Figure> {
    let Ok(folder) = tempfile::tempdir() else { return Vec::new() };
    let code = folder.path().join("muster.cwasm");
    code_for(&code);
    let mut figures = Vec::new();
    let mut heaviest: Option<(PlatformName, Measured)> = None;
    for platform in PlatformName::ALL {
        let script = folder.path().join(format!("{platform}.json"));
        write(&script, &script_of(platform));
        let measured = ours(&script, &code, "pooled");
        figures.push(resident(platform, &measured));
        if heaviest.as_ref().is_none_or(|(_, other)| other.resident < measured.resident) {
            heaviest = Some((platform, measured));
        }
    }
    let Some((platform, pooled)) = heaviest else { return figures };
    let script = folder.path().join(format!("{platform}.json"));
    figures.insert(0, instantiate(&pooled));
    let on_demand = ours(&script, &code, "on-demand");
    figures.push(pair(
        "instantiation again, pooled",
        "µs",
        pooled.again,
        on_demand.again,
        "on demand",
        format!("medians of {DEVICES}, one after the other: a pool has a place ready that was used before"),
    ));
    figures.extend(beside_extism(platform, &pooled, &script));
    figures
}

fn instantiate(measured: &Measured) -> Figure {
    pair(
        "instantiation, one of many",
        "µs",
        measured.instantiate,
        INSTANTIATE,
        "budget",
        format!(
            "median of {DEVICES} that all stay alive, each in a place that nobody had before, store and exports \
             included; {:.1} in a place that another just left ({})",
            measured.again, measured.allocation
        ),
    )
}

fn resident(platform: PlatformName, measured: &Measured) -> Figure {
    pair(
        &format!("resident memory of an idle device, {platform}"),
        "KiB",
        measured.resident,
        RESIDENT,
        "budget",
        format!(
            "{DEVICES} devices in one process, brought to Ready with recorded inputs; Rss of smaps_rollup, the pages \
             that all share counted for each: {:.1} if they count once (Pss); {:.2} mappings each; all of an instance, \
             without a connection",
            measured.proportional, measured.mappings
        ),
    )
}

/// Left out, and said why, where extism could not be built: a figure needs its peer.
fn beside_extism(platform: PlatformName, ours: &Measured, script: &Path) -> Vec<Figure> {
    let (host, guest) =
        match (std::env::var("MUSTER_EXTISM_HOST"), std::env::var("MUSTER_EXTISM_GUEST")) {
            (Ok(host), Ok(guest)) => (host, guest),
            _ => {
                let why = std::env::var("MUSTER_EXTISM_MISSING");
                let why = why.unwrap_or_else(|_| "`cargo xtask bench` builds it".into());
                eprintln!("figures beside extism left out: {why}");
                return Vec::new();
            }
        };
    let mut command = Command::new(host);
    command.arg(guest).arg(script);
    let theirs = match run(command) {
        Ok(theirs) => theirs,
        Err(why) => {
            eprintln!("figures beside extism left out: {why}");
            return Vec::new();
        }
    };
    let who = "extism 1.30.0";
    let how = |what: &str| {
        format!(
            "{what}; {DEVICES} instances in a process of its own each, both compiled before, both with fuel, a deadline \
             and a limit of memory, on the same agent, bytes and order ({platform}), every reply compared. extism 1.41, \
             the newest, needs a newer Rust than this workspace; 1.30.0 stands on wasmtime 43"
        )
    };
    vec![
        pair(
            "instantiation and first call",
            "µs",
            ours.first_call,
            theirs.first_call,
            who,
            how("median until the reply of `describe` (extism instantiates at the first call)"),
        ),
        pair(
            "a time-out in a device at rest",
            "µs",
            ours.next,
            theirs.next,
            who,
            how("median of one call of `handle` in each, so with cold caches"),
        ),
        pair(
            "resident memory of an idle device",
            "KiB",
            ours.resident,
            theirs.resident,
            who,
            how("Rss of smaps_rollup"),
        ),
    ]
}

fn pair(
    name: &str,
    unit: &'static str,
    ours: f64,
    other: f64,
    beside: &str,
    how: String,
) -> Figure {
    Figure {
        name: name.into(),
        unit,
        ours,
        other,
        beside: beside.into(),
        ratio: ours / other,
        more_is_better: false,
        how,
    }
}

fn script_of(platform: PlatformName) -> Script {
    let lives::Recording { open, inputs, next } = lives::recording(platform);
    let mut guest = Guest::new();
    let open = open.to_bytes().into_inner();
    let mut life = vec![(open.clone(), guest.open(open))];
    for input in inputs {
        let request = input.to_bytes().into_inner();
        life.push((request.clone(), guest.handle(request)));
    }
    let request = next.to_bytes().into_inner();
    let next = (request.clone(), guest.handle(request));
    Script { devices: DEVICES, life, next }
}

fn write(path: &Path, script: &Script) {
    let text = serde_json::to_vec(script).expect("a script is JSON");
    std::fs::write(path, text).expect("the temporary folder can be written to");
}

fn code_for(path: &Path) {
    let engine = Engine::new(Limits::default()).expect("the default limits are valid");
    let code = engine.precompile(embedded_bytes()).expect("the embedded plugin compiles");
    std::fs::write(path, code).expect("the temporary folder can be written to");
}

fn ours(script: &Path, code: &Path, allocation: &str) -> Measured {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.arg(MEASURE).args([script, code]).arg(allocation);
    run(command).expect("the measurement succeeds")
}

fn run(mut command: Command) -> Result<Measured, String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("{:?} does not start: {e}", command.get_program()))?;
    if !output.status.success() {
        return Err(format!("{:?} ended with {}", command.get_program(), output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())
}

/// The process that measures: the script, the plugin's machine code, and `pooled` or `on-demand`.
pub(super) fn measure(args: &[String]) {
    let [script, code, allocation] = args else { panic!("a script, machine code, an allocation") };
    let script: Script =
        serde_json::from_slice(&std::fs::read(script).expect("the script is there"))
            .expect("the script is JSON");
    let room = u32::try_from(script.devices).expect("devices are few") + 1;
    let engine = match allocation.as_str() {
        "pooled" => Engine::for_many(Limits::default(), room),
        _ => Engine::new(Limits::default()),
    };
    let engine = engine.expect("the default limits are valid");
    // Compiled in another process: what a compiler needs and gives back late would be counted too.
    let code = std::fs::read(code).expect("the machine code is there");
    // SAFETY: `code_for` made it in the process that started this one, in a folder of its own.
    #[allow(unsafe_code)]
    let plugin =
        unsafe { engine.load_precompiled(&code) }.expect("this engine's machine code loads");
    // What is needed once is not counted for each.
    plugin.instantiate().and_then(|mut i| i.describe()).expect("it can be called");

    let mut again = Vec::new();
    for _ in 0..script.devices {
        let begin = Clock::now();
        let instance = plugin.instantiate().expect("there is room");
        again.push(micros(begin));
        drop(instance);
    }
    let mut instances: Vec<Instance> = Vec::with_capacity(script.devices);
    let (mut fresh, mut first, mut next) = (Vec::new(), Vec::new(), Vec::new());
    // Pages of these lists are not the devices'.
    for list in [&mut fresh, &mut first, &mut next] {
        list.resize(script.devices, 0.0);
        list.clear();
    }
    let before = Resident::now();
    for _ in 0..script.devices {
        let begin = Clock::now();
        let mut instance = plugin.instantiate().expect("there is room");
        fresh.push(micros(begin));
        instance.describe().expect("it answers");
        first.push(micros(begin));
        live(&mut instance, &script);
        instances.push(instance);
    }
    let after = Resident::now();
    for instance in &mut instances {
        let begin = Clock::now();
        let reply = instance.handle_bytes(&script.next.0).expect("it answers");
        next.push(micros(begin));
        assert!(reply.expose() == script.next.1, "another reply than the agent's own");
    }
    let each = |after: f64, before: f64| (after - before) / script.devices as f64;
    let measured = Measured {
        allocation: engine.allocation().to_string(),
        instantiate: median(fresh),
        first_call: median(first),
        again: median(again),
        next: median(next),
        resident: each(after.rss, before.rss),
        proportional: each(after.pss, before.pss),
        mappings: each(after.mappings, before.mappings),
    };
    println!("{}", serde_json::to_string(&measured).expect("figures are JSON"));
}

fn live(instance: &mut Instance, script: &Script) {
    for (i, (request, expected)) in script.life.iter().enumerate() {
        let reply =
            if i == 0 { instance.open_bytes(request) } else { instance.handle_bytes(request) };
        let reply = reply.expect("it answers");
        assert!(reply.expose() == expected, "another reply than the agent's own");
    }
}

fn micros(begin: Clock) -> f64 {
    begin.elapsed().as_secs_f64() * 1e6
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Memory of this process, in KiB, and its mappings.
struct Resident {
    rss: f64,
    pss: f64,
    mappings: f64,
}

impl Resident {
    fn now() -> Self {
        let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
        let field = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
            kib.unwrap_or(f64::NAN)
        };
        let mappings = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        Self { rss: field("Rss:"), pss: field("Pss:"), mappings: mappings.lines().count() as f64 }
    }
}
