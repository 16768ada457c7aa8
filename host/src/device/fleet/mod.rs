//! `muster fleet`: many devices in one process, each with its own store, policy and sandbox, all with one engine.
//!
//! | module | what it does |
//! | --- | --- |
//! | `list` | who the devices are: a CSV of settings, or new ones of the local cloud's demo product |
//! | `board` | what became of each, the line of counts, and the CSV of results |
//!
//! A device of a fleet is the device of `muster device`: the same driver, link and sandbox. What is new is who begins
//! when: `--at-once` devices are on their way to `ready`, the others wait.
//!
//! Deliberately absent: commands typed at single devices, and upgrades of a single device's plugin: all have the fleet's.
//! A device that runs a newer one of its own is not taken back to it, but left out.

mod board;
mod list;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use muster::PlatformName;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::config;
use super::driver::{Driver, Parts, Until, Upgrade};
use super::factory::{Factory, Loaded, unusable};
use super::firmware::Firmware;
use super::http::Http;
use super::policy::Policy;
use super::profile::{Bounds, HostProfile, LastGood, PolicyKeys, Upgrades};
use super::show::Show;
use super::signals::{Signal, Signals};
use super::slots::{Need, Slots, Start};
use super::store::{self, DeviceDir};
use super::tls;
use crate::exit::Exit;
use crate::plugin::{Engine, Plugin};
use board::{Board, Counts, Member};
use list::Device;

/// Threads for calls of the plugin, storage and HTTP. Each costs a stack, so there are not as many as devices.
const THREADS: usize = 64;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cloud: ucloud, cmcc, krtyun or alibaba.
    #[arg(long, value_name = "P", value_parser = super::platform)]
    platform: PlatformName,
    /// One device a row; the header names settings. A row adds to --config and --set.
    #[arg(long, value_name = "FILE.csv", required_unless_present = "count")]
    devices: Option<PathBuf>,
    /// So many new devices of the local cloud's demo product, named fleet-000001 and so on, instead of a list.
    #[arg(long, value_name = "N", conflicts_with_all = ["devices", "config"], value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: Option<u32>,
    /// Settings that all have in common, and the profile: TOML, or one JSON object.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting of all; beats the file and the demo.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = config::pair)]
    set: Vec<(String, String)>,
    /// The line that `muster up --json` printed: where the local cloud is.
    #[arg(long, value_name = "FILE")]
    local: Option<PathBuf>,
    /// The folder of the devices' folders [default: those of `muster device`].
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Another plugin than the built-in one.
    #[arg(long, value_name = "FILE")]
    plugin: Option<PathBuf>,
    /// How many devices may be between their start and `ready` at once.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    at_once: u32,
    /// Each device ends when it has reached this, and the fleet with the last.
    #[arg(long, value_name = "WHAT")]
    until: Option<Until>,
    /// End after this time, such as 90s, 10m or 2h.
    #[arg(long = "for", value_name = "DURATION", value_parser = super::duration)]
    limit: Option<Duration>,
    /// What became of each device: a CSV, written at the end.
    #[arg(long, value_name = "FILE.csv")]
    results: Option<PathBuf>,
    /// One JSON object a line: every event with its device, and the counts.
    #[arg(long)]
    json: bool,
}

/// What all devices have in common.
struct Common {
    platform: PlatformName,
    engine: Engine,
    factory: Factory,
    plugin: Plugin,
    need: Need,
    upgrades: Upgrades,
    last_good: Option<Plugin>,
    bounds: Bounds,
    policy: PolicyKeys,
    http: Http,
    tls: Arc<rustls::ClientConfig>,
    /// The folder of the devices' folders.
    root: PathBuf,
    until: Option<Until>,
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Exit> {
    let (pairs, profile) = match &args.config {
        Some(path) => config::read_profile(path, args.platform)?,
        None => (Vec::new(), HostProfile::default()),
    };
    let at = args.config.as_deref().unwrap_or(std::path::Path::new(""));
    let bounds = profile.bounds().map_err(|why| Exit::usage(why, super::PROFILE))?;
    let trust = tls::Setup::new(&profile.tls.clone().beside(at))?;
    let (http, tls) = (Http::new(&trust.http), trust.mqtt()?);
    let devices = match (&args.devices, args.count) {
        (Some(path), _) => {
            let given = list::Given {
                platform: args.platform,
                file: pairs,
                has_file: args.config.is_some(),
                set: &args.set,
                local: args.local.as_deref(),
            };
            list::read(path, &given, &http)?
        }
        (None, count) => {
            list::demo(args.platform, count.unwrap_or(1), &args.set, args.local.as_deref(), &http)?
        }
    };
    crate::up::raise_open_files();
    let room = u32::try_from(devices.len()).unwrap_or(u32::MAX);
    let engine =
        Engine::for_many(bounds.plugin.clone(), room).map_err(|e| super::broken_plugin(&e))?;
    let root = args.store.map_or_else(store::devices, Ok)?;
    let upgrades = profile.upgrades().map_err(|why| Exit::usage(why, super::PROFILE))?;
    let need = Need { pinned: upgrades.pinned.clone(), platform: Some(args.platform) };
    let factory = |path| Factory::new(path, &need, &root);
    let last_good = match profile.last_good(at) {
        LastGood::File(path) => Some(factory(Some(path))),
        // The built-in one is no other than itself.
        LastGood::BuiltIn if args.plugin.is_some() => Some(factory(None)),
        LastGood::BuiltIn | LastGood::None => None,
    };
    let last_good = last_good.map(|it| it.load(&engine)).transpose().map_err(unusable)?;
    let last_good = last_good.map(|loaded| loaded.plugin);
    let factory = factory(args.plugin);
    let Loaded { plugin, note } = factory.load(&engine).map_err(unusable)?;
    let allocation = engine.allocation().clone();
    let board = Board::new(args.platform, devices.iter().map(|d| d.name.clone()), args.json);
    board.begin(&allocation.to_string());
    if let Some(note) = &note {
        board.say(note);
    }
    let common = Common {
        platform: args.platform,
        engine,
        factory,
        plugin,
        need,
        upgrades,
        last_good,
        bounds,
        policy: profile.policy,
        http,
        tls,
        root,
        until: args.until,
        json: args.json,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        // A call of the plugin, a file or a request: none of them is deep.
        .thread_stack_size(1 << 20)
        .build()
        .map_err(|e| {
            Exit::local(
                format!("cannot start: {e}"),
                "free some memory and file handles, then try again",
            )
        })?;
    let counts = runtime.block_on(all(common, devices, args.at_once, args.limit, &board));
    runtime.shutdown_background();
    let counts = counts?;
    if let Some(path) = &args.results {
        board.results(path)?;
    }
    verdict(&counts, &board, args.until)
}

/// The fleet has done what it should if no device failed.
fn verdict(counts: &Counts, board: &Board, until: Option<Until>) -> Result<(), Exit> {
    let missed = if until.is_some() { counts.devices - counts.done } else { counts.failed };
    if missed == 0 {
        return Ok(());
    }
    let (kind, example) = board.worst();
    Err(Exit::new(
        kind,
        format!("{missed} of {} devices did not get there; {example}", counts.devices),
        "--results FILE.csv has the reason of each; start it again: those that are there go on where they were",
    ))
}

/// Lets all devices live until they end, the time is over or a person says so.
async fn all(
    common: Common,
    devices: Vec<Device>,
    at_once: u32,
    limit: Option<Duration>,
    board: &Board,
) -> Result<Counts, Exit> {
    let mut signals = Signals::listen(false)?;
    let (stop, stopped) = watch::channel(false);
    let gate = Arc::new(Semaphore::new(at_once as usize));
    let common = Arc::new(common);
    let mut tasks = JoinSet::new();
    for (number, device) in devices.into_iter().enumerate() {
        let (common, gate, mut stopped) = (common.clone(), gate.clone(), stopped.clone());
        let member = board.member(number);
        tasks.spawn(async move {
            let pass = tokio::select! {
                pass = gate.acquire_owned() => pass,
                _ = stopped.wait_for(|stop| *stop) => return,
            };
            // The gate is never closed.
            let Ok(pass) = pass else { return };
            member.begins(pass);
            let ended = one(&common, device, member.clone(), stopped).await;
            member.ended(ended);
        });
    }
    let end = limit.map(|limit| tokio::time::Instant::now() + limit);
    let mut tick = tokio::time::interval(board::EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            gone = tasks.join_next() => match gone {
                None => break,
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    return Err(Exit::local(format!("a device's task failed: {error}"), "report this as a defect"));
                }
            },
            _ = tick.tick() => {
                board.tell();
                if board.is_deaf() {
                    let _ = stop.send(true);
                }
            }
            // The drivers log their devices out, all at the same time.
            () = super::link::sleep(end), if !*stop.borrow() => {
                let _ = stop.send(true);
            }
            signal = signals.next() => if matches!(signal, Signal::End) {
                if *stop.borrow() {
                    // The second one: nobody waits any more.
                    return Ok(board.counts());
                }
                board.say("logging out; everything is stored");
                let _ = stop.send(true);
            },
        }
    }
    board.tell();
    Ok(board.counts())
}

/// One device, from its folder to its end.
async fn one(
    common: &Common,
    device: Device,
    member: Member,
    stopped: watch::Receiver<bool>,
) -> Result<(), Exit> {
    let Device { settings, config, version_given, .. } = device;
    let mut settings = settings;
    let policy =
        Policy::new(&config, &common.policy).map_err(|why| Exit::usage(why, super::PROFILE))?;
    let identity = config.identity();
    let root = store::below(&common.root, &identity);
    let opened = tokio::task::spawn_blocking(move || {
        let dir = DeviceDir::open(root)?;
        let stored = dir.load()?;
        let running = Firmware::new(dir.root()).running().map_err(|e| {
            Exit::local(
                format!("which firmware runs cannot be read from {}: {e}", dir.root().display()),
                "it was left as it is: move it away and start again",
            )
        })?;
        let slots = Slots::open(dir.root())?;
        if slots.state().active.is_some() || slots.state().trial.is_some() {
            return Err(Exit::usage(
                format!("{} has a newer plugin of its own", dir.root().display()),
                "run it with `muster device`, or go back with `muster plugin reset`",
            ));
        }
        Ok((dir, stored, running, slots))
    });
    let (dir, stored, running, slots) =
        opened.await.unwrap_or_else(|e| Err(Exit::local(e, "report this as a defect")))?;
    if let Some(running) = running
        && !version_given
    {
        settings.set("firmware_version", &running.version);
    }
    let parts = Parts {
        platform: common.platform,
        plugin: common.plugin.clone(),
        last_good: common.last_good.clone(),
        settings,
        bounds: common.bounds.clone(),
        policy: Arc::new(policy),
        dir: Arc::new(dir),
        http: common.http.clone(),
        tls: common.tls.clone(),
        show: Show::of_member(common.json, common.platform, member),
        until: common.until,
        limit: None,
        interactive: false,
    };
    let need = common.need.clone();
    let (engine, factory) = (common.engine.clone(), common.factory.clone());
    let upgrade = Upgrade::new(slots, engine, need, factory, &common.upgrades, Start::Factory);
    Driver::run(parts, Signals::of_fleet(stopped), upgrade.never(), stored).await
}
