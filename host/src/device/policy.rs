//! What this device may use: hosts, ports, schemes, topics, keys, sizes.
//!
//! A plugin has no way out but its commands, and commands are data: so everything that it can ever touch is decided
//! here, in one place, before anything is carried out. By default a device may use what its platform's protocol needs
//! with its settings ([`Reach`]) and nothing else; `[policy]` in the profile replaces any part of it.
//!
//! Addresses are read by the same readers that connect, so that there is no address which one of them understands
//! otherwise than the other.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use muster::{Command, Config, Identity, Reach, StoreKey};
#[cfg(feature = "full")]
use serde_json::{Value, json};

use super::profile::PolicyKeys;
use super::store::MAX_VALUE;
use super::transport::Address;

/// Everything that a device may use.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    brokers: Vec<Endpoint>,
    http: Vec<Endpoint>,
    topics: Vec<Filter>,
    store: Vec<StoreKey>,
    firmware: Firmware,
}

/// Where images may come from.
#[derive(Clone, Debug)]
pub(super) struct Firmware {
    /// `*` stands for any.
    hosts: Vec<String>,
    schemes: Vec<String>,
    max_size: u64,
}

/// What was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The part of the policy.
    pub(super) rule: &'static str,
    /// What was asked for, for a person.
    pub(super) asked: String,
    /// Whether the plugin is to blame. A firmware's address comes from the cloud.
    pub(super) plugins: bool,
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Endpoint {
    scheme: &'static str,
    host: String,
    port: u16,
}

/// A topic filter, level by level.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Filter(Vec<Level>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Is(String),
    /// `+`
    Any,
    /// `#`
    Rest,
}

impl Refused {
    /// More at a time than the device does.
    pub(super) fn too_many(plugins: bool) -> Self {
        let asked = "too many things of one kind at a time".into();
        Self { rule: "at_a_time", asked, plugins }
    }
}

impl Policy {
    /// The policy of a device with these settings. The error is for a person: a part that cannot be read, or that
    /// forbids what the settings need.
    pub(super) fn new(config: &Config, keys: &PolicyKeys) -> Result<Self, String> {
        let reach = config.reach();
        let identity = config.identity();
        let (broker, http) = (needed(reach.broker, broker)?, needed(reach.http, http)?);
        let policy = Self {
            brokers: match &keys.brokers {
                Some(urls) => all("brokers", urls, broker_of)?,
                None => broker.clone().into_iter().collect(),
            },
            http: match &keys.http {
                Some(urls) => all("http", urls, http_of)?,
                None => http.clone().into_iter().collect(),
            },
            topics: match &keys.topics {
                Some(filters) => filters
                    .iter()
                    .map(|filter| {
                        Filter::parse(filter, &identity).ok_or_else(|| bad("topics", filter))
                    })
                    .collect::<Result<_, _>>()?,
                None => reach.topics.iter().filter_map(|f| Filter::parse(f, &identity)).collect(),
            },
            store: match &keys.store {
                Some(names) => names
                    .iter()
                    .map(|name| {
                        let found = StoreKey::ALL.into_iter().find(|key| key.name() == name);
                        found.ok_or_else(|| bad("store", name))
                    })
                    .collect::<Result<_, _>>()?,
                None => reach.store.to_vec(),
            },
            firmware: Firmware::new(&reach, keys, [&broker, &http])?,
        };
        for (part, endpoint, allowed) in
            [("brokers", &broker, &policy.brokers), ("http", &http, &policy.http)]
        {
            if let Some(endpoint) = endpoint
                && !allowed.contains(endpoint)
            {
                return Err(format!(
                    "[policy]: `{part}` forbids {endpoint}, which the settings name"
                ));
            }
        }
        Ok(policy)
    }

    /// Whether a command may be carried out. `may_erase`: a person has asked for something that can void the secret.
    pub(super) fn check(&self, command: &Command, may_erase: bool) -> Result<(), Refused> {
        match command {
            Command::Connect(_, connect) => match broker_of(&connect.url) {
                Some(endpoint) if self.brokers.contains(&endpoint) => Ok(()),
                found => Err(refused("brokers", "a connection to", &named(found))),
            },
            Command::Request(_, request) => match http_of(&request.url) {
                Some(endpoint) if self.http.contains(&endpoint) => Ok(()),
                found => Err(refused("http", "a request to", &named(found))),
            },
            Command::Publish(_, publish) => {
                // A name with a wildcard in it is no name.
                let name = Filter::literal(&publish.topic);
                if name.is_some_and(|name| self.topics.iter().any(|filter| filter.covers(&name))) {
                    Ok(())
                } else {
                    Err(refused("topics", "publishing to", &publish.topic))
                }
            }
            Command::Subscribe(_, subscribe) => {
                let wanted = Filter::read(&subscribe.topic, |level| vec![Level::Is(level.into())]);
                if wanted.is_some_and(|w| self.topics.iter().any(|filter| filter.covers(&w))) {
                    Ok(())
                } else {
                    Err(refused("topics", "subscribing to", &subscribe.topic))
                }
            }
            Command::Store(_, key, _) if !self.store.contains(key) => {
                Err(refused("store", "storing", key.name()))
            }
            Command::Store(_, key, value) => {
                // Anything else would be a device that cannot start again.
                let whole = value.expose().len() as u64 <= MAX_VALUE
                    && serde_json::from_slice::<serde::de::IgnoredAny>(value.expose()).is_ok();
                if whole {
                    Ok(())
                } else {
                    Err(refused("values", "storing no JSON as", key.name()))
                }
            }
            Command::Erase(_, key) if !self.store.contains(key) => {
                Err(refused("store", "erasing", key.name()))
            }
            // The only copy of a secret goes when a person says so, and never otherwise.
            Command::Erase(_, StoreKey::Credential) if !may_erase => {
                Err(refused("secret", "erasing the secret, which nobody asked for:", "credential"))
            }
            Command::Download(_, download) => {
                if download.max_size > self.firmware.max_size {
                    let asked = format!("of up to {} bytes", download.max_size);
                    return Err(refused("firmware_max_size", "an image", &asked));
                }
                self.firmware.check(&download.url)
            }
            _ => Ok(()),
        }
    }

    /// Part by part, for a person.
    #[cfg(feature = "full")]
    pub(super) fn told(&self) -> Value {
        let all = |endpoints: &[Endpoint]| -> Vec<String> {
            endpoints.iter().map(Endpoint::to_string).collect()
        };
        json!({
            "brokers": all(&self.brokers),
            "http": all(&self.http),
            "topics": self.topics.iter().map(Filter::to_string).collect::<Vec<_>>(),
            "store": self.store.iter().map(|key| key.name()).collect::<Vec<_>>(),
            "firmware_hosts": self.firmware.hosts,
            "firmware_schemes": self.firmware.schemes,
            "firmware_max_size": self.firmware.max_size,
        })
    }

    pub(super) fn firmware(&self) -> &Firmware {
        &self.firmware
    }
}

impl Firmware {
    /// By default from the servers of the settings and the vendor's own storage: an address is a message, too, and one
    /// that the plugin could make up.
    fn new(
        reach: &Reach<'_>,
        keys: &PolicyKeys,
        servers: [&Option<Endpoint>; 2],
    ) -> Result<Self, String> {
        let schemes = match &keys.firmware_schemes {
            None => vec!["http".to_owned(), "https".to_owned()],
            Some(given) => match given.iter().find(|s| !["http", "https"].contains(&s.as_str())) {
                Some(scheme) => return Err(bad("firmware_schemes", scheme)),
                None => given.clone(),
            },
        };
        let hosts: Vec<String> = match &keys.firmware_hosts {
            Some(hosts) => hosts.iter().map(|host| plain(host)).collect(),
            None => {
                let mut hosts: Vec<String> =
                    reach.firmware_hosts.iter().map(|&host| host.into()).collect();
                for endpoint in servers.into_iter().flatten() {
                    hosts.push(endpoint.host.clone());
                    if is_loopback(&endpoint.host) {
                        // This machine has several names, and a local cloud may use another.
                        hosts.extend(["localhost", "127.0.0.1", "::1"].map(String::from));
                    }
                }
                hosts
            }
        };
        if let Some(host) = hosts.iter().find(|host| !is_host(host)) {
            return Err(bad("firmware_hosts", host));
        }
        let max_size = keys.firmware_max_size.or(reach.firmware_max_size).unwrap_or(0);
        Ok(Self { hosts, schemes, max_size })
    }

    /// Any image from anywhere.
    #[cfg(test)]
    pub(super) fn any() -> Self {
        let schemes = vec!["http".into(), "https".into()];
        Self { hosts: vec!["*".into()], schemes, max_size: u64::MAX }
    }

    /// Images from this host alone.
    #[cfg(test)]
    pub(super) fn from_host(host: &str) -> Self {
        Self { hosts: vec![host.into()], ..Self::any() }
    }

    /// Whether an image may come from there; asked again for each redirect.
    pub(super) fn check(&self, url: &str) -> Result<(), Refused> {
        let refused = |rule, asked: String| {
            Err(Refused { rule, asked: format!("an image from {asked}"), plugins: false })
        };
        let Some(from) = http_of(url) else {
            return refused("firmware_schemes", "somewhere else than http:// or https://".into());
        };
        if !self.schemes.iter().any(|scheme| scheme == from.scheme) {
            return refused("firmware_schemes", from.to_string());
        }
        let allowed = |pattern: &String| match pattern.strip_prefix("*.") {
            Some(domain) => {
                from.host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'))
            }
            None if pattern == "*" => true,
            None => from.host == *pattern,
        };
        if self.hosts.iter().any(allowed) {
            Ok(())
        } else {
            refused("firmware_hosts", from.to_string())
        }
    }
}

impl Filter {
    /// One of a policy: `{product}` and `{device}` stand for the device's own.
    fn parse(text: &str, identity: &Identity) -> Option<Self> {
        let own = |name: &str| name.split('/').map(|level| Level::Is(level.into())).collect();
        Self::read(text, |level| match level {
            "{product}" => own(&identity.product),
            "{device}" => own(&identity.device),
            other => vec![Level::Is(other.into())],
        })
    }

    /// A topic filter of MQTT 3.1.1; `None` if it is none.
    fn read(text: &str, name: impl Fn(&str) -> Vec<Level>) -> Option<Self> {
        let valid = |level: &str| !level.contains(['+', '#', '\0']);
        let mut levels = Vec::new();
        let mut parts = text.split('/').peekable();
        while let Some(part) = parts.next() {
            match part {
                "+" => levels.push(Level::Any),
                "#" if parts.peek().is_none() => levels.push(Level::Rest),
                other if valid(other) => levels.extend(name(other)),
                _ => return None,
            }
        }
        (!text.is_empty() && text.len() <= usize::from(u16::MAX)).then_some(Self(levels))
    }

    /// A topic name: a filter without wildcards.
    fn literal(topic: &str) -> Option<Self> {
        let filter = Self::read(topic, |level| vec![Level::Is(level.into())])?;
        filter.0.iter().all(|level| matches!(level, Level::Is(_))).then_some(filter)
    }

    /// Whether everything that the other one matches is matched by this one.
    fn covers(&self, other: &Self) -> bool {
        let mut others = other.0.iter();
        for (at, level) in self.0.iter().enumerate() {
            match (level, others.next()) {
                // Names that begin with `$` are the server's own: a wildcard in front does not match them.
                (Level::Rest | Level::Any, Some(Level::Is(name)))
                    if at == 0 && name.starts_with('$') =>
                {
                    return false;
                }
                // Matches the level above it too.
                (Level::Rest, _) => return true,
                (Level::Any, Some(Level::Any | Level::Is(_))) => {}
                (Level::Is(name), Some(Level::Is(wanted))) if name == wanted => {}
                // `a` is not `a/#`, but `a/#` matches `a`: what is left of ours has to be `#` alone.
                _ => return false,
            }
        }
        others.next().is_none()
    }
}

/// The broker that an address means, as the transport reads it.
fn broker_of(url: &str) -> Option<Endpoint> {
    let address = Address::parse(url)?;
    let scheme = match (address.tls, address.websocket) {
        (false, false) => "mqtt",
        (true, false) => "mqtts",
        (false, true) => "ws",
        (true, true) => "wss",
    };
    Some(Endpoint { scheme, host: plain(address.host), port: address.port })
}

/// The HTTP server that an address means, as the HTTP client reads it.
fn http_of(url: &str) -> Option<Endpoint> {
    let uri: ureq::http::Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    let (scheme, usual) = match uri.scheme_str()? {
        "http" => ("http", 80),
        "https" => ("https", 443),
        _ => return None,
    };
    // A name and password in an address serve to make it look like another.
    if authority.as_str().contains('@') {
        return None;
    }
    let port = match authority.port() {
        Some(port) => port.as_str().parse().ok()?,
        None if authority.as_str().ends_with(':') => return None,
        None => usual,
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| Endpoint { scheme, host: plain(host), port })
}

/// One spelling a host.
fn plain(host: &str) -> String {
    match host.parse::<Ipv6Addr>() {
        Ok(ip) => IpAddr::V6(ip).to_string(),
        Err(_) => host.to_ascii_lowercase(),
    }
}

fn needed<T>(
    url: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    url.map(read).transpose()
}

fn broker(url: &str) -> Result<Endpoint, String> {
    broker_of(url).ok_or_else(|| {
        "setting `broker` has to be an address: mqtt://, mqtts://, ws:// or wss:// with a host"
            .into()
    })
}

fn http(url: &str) -> Result<Endpoint, String> {
    http_of(url)
        .ok_or_else(|| "the cloud's address has to be http:// or https:// with a host".into())
}

fn all(
    key: &str,
    urls: &[String],
    read: impl Fn(&str) -> Option<Endpoint>,
) -> Result<Vec<Endpoint>, String> {
    urls.iter().map(|url| read(url).ok_or_else(|| bad(key, url))).collect()
}

fn bad(key: &str, value: &str) -> String {
    format!("[policy]: `{key}` cannot hold {value:?}")
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A host, `*.` and a domain, or `*`.
fn is_host(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let name = text.strip_prefix("*.").unwrap_or(text);
    !name.is_empty() && !name.contains(['*', '/', '@', ' ', '[', ']'])
}

fn refused(rule: &'static str, what: &str, asked: &str) -> Refused {
    Refused { rule, asked: format!("{what} {}", printable(asked)), plugins: true }
}

/// What an address means, or that it means nothing. Never more of it than the host: a query may hold a signature.
fn named(endpoint: Option<Endpoint>) -> String {
    endpoint.map_or("an address that is none".into(), |endpoint| endpoint.to_string())
}

/// A plugin's text, so that it can neither fill a screen nor steer a terminal.
fn printable(text: &str) -> String {
    let mut out: String =
        text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

#[cfg(feature = "full")]
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, level) in self.0.iter().enumerate() {
            let level = match level {
                Level::Is(name) => name,
                Level::Any => "+",
                Level::Rest => "#",
            };
            write!(f, "{}{level}", if at == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests;
