//! `muster plugin stage`, `slots` and `reset` (`muster-device stage` and so on in the small build): a device's plugin, from outside of the device's process.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::config;
use super::slots::{self, Need, Outcome, Slots, State};
use super::store::DeviceDir;
use crate::exit::Exit;
use crate::plugin::Engine;
use crate::plugin::package::{Package, refused};

/// Commands on a device's folder.
#[derive(Debug)]
#[cfg_attr(feature = "full", derive(clap::Subcommand))]
pub(crate) enum Command {
    /// Give a signed plugin to a device. If it runs, it takes it within seconds, else when it starts.
    Stage {
        /// The plugin, with FILE.manifest and FILE.sig beside it.
        file: PathBuf,
        /// The device's folder.
        #[cfg_attr(feature = "full", arg(long, value_name = "DIR"))]
        store: PathBuf,
        /// The device's profile: it pins the keys.
        #[cfg_attr(feature = "full", arg(long, value_name = "FILE"))]
        config: PathBuf,
        /// Wait until it is confirmed, for so long at most.
        #[cfg_attr(feature = "full", arg(long, value_name = "DURATION", value_parser = super::duration))]
        wait: Option<Duration>,
    },
    /// Show which plugin a device runs, what is on trial, and how the last upgrade ended.
    Slots {
        /// The device's folder.
        #[cfg_attr(feature = "full", arg(long, value_name = "DIR"))]
        store: PathBuf,
        /// One JSON object on standard output.
        #[cfg_attr(feature = "full", arg(long))]
        json: bool,
    },
    /// Empty the slots of a device that does not run: back to the plugin that it came with. The counter stays.
    Reset {
        /// The device's folder.
        #[cfg_attr(feature = "full", arg(long, value_name = "DIR"))]
        store: PathBuf,
    },
}

/// How often a waiting person's command looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(crate) fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::Stage { file, store, config, wait } => stage(&file, &store, &config, wait),
        Command::Slots { store, json } => {
            let (state, waits) = look(&store)?;
            if json {
                println!("{}", as_json(&state, waits));
            } else {
                show(&state, waits);
            }
            Ok(())
        }
        Command::Reset { store } => {
            exists(&store)?;
            let _alone = DeviceDir::open(store.clone())?;
            let mut slots = Slots::open(&store)?;
            slots.reset().map_err(|e| disk(&store, &e))?;
            println!(
                "the device begins with the plugin that it came with; it still takes counters above {} only",
                slots.state().counter
            );
            Ok(())
        }
    }
}

fn stage(file: &Path, store: &Path, config: &Path, wait: Option<Duration>) -> Result<(), Exit> {
    exists(store)?;
    let wrong = |why| Exit::usage(why, super::PROFILE);
    let profile = config::read_host_profile(config)?;
    let pinned = profile.upgrades().map_err(wrong)?.pinned;
    let engine = Engine::new(profile.bounds().map_err(wrong)?.plugin)
        .map_err(|e| super::broken_plugin(&e))?;
    let package = Package::read(file).map_err(refused)?;
    let (state, _) = look(store)?;
    // For the person's sake: the device believes nobody, and looks itself.
    let need = Need { pinned, platform: None };
    let lowest = state.counter.saturating_add(1);
    let (verified, ..) = slots::look(package, lowest, &engine, &need).map_err(refused)?;
    slots::stage(store, verified.package()).map_err(|e| disk(store, &e))?;
    let manifest = verified.manifest();
    let what = format!("{} {} (counter {})", manifest.name, manifest.version, manifest.counter);
    println!("{what} is staged");
    match wait {
        None => Ok(()),
        Some(limit) => settled(store, &what, manifest.counter, limit),
    }
}

/// Waits for the device.
fn settled(store: &Path, what: &str, counter: u64, limit: Duration) -> Result<(), Exit> {
    let began = Instant::now();
    let mut taken = false;
    loop {
        let (state, waits) = look(store)?;
        let ended = state.last.as_ref().filter(|_| !waits && state.trial.is_none());
        match ended {
            Some(last) if last.outcome == Outcome::Confirmed && last.counter == Some(counter) => {
                println!("{what} is confirmed");
                return Ok(());
            }
            // Of a package that was refused nothing is known.
            Some(last) if last.counter.is_none_or(|number| number == counter) => {
                let next =
                    "the device goes on with the plugin that it had; see `muster plugin slots`";
                return Err(Exit::rejected(format!("{what} was not kept: {}", last.why), next));
            }
            _ => {}
        }
        taken |= !waits;
        if began.elapsed() >= limit {
            let (why, next) = if taken {
                ("is still on trial", "give it more time with --wait; see `muster plugin slots`")
            } else {
                ("was not taken yet", "start the device, or see what it says")
            };
            return Err(Exit::network(format!("{what} {why}"), next));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// What is known from outside, and whether a package waits.
fn look(store: &Path) -> Result<(State, bool), Exit> {
    exists(store)?;
    // In this order: a package is gone only after the state says what became of it.
    let waits = slots::waits(store);
    Ok((State::of(store)?, waits))
}

fn as_json(state: &State, waits: bool) -> Value {
    let mut value = serde_json::to_value(state).unwrap_or(Value::Null);
    if let Value::Object(map) = &mut value {
        map.insert("staged".into(), json!(waits));
    }
    value
}

fn show(state: &State, waits: bool) {
    match state.active {
        None => println!("runs      the plugin that it came with"),
        Some(slot) => println!("runs      slot {}", slot.name()),
    }
    if let Some(slot) = state.before {
        println!("before    slot {}", slot.name());
    }
    if let Some(trial) = &state.trial {
        println!(
            "trial     slot {}: {} (counter {}), started {} times",
            trial.slot.name(),
            trial.version,
            trial.counter,
            trial.starts
        );
    }
    println!("counter   {}: it takes higher ones only", state.counter);
    if waits {
        println!("staged    a package waits for the device");
    }
    if let Some(last) = &state.last {
        let version = last.version.as_deref().unwrap_or("a package");
        let why = if last.why.is_empty() { String::new() } else { format!(": {}", last.why) };
        println!("last      {version} {}{why}", last.outcome.words());
    }
}

fn exists(store: &Path) -> Result<(), Exit> {
    if store.is_dir() {
        return Ok(());
    }
    let next =
        "give the folder that `muster device` names in its first line, or start the device once";
    Err(Exit::usage(format!("there is no device in {}", store.display()), next))
}

fn disk(store: &Path, error: &std::io::Error) -> Exit {
    let next = "run it as the user that the device runs as, with room on the disk";
    Exit::local(format!("cannot write in {}: {error}", store.display()), next)
}
