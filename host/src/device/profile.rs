//! The host's own part of a profile: the tables `[limits]`, `[policy]`, `[tls]`, `[plugin]` and `[service]` beside the
//! platform's flat keys.
//!
//! ```toml
//! broker = "mqtts://mqtt.example.com:8883"   # platform settings: flat keys, given to the plugin
//!
//! [limits]                                   # what the plugin may cost; never given to it
//! fuel = 50000000
//! [policy]                                   # what the device may use
//! firmware_hosts = ["ota.example.com"]
//! [tls]                                      # whom it trusts, and what it shows
//! mqtt_ca = "private-ca.pem"
//! [plugin]                                   # whose upgrades it takes
//! keys = ["MCowBQYDK2VwAyEA…"]
//! [service]                                  # how it is run without a person
//! log_level = "warning"
//! ```
//!
//! A key that nobody knows is an error: a misspelt limit must not be a limit that is not there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::service::ServiceKeys;
use super::slots::Pinned;
use crate::plugin::Limits;
use crate::plugin::package::{self, PublicKey};

/// The tables' names.
const TABLES: [&str; 5] = ["limits", "policy", "tls", "plugin", "service"];

/// What a profile says to the host.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HostProfile {
    limits: LimitKeys,
    pub(super) policy: PolicyKeys,
    pub(super) tls: TlsKeys,
    plugin: PluginKeys,
    pub(super) service: ServiceKeys,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LimitKeys {
    fuel: Option<u64>,
    deadline_ms: Option<u64>,
    memory_pages: Option<u64>,
    stack_bytes: Option<u64>,
    reply_bytes: Option<u64>,
    outputs: Option<u64>,
    commands_per_minute: Option<u64>,
    throttled_for_s: Option<u64>,
    violations: Option<u64>,
    restarts: Option<u64>,
    restart_after_ms: Option<u64>,
    last_good: Option<String>,
}

/// The plugin that runs when the chosen one has failed too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LastGood {
    BuiltIn,
    File(PathBuf),
    None,
}

/// `[policy]`: each key replaces what is derived from the settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PolicyKeys {
    pub(super) brokers: Option<Vec<String>>,
    pub(super) http: Option<Vec<String>>,
    pub(super) topics: Option<Vec<String>>,
    pub(super) store: Option<Vec<String>>,
    pub(super) firmware_hosts: Option<Vec<String>>,
    pub(super) firmware_schemes: Option<Vec<String>>,
    pub(super) firmware_max_size: Option<u64>,
}

/// `[tls]`: files, relative to the profile's folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TlsKeys {
    pub(super) ca: Option<PathBuf>,
    pub(super) mqtt_ca: Option<PathBuf>,
    pub(super) http_ca: Option<PathBuf>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

/// `[plugin]`: upgrades.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PluginKeys {
    keys: Vec<String>,
    name: Option<String>,
    min_counter: u64,
    machine_code: Option<bool>,
    trial_s: Option<u64>,
    trial_limit_s: Option<u64>,
}

/// Whose upgrades a device takes, and how long each is on trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upgrades {
    pub(super) pinned: Pinned,
    /// At least so long.
    pub(super) trial: Duration,
    /// And no longer, unless it has proven itself.
    pub(super) trial_limit: Duration,
}

/// What a plugin may cost, and what happens when it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Of one call.
    pub(super) plugin: Limits,
    /// Commands and immediate time-outs a minute, as many at once.
    pub(super) per_minute: u32,
    /// A plugin that was held back for so long on end has failed.
    pub(super) throttled_for: Duration,
    /// A plugin that asked so often for what the policy forbids has failed.
    pub(super) violations: u32,
    /// How often in a row a failed plugin is started again.
    pub(super) restarts: u32,
    /// The wait before the first restart; each further one doubles it.
    pub(super) restart_after: Duration,
}

impl HostProfile {
    /// Takes the host's tables out of a profile; what stays is the platform's. The error is for a person.
    pub(super) fn take(profile: &mut Value) -> Result<Self, String> {
        let Value::Object(map) = profile else { return Ok(Self::default()) };
        let mut own = Map::new();
        for name in TABLES {
            // No platform has a setting of such a name; if one had, it would be no table.
            if map.get(name).is_some_and(Value::is_object)
                && let Some(table) = map.remove(name)
            {
                let whole = Value::Object(Map::from_iter([(name.to_owned(), table.clone())]));
                serde_json::from_value::<Self>(whole).map_err(|e| format!("[{name}]: {e}"))?;
                own.insert(name.to_owned(), table);
            }
        }
        let profile: Self =
            serde_json::from_value(Value::Object(own)).map_err(|e| e.to_string())?;
        profile.bounds()?;
        profile.upgrades()?;
        profile.service.options()?;
        Ok(profile)
    }

    /// Which plugin takes over, with a path as seen from the profile's folder.
    pub(super) fn last_good(&self, profile: &Path) -> LastGood {
        match self.limits.last_good.as_deref() {
            None | Some("built-in") => LastGood::BuiltIn,
            Some("none" | "") => LastGood::None,
            Some(path) => LastGood::File(profile.parent().unwrap_or(Path::new("")).join(path)),
        }
    }

    /// Whose upgrades it takes: nobody's without a key.
    pub(super) fn upgrades(&self) -> Result<Upgrades, String> {
        let keys = &self.plugin;
        let wrong = |e: String| format!("[plugin]: {e}");
        let name = keys.name.clone().unwrap_or_else(|| "muster".into());
        if !package::is_name(&name) {
            return Err(wrong("`name` has to be 1 to 64 of a-z, 0-9, `-`, `_` and `.`".into()));
        }
        let pinned = Pinned {
            keys: keys
                .keys
                .iter()
                .map(|key| PublicKey::parse(key).map_err(|e| wrong(format!("a key {e}"))))
                .collect::<Result<_, _>>()?,
            name,
            lowest: keys.min_counter,
            // Without a compiler there is nothing else to run.
            machine_code: keys.machine_code.unwrap_or(cfg!(not(feature = "full"))),
        };
        let seconds = |key, given, low, usual| {
            number("plugin", key, given, low, 86_400, usual).map(Duration::from_secs)
        };
        let trial = seconds("trial_s", keys.trial_s, 0, 60)?;
        let trial_limit = seconds("trial_limit_s", keys.trial_limit_s, 1, 600)?;
        if trial > trial_limit {
            return Err(wrong("`trial_limit_s` has to be `trial_s` or more".into()));
        }
        Ok(Upgrades { pinned, trial, trial_limit })
    }

    /// The limits, each within what makes sense.
    pub(super) fn bounds(&self) -> Result<Bounds, String> {
        let keys = &self.limits;
        let number = |key, given, low, high, usual| number("limits", key, given, low, high, usual);
        let usual = Limits::default();
        let deadline_ms = match keys.deadline_ms {
            // No clock: fuel alone.
            Some(0) => None,
            given => Some(number("deadline_ms", given, 10, 60_000, 2_000)?),
        };
        let to_usize = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let to_u32 = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(Bounds {
            plugin: Limits {
                fuel: number("fuel", keys.fuel, 10_000, 10_000_000_000, usual.fuel)?,
                deadline: deadline_ms.map(Duration::from_millis),
                memory_pages: to_u32(number(
                    "memory_pages",
                    keys.memory_pages,
                    1,
                    4096,
                    u64::from(usual.memory_pages),
                )?),
                stack: to_usize(number(
                    "stack_bytes",
                    keys.stack_bytes,
                    16 << 10,
                    1 << 20,
                    usual.stack as u64,
                )?),
                reply: to_usize(number(
                    "reply_bytes",
                    keys.reply_bytes,
                    1 << 10,
                    16 << 20,
                    usual.reply as u64,
                )?),
                outputs: to_u32(number(
                    "outputs",
                    keys.outputs,
                    8,
                    10_000,
                    u64::from(usual.outputs),
                )?),
            },
            per_minute: to_u32(number(
                "commands_per_minute",
                keys.commands_per_minute,
                30,
                60_000,
                240,
            )?),
            throttled_for: Duration::from_secs(number(
                "throttled_for_s",
                keys.throttled_for_s,
                1,
                3600,
                60,
            )?),
            violations: to_u32(number("violations", keys.violations, 1, 1000, 5)?),
            restarts: to_u32(number("restarts", keys.restarts, 0, 1000, 5)?),
            restart_after: Duration::from_millis(number(
                "restart_after_ms",
                keys.restart_after_ms,
                10,
                300_000,
                1_000,
            )?),
        })
    }
}

impl TlsKeys {
    /// The same with every path as seen from here, not from the profile's folder.
    pub(super) fn beside(self, profile: &Path) -> Self {
        let folder = profile.parent().unwrap_or(Path::new(""));
        let from = |path: Option<PathBuf>| path.map(|path| folder.join(path));
        Self {
            ca: from(self.ca),
            mqtt_ca: from(self.mqtt_ca),
            http_ca: from(self.http_ca),
            certificate: from(self.certificate),
            key: from(self.key),
        }
    }
}

fn number(
    table: &str,
    key: &str,
    given: Option<u64>,
    low: u64,
    high: u64,
    usual: u64,
) -> Result<u64, String> {
    let n = given.unwrap_or(usual);
    if (low..=high).contains(&n) {
        Ok(n)
    } else {
        Err(format!("[{table}]: `{key}` has to be a number from {low} to {high}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn without_tables_everything_is_as_usual() {
        let mut value = json!({ "broker": "mqtt://h", "fuel": 1 });
        let bounds = HostProfile::take(&mut value).unwrap().bounds().unwrap();
        assert_eq!(bounds.plugin, Limits::default());
        assert_eq!((bounds.per_minute, bounds.violations, bounds.restarts), (240, 5, 5));
        assert_eq!(value, json!({ "broker": "mqtt://h", "fuel": 1 }));
    }

    #[test]
    fn every_limit_is_a_setting() {
        let mut value = json!({ "a": "b", "limits": {
            "fuel": 20_000, "deadline_ms": 0, "memory_pages": 4, "stack_bytes": 65_536, "reply_bytes": 4096,
            "outputs": 9, "commands_per_minute": 31, "throttled_for_s": 2, "violations": 1, "restarts": 0,
            "restart_after_ms": 50,
        }});
        let bounds = HostProfile::take(&mut value).unwrap().bounds().unwrap();
        let plugin = Limits {
            fuel: 20_000,
            deadline: None,
            memory_pages: 4,
            reply: 4096,
            outputs: 9,
            stack: 65_536,
        };
        let right = Bounds {
            plugin,
            per_minute: 31,
            throttled_for: Duration::from_secs(2),
            violations: 1,
            restarts: 0,
            restart_after: Duration::from_millis(50),
        };
        assert_eq!(bounds, right);
        assert_eq!(value, json!({ "a": "b" }));
    }

    #[test]
    fn what_is_misspelt_or_out_of_range_is_an_error() {
        for (bad, says) in [
            (json!({ "limits": { "fule": 1 } }), "fule"),
            (json!({ "limits": { "fuel": 1 } }), "10000 to"),
            (json!({ "limits": { "fuel": "much" } }), "[limits]"),
            (json!({ "limits": { "outputs": -1 } }), "[limits]"),
            (json!({ "policy": { "hosts": [] } }), "hosts"),
            (json!({ "tls": { "verify": false } }), "verify"),
            (json!({ "plugin": { "key": "" } }), "unknown field `key`"),
            (json!({ "plugin": { "keys": ["abc"] } }), "MCowBQYDK2VwAyEA"),
            (json!({ "plugin": { "name": "a b" } }), "`name`"),
            (json!({ "plugin": { "trial_s": 601 } }), "trial_limit_s"),
        ] {
            let error = HostProfile::take(&mut bad.clone()).unwrap_err();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }
}
