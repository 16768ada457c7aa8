//! Where settings come from: the running local cloud's demo, a file, the command line; later ones win.

use std::path::Path;
use std::time::Duration;

use muster::{Config, PlatformName, Settings};
use serde_json::Value;

use super::http::Http;
use super::profile::HostProfile;
use crate::exit::Exit;

/// Where `muster up` listens unless told otherwise.
const LOCAL_CLOUD: &str = "http://127.0.0.1:7878";

/// Settings that make a device, and where they are from.
pub(super) struct Gathered {
    pub(super) settings: Settings,
    pub(super) config: Config,
    /// For the first line of output.
    pub(super) source: String,
    /// Whether a person, not the demo, named the firmware version.
    pub(super) version_given: bool,
}

/// What the command line says about settings.
pub(super) struct Given<'a> {
    pub(super) platform: PlatformName,
    pub(super) file: Option<(&'a Path, Vec<(String, String)>)>,
    pub(super) pairs: &'a [(String, String)],
    pub(super) local: Option<&'a Path>,
}

/// Reads `KEY=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("has to be KEY=VALUE".to_owned()),
    }
}

/// The platform's and the host's part of a profile.
pub(super) fn read_profile(
    path: &Path,
    platform: PlatformName,
) -> Result<(Vec<(String, String)>, HostProfile), Exit> {
    let mut value = parse(path)?;
    let host = host_part(path, &mut value)?;
    Ok((settings_in(&value, path, platform)?, host))
}

/// The host's part of a profile alone.
pub(super) fn read_host_profile(path: &Path) -> Result<HostProfile, Exit> {
    host_part(path, &mut parse(path)?)
}

fn host_part(path: &Path, value: &mut Value) -> Result<HostProfile, Exit> {
    HostProfile::take(value).map_err(|why| {
        let next =
            "docs/device.md lists the keys of [limits], [policy], [tls], [plugin] and [service]";
        Exit::usage(format!("{}: {why}", path.display()), next)
    })
}

pub(super) fn gather(given: &Given<'_>, http: &Http) -> Result<Gathered, Exit> {
    let mut own = Vec::new();
    if let Some((_, pairs)) = &given.file {
        own.extend(pairs.iter().cloned());
    }
    own.extend(given.pairs.iter().cloned());
    let version_given = own.iter().any(|(key, _)| key == "firmware_version");
    let complete = |pairs: &[(String, String)]| {
        let mut settings = Settings::new();
        for (key, value) in pairs {
            settings.set(key, value);
        }
        Config::from_settings(given.platform, &settings).map(|config| (settings, config))
    };
    // Settings that stand on their own need no demo; a file says that they are meant to.
    let alone = complete(&own);
    let wants_demo = given.local.is_some() || (given.file.is_none() && alone.is_err());
    let (found, source) = if wants_demo {
        let base = match given.local {
            Some(path) => local_address(path)?,
            None => LOCAL_CLOUD.to_owned(),
        };
        let mut pairs = demo(http, &base, given.platform)?;
        pairs.extend(own);
        (complete(&pairs), format!("the demo product of the local cloud at {base}"))
    } else {
        let source =
            given.file.as_ref().map_or("the command line".into(), |(p, _)| p.display().to_string());
        (alone, source)
    };
    let (settings, config) = found.map_err(|error| {
        Exit::usage(
            error,
            format!(
                "set it with --set KEY=VALUE or in a file given with --config; the settings of {p} \
                 are listed in docs/protocols/{p}.md",
                p = given.platform
            ),
        )
    })?;
    Ok(Gathered { settings, config, source, version_given })
}

/// TOML, or JSON by its first character: flat keys, values of any simple type.
#[cfg(any(feature = "full", test))]
pub(crate) fn read_file(
    path: &Path,
    platform: PlatformName,
) -> Result<Vec<(String, String)>, Exit> {
    settings_in(&parse(path)?, path, platform)
}

const HOW_TO_WRITE: &str = "write one setting a line, KEY = \"value\" (TOML), or one JSON object";

fn parse(path: &Path) -> Result<Value, Exit> {
    let at = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| {
        Exit::local(format!("cannot read {at}: {e}"), "give an existing file with --config")
    })?;
    let wrong = |e: String| Exit::usage(format!("{at}: {e}"), HOW_TO_WRITE);
    if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))
    } else {
        // The parser's own message shows the line, and a line may hold a secret.
        toml::from_str(&text).map_err(|e| {
            let line = e.span().map(|span| 1 + text[..span.start].matches('\n').count());
            wrong(match line {
                Some(line) => format!("line {line}: {}", e.message()),
                None => e.message().to_owned(),
            })
        })
    }
}

fn settings_in(
    value: &Value,
    path: &Path,
    platform: PlatformName,
) -> Result<Vec<(String, String)>, Exit> {
    let wrong = |e: String| Exit::usage(format!("{}: {e}", path.display()), HOW_TO_WRITE);
    let pairs = flat(value).map_err(wrong)?;
    let (named, pairs): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(k, _)| k == "platform");
    match named.first() {
        Some((_, other)) if other != platform.as_str() => Err(wrong(format!(
            "the file is for platform {other}, the command line says {platform}"
        ))),
        _ => Ok(pairs),
    }
}

pub(crate) fn flat(value: &Value) -> Result<Vec<(String, String)>, String> {
    let Value::Object(map) = value else { return Err("has to be an object".into()) };
    map.iter()
        .map(|(key, value)| match value {
            Value::String(text) => Ok((key.clone(), text.clone())),
            Value::Number(n) => Ok((key.clone(), n.to_string())),
            Value::Bool(b) => Ok((key.clone(), b.to_string())),
            Value::Null => Ok((key.clone(), String::new())),
            _ => Err(format!("setting `{key}` has to be a single value")),
        })
        .collect()
}

/// The `http` address in the line that `muster up --json` printed.
pub(super) fn local_address(path: &Path) -> Result<String, Exit> {
    let at = path.display();
    let next = "write the file with: muster up --json > FILE";
    let text = std::fs::read_to_string(path)
        .map_err(|e| Exit::local(format!("cannot read {at}: {e}"), next))?;
    let line = text.lines().find(|line| line.trim_start().starts_with('{')).unwrap_or_default();
    serde_json::from_str::<Value>(line)
        .ok()
        .and_then(|value| Some(value.get("http")?.as_str()?.trim_end_matches('/').to_owned()))
        .ok_or_else(|| Exit::local(format!("{at} holds no address of a local cloud"), next))
}

pub(super) fn demo(
    http: &Http,
    base: &str,
    platform: PlatformName,
) -> Result<Vec<(String, String)>, Exit> {
    let url = format!("{base}/api/demo");
    let body = http.get(&url, Duration::from_secs(5)).map_err(|why| {
        Exit::network(
            format!("no local cloud answers at {base}: {why}"),
            "start it in another terminal: cargo xtask up; or give the settings of your own cloud \
             with --config FILE",
        )
    })?;
    let answer: Value = serde_json::from_slice(&body).map_err(|e| {
        Exit::network(
            format!("{url} did not answer with JSON: {e}"),
            "something else listens there; give the right address with --local FILE",
        )
    })?;
    let settings = answer.get(platform.as_str()).and_then(|demo| demo.get("settings"));
    settings.and_then(|settings| flat(settings).ok()).ok_or_else(|| {
        Exit::usage(
            format!("the local cloud at {base} has no demo product of {platform} any more"),
            "give the settings with --config FILE, or start the cloud with a new --data folder",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> Result<Vec<(String, String)>, Exit> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        read_file(&path, PlatformName::Ucloud)
    }

    #[test]
    fn toml_and_json_give_the_same_settings() {
        let toml = file("a", "device_sn = \"d\"\nkeep_alive = 60\nflag = true\n").unwrap();
        let json = file("b", "{\"device_sn\":\"d\",\"keep_alive\":60,\"flag\":true}").unwrap();
        let sorted = |mut pairs: Vec<_>| {
            pairs.sort();
            pairs
        };
        assert_eq!(sorted(toml), sorted(json));
    }

    #[test]
    fn a_broken_file_is_told_with_its_line_and_without_its_content() {
        let error = file("a", "device_sn = \"d\"\nproduct_secret = hunter22 oops\n").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("line 2") && !text.contains("hunter22"), "{text}");
    }

    #[test]
    fn a_file_for_another_platform_is_refused() {
        assert!(file("a", "platform = \"cmcc\"\n").is_err());
        assert_eq!(file("a", "platform = \"ucloud\"\n").unwrap(), []);
    }

    #[test]
    fn tables_are_no_settings() {
        assert!(file("a", "[table]\nkey = 1\n").unwrap_err().to_string().contains("`table`"));
    }

    #[test]
    fn pairs_may_hold_equals_signs_in_their_values() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(pair("a").is_err() && pair("=b").is_err());
    }
}
