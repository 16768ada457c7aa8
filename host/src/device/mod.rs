//! `muster device`: one device's life, from its first power-on.
//!
//! The protocol runs as a plugin in wasmtime; this module carries out what it commands and tells it what happened.
//!
//! | module | what it does |
//! | --- | --- |
//! | `driver` | the loop: inputs in, outputs carried out, one timer |
//! | `config`, `profile` | settings from the local cloud's demo, a file, the command line |
//! | `sandbox`, `tokens`, `pace`, `policy` | what holds the plugin: beside the I/O, to its contract, to a rate, to what this device may use |
//! | `store` | the device's folder: values replaced in one step, durable before they are acknowledged |
//! | `link`, `transport`, `tls` | one MQTT connection over TCP, TLS or WebSocket |
//! | `fleet` | `muster fleet`: many of them in one process |
//! | `http` | the core's HTTP requests |
//! | `firmware` | downloads, and the two slots |
//! | `slots`, `upgrade`, `factory` | the plugin's own upgrades: slots, staging, what it came with |
//! | `service`, `ask`, `check` | run without a person: log, health socket, metrics, systemd; the questions about it |
//! | `show`, `commands`, `signals`, `clock` | the person, and the machine |

#[cfg(feature = "small")]
pub mod arguments;
#[cfg(feature = "full")]
mod ask;
mod bar;
#[cfg(feature = "full")]
mod check;
mod clock;
mod commands;
pub(crate) mod config;
mod driver;
mod factory;
mod firmware;
#[cfg(feature = "full")]
pub mod fleet;
pub(crate) mod http;
mod link;
mod pace;
mod policy;
mod profile;
mod sandbox;
mod service;
mod show;
mod signals;
pub(crate) mod slots;
mod store;
pub(crate) mod tls;
mod tokens;
pub(crate) mod transport;
pub(crate) mod upgrade;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use muster::{Identity, PlatformName, StoreKey};

use crate::exit::Exit;
use crate::plugin::package::{Package, PackageError};
use crate::plugin::{Engine, Plugin, PluginError};
use driver::{Driver, Parts, Until, Upgrade};
use factory::{Factory, unusable};
use firmware::Firmware;
use http::Http;
use policy::Policy;
use profile::{HostProfile, LastGood};
use service::{Hidden, Service};
use show::Show;
use signals::Signals;
use slots::{Need, NotTaken, Slots, Start};
use store::DeviceDir;

/// Arguments.
///
/// With neither --config nor complete settings it is the demo device of the local cloud that `cargo xtask up` runs.
#[derive(Debug)]
#[cfg_attr(feature = "full", derive(clap::Args))]
pub struct Args {
    /// The cloud: ucloud, cmcc, krtyun or alibaba.
    #[cfg_attr(feature = "full", arg(long, value_name = "P", value_parser = platform))]
    platform: PlatformName,
    /// Settings: TOML with flat keys, or one JSON object.
    #[cfg_attr(feature = "full", arg(long, value_name = "FILE"))]
    config: Option<PathBuf>,
    /// One setting; beats the file and the demo.
    #[cfg_attr(feature = "full", arg(long = "set", value_name = "KEY=VALUE", value_parser = config::pair))]
    set: Vec<(String, String)>,
    /// The line that `muster up --json` printed: where the local cloud is.
    #[cfg_attr(feature = "full", arg(long, value_name = "FILE"))]
    local: Option<PathBuf>,
    /// The device's folder [default: muster/devices/… in the user's data folder].
    #[cfg_attr(feature = "full", arg(long, value_name = "DIR"))]
    store: Option<PathBuf>,
    /// The plugin that it came with, in place of the built-in one; upgrades come before it.
    #[cfg_attr(feature = "full", arg(long, value_name = "FILE"))]
    plugin: Option<PathBuf>,
    /// Trust this CA (PEM), and no other, for TLS; beats the profile.
    #[cfg_attr(feature = "full", arg(long, value_name = "FILE"))]
    ca: Option<PathBuf>,
    /// The client certificate (PEM) for a broker that asks for one; beats the profile.
    #[cfg_attr(feature = "full", arg(long, value_name = "FILE", requires = "key"))]
    cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[cfg_attr(feature = "full", arg(long, value_name = "FILE", requires = "cert"))]
    key: Option<PathBuf>,
    /// End when this is reached.
    #[cfg_attr(feature = "full", arg(long, value_name = "WHAT"))]
    until: Option<Until>,
    /// End after this time, such as 90s, 10m or 2h.
    #[cfg_attr(feature = "full", arg(long = "for", value_name = "DURATION", value_parser = duration))]
    limit: Option<Duration>,
    /// One JSON object a line.
    #[cfg_attr(feature = "full", arg(long))]
    json: bool,
    /// Take commands from stdin even if it is no terminal; type help for the list.
    #[cfg_attr(feature = "full", arg(long))]
    commands: bool,
    /// Run without a person: JSON log on stderr, health socket, systemd's notifications (docs/service.md).
    #[cfg_attr(feature = "full", arg(long, conflicts_with_all = ["json", "commands"]))]
    service: bool,
}

/// `muster device`: its own arguments, or a question about a device.
#[cfg(feature = "full")]
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Cli {
    #[command(subcommand)]
    about: Option<About>,
    #[command(flatten)]
    device: Option<Args>,
}

#[cfg(feature = "full")]
#[derive(Debug, clap::Subcommand)]
enum About {
    /// Look whether a profile and a device's folder are as they have to be; nothing is started or changed.
    Check(check::CheckArgs),
    /// Ask a device that runs with --service how it is.
    Status(ask::StatusArgs),
}

/// Runs the command or its subcommand.
#[cfg(feature = "full")]
pub fn command(cli: Cli) -> Result<(), Exit> {
    match (cli.about, cli.device) {
        (Some(About::Check(args)), _) => check::run(args),
        (Some(About::Status(args)), _) => ask::run(args),
        (None, Some(args)) => run(args),
        (None, None) => Err(Exit::usage("--platform is missing", "see muster device --help")),
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Exit> {
    let service = args.service;
    let (mut who, hidden) = (None, Hidden::default());
    let lived = live(args, &mut who, &hidden);
    if let (true, Err(exit)) = (service, &lived) {
        // In the log, where whoever looks into it expects it; nothing is left to be cleared away.
        service::last_words(exit, who.as_ref(), hidden);
        std::process::exit(exit.kind as i32);
    }
    lived
}

/// `who` and `hidden` are filled in as soon as they are known, for a failure at any point after that.
fn live(args: Args, who: &mut Option<Identity>, hidden: &Hidden) -> Result<(), Exit> {
    let (file, profile) = match &args.config {
        Some(path) => {
            let (pairs, profile) = config::read_profile(path, args.platform)?;
            (Some((path.as_path(), pairs)), profile)
        }
        None => (None, HostProfile::default()),
    };
    let bounds = profile.bounds().map_err(|why| Exit::usage(why, PROFILE))?;
    let upgrades = profile.upgrades().map_err(|why| Exit::usage(why, PROFILE))?;
    let at = args.config.as_deref().unwrap_or(Path::new(""));
    let mut tls = profile.tls.clone().beside(at);
    if args.ca.is_some() {
        (tls.ca, tls.mqtt_ca, tls.http_ca) = (args.ca, None, None);
    }
    if args.cert.is_some() {
        (tls.certificate, tls.key) = (args.cert, args.key);
    }
    let trust = tls::Setup::new(&tls)?;
    let (http, tls) = (Http::new(&trust.http), trust.mqtt()?);
    let gathered = config::gather(
        &config::Given {
            platform: args.platform,
            file,
            pairs: &args.set,
            local: args.local.as_deref(),
        },
        &http,
    )?;
    hidden.learn_settings(args.platform, &gathered.settings);
    let identity = gathered.config.identity();
    *who = Some(identity.clone());
    let policy =
        Policy::new(&gathered.config, &profile.policy).map_err(|why| Exit::usage(why, PROFILE))?;
    let root = match args.store {
        Some(dir) => dir,
        None => store::default_root(&identity)?,
    };
    let dir = Arc::new(DeviceDir::open(root)?);
    let stored = dir.load()?;
    let credential = stored.get(StoreKey::Credential);
    if let Some(credential) = credential {
        hidden.learn(credential.expose());
    }
    let registered = credential.is_some();
    let mut settings = gathered.settings;
    let firmware = Firmware::new(dir.root());
    let running = firmware.running().map_err(|e| {
        Exit::local(
            format!("which firmware runs cannot be read from {}: {e}", firmware.dir().display()),
            "it was left as it is: move it away and start again",
        )
    })?;
    if let Some(running) = running
        && !gathered.version_given
    {
        settings.set("firmware_version", &running.version);
    }
    let engine = Engine::new(bounds.plugin.clone()).map_err(|e| broken_plugin(&e))?;
    let need = Need { pinned: upgrades.pinned.clone(), platform: Some(args.platform) };
    let factory = |path| Factory::new(path, &need, dir.root());
    let last_good = match profile.last_good(at) {
        LastGood::File(path) => Some(factory(Some(path))),
        // The built-in one is no other than itself; the small build has none.
        LastGood::BuiltIn if args.plugin.is_some() && cfg!(feature = "full") => Some(factory(None)),
        LastGood::BuiltIn | LastGood::None => None,
    };
    let last_good = last_good.map(|it| it.load(&engine)).transpose().map_err(unusable)?;
    let last_good = last_good.map(|loaded| loaded.plugin);
    let mut show = Show::new(args.json, args.platform);
    let options = profile.service.options().map_err(|why| Exit::usage(why, PROFILE))?;
    let mut slots = Slots::open(dir.root())?;
    let chosen = choose(&mut slots, &engine, &need, factory(args.plugin))?;
    let Chosen { start, plugin, plugin_name, factory, note, passed, refused, disk } = chosen;
    let root = std::path::absolute(dir.root()).unwrap_or_else(|_| dir.root().to_owned());
    if args.service {
        let hidden = hidden.clone();
        let service =
            Service::begin(&options, &identity, dir.root(), &plugin_name, registered, hidden)?;
        show.serve(service);
    }
    show.device(&identity, &root.display().to_string(), &gathered.source, &plugin_name);
    if let Some(note) = &note {
        show.note(note);
    }
    if let Some(error) = &refused {
        show.upgrade(&show::Upgrade::Refused { error });
    }
    for (slot, error) in &passed {
        show.upgrade(&show::Upgrade::PassedOver { slot: slot.name(), error });
    }
    for error in &disk {
        show.note(&format!("no upgrade now: {}: {error}", slots.dir().display()));
    }
    if let Start::Trial(_) = &start {
        show.upgrade(&show::Upgrade::Trial { name: &plugin_name, opened: true });
    }
    let interactive = args.commands || (!args.service && std::io::stdin().is_terminal());
    let mut parts = Parts {
        platform: args.platform,
        plugin,
        last_good,
        settings,
        bounds,
        policy: Arc::new(policy),
        dir,
        http,
        tls,
        show,
        until: args.until,
        limit: args.limit,
        interactive,
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| {
            Exit::local(
                format!("cannot start: {e}"),
                "free some memory and file handles, then try again",
            )
        })?;
    let result = runtime.block_on(async {
        let upgrade = Upgrade::new(slots, engine, need, factory, &upgrades, start);
        parts.show.receive()?;
        let signals = Signals::listen(parts.show.is_service())?;
        Driver::run(parts, signals, upgrade, stored).await
    });
    // A request that is still under way on a thread is nobody's any more.
    runtime.shutdown_background();
    result
}

/// Gives a package to the device in this folder, which takes it within seconds, or when it starts. Nothing is verified
/// here: the device does that, with the keys of its profile.
pub fn stage(device: &Path, package: &Package) -> std::io::Result<()> {
    slots::stage(device, package)
}

/// The limits that a profile sets.
#[cfg(feature = "full")]
pub(crate) fn limits_in(profile: &Path) -> Result<crate::plugin::Limits, Exit> {
    let bounds = config::read_host_profile(profile)?.bounds();
    Ok(bounds.map_err(|why| Exit::usage(why, PROFILE))?.plugin)
}

/// What to do about a profile that cannot be used.
const PROFILE: &str = "change the profile given with --config; docs/device.md lists its keys";

/// The plugin that a device starts with.
struct Chosen {
    start: Start,
    plugin: Plugin,
    plugin_name: String,
    factory: Factory,
    /// How the factory's was come by.
    note: Option<String>,
    /// Slots that were not started, and why.
    passed: Vec<(slots::Slot, PackageError)>,
    /// Why the package that waited was not taken.
    refused: Option<PackageError>,
    /// What the disk did not do. A device lives without upgrades.
    disk: Vec<std::io::Error>,
}

fn choose(
    slots: &mut Slots,
    engine: &Engine,
    need: &Need,
    factory: Factory,
) -> Result<Chosen, Exit> {
    let (mut passed, mut refused, mut disk) = (Vec::new(), None, Vec::new());
    if slots.wants_to_take() {
        match slots.take(slots.state().active, engine, need) {
            Ok(_) => {}
            Err(NotTaken::Refused(error)) => refused = Some(error),
            Err(NotTaken::Disk(e)) => disk.push(e),
        }
    }
    let mut note = |slot, error: &PackageError| passed.push((slot, error.clone()));
    let (start, failed) = slots.start(engine, need, &mut note);
    disk.extend(failed);
    let (plugin, plugin_name, note) = match &start {
        Start::Factory => {
            let loaded = factory.load(engine).map_err(unusable)?;
            (loaded.plugin, factory.name(), loaded.note)
        }
        Start::Active(candidate) | Start::Trial(candidate) => {
            (candidate.plugin.clone(), candidate.name(), None)
        }
    };
    Ok(Chosen { start, plugin, plugin_name, factory, note, passed, refused, disk })
}

fn broken_plugin(error: &PluginError) -> Exit {
    Exit::local(error, "use the built-in plugin (without --plugin), or one for this version")
}

fn platform(text: &str) -> Result<PlatformName, String> {
    text.parse().map_err(|_| "has to be one of ucloud, cmcc, krtyun, alibaba".to_owned())
}

/// `500ms`, `10s`, `10m`, `2h`; without a unit, seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let problem = || "has to be a number with ms, s, m or h, such as 90s".to_owned();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| problem())?;
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(problem()),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        for (text, millis) in [("10s", 10_000), ("250ms", 250), ("2h", 7_200_000), ("5", 5_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
        }
        for bad in
            ["", "s", "-1s", "1.5s", "10 s", "99999999999999999999s", "18446744073709551615h"]
        {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
