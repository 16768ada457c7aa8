//! `muster device check`: whether a profile and a device's folder are as they have to be, before anything is started.
//!
//! Reads only: no folder is made, no file is touched, nothing is connected to. The plugin is opened with the settings and
//! what is stored, as a device would do it, and what it wants to do is thrown away; a plugin has no way to the outside, so
//! that changes nothing. The one trace is that the lock is asked for, and given back, for an instant; a device that starts just
//! then asks for it again.
//!
//! As much as possible is found in one run: a wrong setting does not hide an expired certificate.

mod certificate;
mod files;

use std::path::{Path, PathBuf};
use std::time::Duration;

use muster::wire::{Open, Refusal as Refused};
use muster::{ApiMisuse, Instant, Now, PlatformName, Settings, StoreKey, Stored, UnixTime};
use serde_json::{Map, Value, json};

use super::clock::{rfc3339, unix};
use super::config::{self, Gathered, Given};
use super::factory::{Factory, unusable};
use super::http::Http;
use super::policy::Policy;
use super::profile::{Bounds, HostProfile, LastGood, TlsKeys};
use super::service::is_secret;
use super::slots::{Need, State};
use super::tls::{Setup, Trust};
use super::{PROFILE, broken_plugin, platform, slots, store};
use crate::exit::{Exit, Kind};
use crate::plugin::package::PackageError;
use crate::plugin::{Engine, Plugin, PluginError};
use crate::text::harmless;

/// Arguments: those of `muster device` that say what a device is.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The cloud: ucloud, cmcc, krtyun or alibaba.
    #[arg(long, value_name = "P", value_parser = platform)]
    pub(super) platform: PlatformName,
    /// The profile: TOML, or one JSON object.
    #[arg(long, value_name = "FILE", required_unless_present = "set")]
    pub(super) config: Option<PathBuf>,
    /// One setting; beats the file.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = config::pair)]
    pub(super) set: Vec<(String, String)>,
    /// The device's folder [default: muster/devices/… in the user's data folder].
    #[arg(long, value_name = "DIR")]
    pub(super) store: Option<PathBuf>,
    /// The plugin that it came with, in place of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(super) plugin: Option<PathBuf>,
    /// Trust this CA (PEM), and no other, for TLS; beats the profile.
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// The client certificate (PEM); beats the profile.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(super) cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(super) key: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// It works, and may not be meant.
    Warning,
    /// The device would not start, or not live.
    Wrong(Kind),
}

struct Finding {
    weight: Weight,
    what: String,
    next: String,
}

/// What was found so far.
#[derive(Default)]
struct Report {
    findings: Vec<Finding>,
    /// What the device would be, part by part.
    facts: Map<String, Value>,
}

impl Report {
    fn wrong(&mut self, exit: Exit) {
        let Exit { kind, message, next } = exit;
        // Two parts may stumble over the same thing.
        if !self.findings.iter().any(|known| known.what == message) {
            self.findings.push(Finding { weight: Weight::Wrong(kind), what: message, next });
        }
    }

    fn warn(&mut self, what: impl Into<String>, next: &str) {
        let (what, next) = (what.into(), next.to_owned());
        self.findings.push(Finding { weight: Weight::Warning, what, next });
    }

    /// The value, or `None` and a finding.
    fn take<T>(&mut self, result: Result<T, Exit>) -> Option<T> {
        result.map_err(|exit| self.wrong(exit)).ok()
    }

    fn fact(&mut self, name: &str, value: Value) {
        self.facts.insert(name.to_owned(), value);
    }

    /// A wrong setting before everything else: it is the first thing to mend.
    fn kind(&self) -> Option<Kind> {
        let is = |kind| self.findings.iter().any(|found| found.weight == Weight::Wrong(kind));
        [Kind::Usage, Kind::Local, Kind::Rejected, Kind::Network].into_iter().find(|&kind| is(kind))
    }

    fn count(&self, warnings: bool) -> usize {
        let is_warning = |found: &&Finding| (found.weight == Weight::Warning) == warnings;
        self.findings.iter().filter(is_warning).count()
    }
}

/// Runs the command: 0 if it is fine, 2 if a setting is wrong, 4 if a file is.
pub(super) fn run(args: CheckArgs) -> Result<(), Exit> {
    let json = args.json;
    let mut report = Report::default();
    look(args, &mut report);
    if json {
        println!("{}", as_json(&report));
    } else {
        println!("{}", harmless(&as_text(&report)));
    }
    match report.kind() {
        None => Ok(()),
        Some(kind) => {
            let wrong = report.count(false);
            let plural = if wrong == 1 { "thing is" } else { "things are" };
            Err(Exit::new(
                kind,
                format!("{wrong} {plural} wrong, see above"),
                "mend it, and check again",
            ))
        }
    }
}

fn look(args: CheckArgs, report: &mut Report) {
    let at = args.config.as_deref().unwrap_or(Path::new("")).to_owned();
    let read = match &args.config {
        Some(path) => report.take(config::read_profile(path, args.platform)),
        None => Some((Vec::new(), HostProfile::default())),
    };
    clock(report);
    let Some((pairs, profile)) = read else { return };
    if let Some(path) = &args.config {
        let secret = pairs.iter().any(|(key, value)| holds_secret(args.platform, key, value));
        files::profile(path, secret, report);
    }
    // Both were looked at when the profile was read.
    let bounds = report.take(profile.bounds().map_err(|why| Exit::usage(why, PROFILE)));
    let upgrades = report.take(profile.upgrades().map_err(|why| Exit::usage(why, PROFILE)));
    let service = report.take(profile.service.options().map_err(|why| Exit::usage(why, PROFILE)));

    let mut keys = profile.tls.clone().beside(&at);
    if args.ca.is_some() {
        (keys.ca, keys.mqtt_ca, keys.http_ca) = (args.ca, None, None);
    }
    if args.cert.is_some() {
        (keys.certificate, keys.key) = (args.cert, args.key);
    }
    tls(&keys, report);

    let given = Given {
        platform: args.platform,
        file: Some((at.as_path(), pairs)),
        pairs: &args.set,
        local: None,
    };
    // Settings that stand on their own ask nobody.
    let gathered = report.take(config::gather(&given, &Http::new(&Trust::Public)));
    let identity = gathered.as_ref().map(|gathered| gathered.config.identity());
    if let Some(Gathered { config, settings, .. }) = &gathered {
        let policy = Policy::new(config, &profile.policy);
        if let Some(policy) = report.take(policy.map_err(|why| Exit::usage(why, PROFILE))) {
            report.fact("policy", policy.told());
        }
        addresses(config, report);
        if let Some(identity) = &identity {
            report.fact(
                "device",
                json!({ "platform": identity.platform.as_str(), "product": identity.product,
                        "device": identity.device }),
            );
        }
        let mut named: Vec<&str> = settings.keys().collect();
        named.sort_unstable();
        report.fact("settings", json!(named));
    }
    if let Some(bounds) = &bounds {
        report.fact("limits", limits(bounds));
    }

    let root = match (args.store, &identity) {
        (Some(dir), _) => Some(dir),
        (None, Some(identity)) => report.take(store::default_root(identity)),
        (None, None) => None,
    };
    let mut stored = None;
    if let Some(root) = &root {
        stored = files::folder(root, report);
        if let Some(service) = &service {
            let socket = service.socket(root);
            if let Some(socket) = &socket {
                files::socket(socket, report);
            }
            report.fact(
                "service",
                json!({ "socket": socket, "socket_mode": format!("{:04o}", service.mode),
                        "log_level": service.level.word(),
                        "unhealthy_after_s": service.unhealthy_after.as_secs() }),
            );
        }
    }

    let Some(bounds) = bounds else { return };
    let Some(engine) = report.take(Engine::new(bounds.plugin).map_err(|e| broken_plugin(&e)))
    else {
        return;
    };
    let Some(upgrades) = upgrades else { return };
    let folder = root.as_deref().unwrap_or(Path::new(""));
    let need = Need { pinned: upgrades.pinned, platform: Some(args.platform) };
    let mut names = Map::new();
    names.insert("keys".into(), need.pinned.keys.len().into());
    let factory = Factory::new(args.plugin, &need, folder);
    let mut runs = came_with("factory", &factory, &engine, &mut names, report);
    if let LastGood::File(path) = profile.last_good(&at) {
        let last_good = Factory::new(Some(path), &need, folder);
        came_with("last_good", &last_good, &engine, &mut names, report);
    }
    if let Some(root) = &root
        && let Some(active) = upgraded(root, &engine, &need, &mut names, report)
    {
        runs = Some(active);
    }
    report.fact("plugin", Value::Object(names));
    if let (Some(plugin), Some(gathered), Some(stored)) = (runs, gathered, stored) {
        opens(args.platform, &plugin, gathered.settings, stored, root.as_deref(), report);
    }
}

/// Whether a setting is one that nobody else should read.
fn holds_secret(platform: PlatformName, key: &str, value: &str) -> bool {
    !value.is_empty()
        && (is_secret(key) || (platform == PlatformName::Cmcc && key == "product_key"))
}

/// The first of 2024: Muster is younger, so a clock before that was never set.
const YOUNGEST: UnixTime = UnixTime(1_704_067_200_000);

fn clock(report: &mut Report) {
    let now = unix();
    if now < YOUNGEST {
        report.warn(
            format!(
                "this machine's clock says {}: certificates will not be valid yet",
                rfc3339(now)
            ),
            "set the clock, or wait for the network's time before the device starts",
        );
    }
}

fn tls(keys: &TlsKeys, report: &mut Report) {
    let now = unix();
    let mut fact = Map::new();
    for (name, path, is_own) in [
        ("ca", &keys.ca, false),
        ("mqtt_ca", &keys.mqtt_ca, false),
        ("http_ca", &keys.http_ca, false),
        ("certificate", &keys.certificate, true),
    ] {
        if let Some(path) = path {
            fact.insert(name.into(), path.display().to_string().into());
            certificate::look(path, is_own, now, report);
        }
    }
    if let Some(path) = &keys.key {
        fact.insert("key".into(), path.display().to_string().into());
        files::private("the private key", path, report);
    }
    if fact.is_empty() {
        fact.insert("ca".into(), "the public roots".into());
    }
    if let Some(setup) = report.take(Setup::new(keys)) {
        // Here the key is compared with the certificate.
        report.take(setup.mqtt());
    }
    report.fact("tls", Value::Object(fact));
}

/// What goes over the network in the clear.
fn addresses(config: &muster::Config, report: &mut Report) {
    let reach = config.reach();
    let far = |url: &str| {
        let host = super::http::host(url);
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let name = name.trim_start_matches('[').trim_end_matches(']');
        name != "localhost"
            && !name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    for (url, secure, what) in
        [(reach.broker, ["mqtts", "wss"], "MQTT"), (reach.http, ["https", "https"], "HTTP")]
    {
        let Some(url) = url else { continue };
        let scheme = url.split("://").next().unwrap_or_default();
        if !secure.contains(&scheme) && far(url) {
            report.warn(
                format!(
                    "{what} to {} is not encrypted: whoever is on the way can read and change it, a new secret too",
                    super::http::host(url)
                ),
                "use the encrypted address, if the cloud has one",
            );
        }
    }
}

fn limits(bounds: &Bounds) -> Value {
    let plugin = &bounds.plugin;
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    json!({
        "fuel": plugin.fuel, "deadline_ms": plugin.deadline.map_or(0, millis),
        "memory_pages": plugin.memory_pages, "stack_bytes": plugin.stack, "reply_bytes": plugin.reply,
        "outputs": plugin.outputs, "commands_per_minute": bounds.per_minute,
        "throttled_for_s": bounds.throttled_for.as_secs(), "violations": bounds.violations,
        "restarts": bounds.restarts, "restart_after_ms": millis(bounds.restart_after),
    })
}

/// A plugin that is named, or built in.
fn came_with(
    role: &str,
    factory: &Factory,
    engine: &Engine,
    names: &mut Map<String, Value>,
    report: &mut Report,
) -> Option<Plugin> {
    names.insert(role.into(), factory.name().into());
    match factory.look(engine) {
        Ok(plugin) => Some(plugin),
        // The device compiles the module beside it, if that is there: at every start of a device without its folder.
        Err(PackageError::Plugin(error @ PluginError::Foreign(_))) => {
            report.warn(
                format!("{}: {error}", factory.name()),
                "have it compiled for this build, or leave the .wasm that it was made of beside it",
            );
            None
        }
        Err(error) => report.take(Err(unusable(error))),
    }
}

/// The plugin in the slot that would run, if one would.
fn upgraded(
    root: &Path,
    engine: &Engine,
    need: &Need,
    names: &mut Map<String, Value>,
    report: &mut Report,
) -> Option<Plugin> {
    let state = report.take(State::of(root))?;
    let mut found = None;
    let slot = |slot: Option<slots::Slot>| slot.map_or(Value::Null, |slot| slot.name().into());
    names.insert("active_slot".into(), slot(state.active));
    names.insert("trial_slot".into(), slot(state.trial.as_ref().map(|trial| trial.slot)));
    names.insert("counter".into(), state.counter.into());
    names.insert("waits".into(), slots::waits(root).into());
    for (slot, is_trial) in
        [(state.active, false), (state.trial.as_ref().map(|trial| trial.slot), true)]
    {
        let Some(slot) = slot else { continue };
        match slots::check(root, slot, engine, need) {
            Ok((name, plugin)) => {
                let key = if is_trial { "on_trial" } else { "active" };
                names.insert(key.into(), name.into());
                found = found.or(Some(plugin));
            }
            Err(error) => report.warn(
                format!("the plugin in slot {} would not be started: {error}", slot.name()),
                "the one before it, or the one that the device came with, runs in its place",
            ),
        }
    }
    found
}

/// Whether the plugin takes the settings and what is stored.
fn opens(
    platform: PlatformName,
    plugin: &Plugin,
    settings: Settings,
    stored: Stored,
    root: Option<&Path>,
    report: &mut Report,
) {
    let now = Now { mono: Instant(0), unix: Some(unix()) };
    let open = Open::new(platform, settings, stored, [0; 32], now);
    let opened = plugin.instantiate().and_then(|mut instance| instance.open(&open));
    let folder = root.map(Path::display);
    let exit = match opened {
        Ok(_) => return,
        Err(PluginError::Refused(Refused::Misuse(ApiMisuse::StoredForAnotherDevice))) => {
            Exit::local(
                format!(
                    "{} holds another device",
                    folder.map(|at| at.to_string()).unwrap_or_default()
                ),
                "give this device a folder of its own: --store DIR",
            )
        }
        Err(PluginError::Refused(Refused::Misuse(ApiMisuse::StoredUnreadable(key)))) => {
            let file = format!("{}.json", key.name());
            store::damaged(&root.unwrap_or(Path::new("")).join(file), key)
        }
        Err(PluginError::Refused(Refused::Misuse(ApiMisuse::Config(problem)))) => {
            Exit::usage(problem, PROFILE)
        }
        Err(error) => Exit::local(
            format!("the plugin does not open: {error}"),
            crate::text::plugin_advice(&error),
        ),
    };
    report.wrong(exit);
}

fn as_json(report: &Report) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|found| {
            let (level, code) = match found.weight {
                Weight::Warning => ("warning", Value::Null),
                Weight::Wrong(kind) => ("error", json!(kind as u8)),
            };
            json!({ "level": level, "code": code, "what": found.what, "next": found.next })
        })
        .collect();
    let mut object = Map::new();
    object.insert("fine".into(), report.kind().is_none().into());
    object.insert("findings".into(), findings.into());
    object.extend(report.facts.clone());
    Value::Object(object)
}

fn as_text(report: &Report) -> String {
    let mut lines = Vec::new();
    for (name, value) in &report.facts {
        match value {
            Value::Object(fields) => {
                lines.push(format!("{name}:"));
                for (key, value) in fields {
                    lines.push(format!("  {key}: {}", plain(value)));
                }
            }
            other => lines.push(format!("{name}: {}", plain(other))),
        }
    }
    for found in &report.findings {
        let level = if found.weight == Weight::Warning { "warning" } else { "error" };
        lines.push(format!("{level}: {}\n  next: {}", found.what, found.next));
    }
    lines.push(match (report.count(false), report.count(true)) {
        (0, 0) => "fine".into(),
        (0, warnings) => format!("fine; warnings: {warnings}"),
        (wrong, warnings) => format!("wrong: {wrong}; warnings: {warnings}"),
    });
    lines.join("\n")
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::Bool(is) => if *is { "yes" } else { "no" }.into(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".into(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Of a stored credential: whether it is there, and never what it holds.
fn registered(stored: &Stored) -> bool {
    stored.get(StoreKey::Credential).is_some()
}
