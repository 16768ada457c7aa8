//! Where the relay goes: a list of hosts and ports, and a look at each address.
//!
//! The vendors' hosts are those of their documents; the sources are named beside them, and `www/src/state/presets.ts`
//! offers the same ones (a test there compares the two).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::exit::Exit;

/// Ports of a host that is named without one: HTTP and MQTT, without and with TLS.
const USUAL: [u16; 4] = [80, 443, 1883, 8883];

/// The vendors' hosts, with their ports.
const VENDORS: &[(&str, &[u16])] = &[
    // UCloud: hosts and ports of "available_region_url" of its documentation; images by "ota" and what devices take by
    // default (docs/device.md).
    ("mqtt-cn-sh2.iot.ucloud.cn", &[1883, 8883]),
    ("mqtt-cn-gd.iot.ucloud.cn", &[1883, 8883]),
    ("*.ufileos.com", &[80, 443]),
    ("*.ucloud.cn", &[80, 443]),
    // China Mobile: the two environments of its document.
    ("ivs.chinamobiledevice.com", &[11443]),
    ("62b98tux.cxzfdm.com", &[30101]),
    // krtyun: 16007 and the image's 16004 of its document; 16008 of the console's code (docs/protocols/krtyun.md).
    ("iot.krtyun.com", &[16004, 16007, 16008]),
    // Alibaba: brokers `{pk}.iot-as-mqtt.{region}` and those of instances ("Manage instance endpoints" and "Establish
    // MQTT connections over TCP" of IoT Platform), registration over HTTP, images; the app's gateways.
    ("*.aliyuncs.com", &[80, 443, 1883]),
    ("api.link.aliyun.com", &[443]),
];

/// The list.
#[derive(Debug)]
pub(crate) struct AllowList {
    vendors: Vec<Rule>,
    own: Vec<Rule>,
}

impl AllowList {
    /// The vendors' hosts, and these.
    pub(crate) fn new(more: &[String]) -> Result<Self, Exit> {
        let vendors = VENDORS.iter().filter_map(|(host, ports)| {
            Some(Rule { host: Pattern::parse(host).ok()?, ports: ports.to_vec() })
        });
        let own = more.iter().map(|text| {
            Rule::parse(text).map_err(|problem| {
                Exit::usage(format!("--relay-allow {text}: {problem}"), EXAMPLES)
            })
        });
        Ok(Self { vendors: vendors.collect(), own: own.collect::<Result<_, _>>()? })
    }

    /// Whether the list holds this host, as it is named in an address.
    pub(crate) fn holds(&self, host: &str, port: u16) -> bool {
        self.rules().any(|rule| rule.holds(host, port))
    }

    /// Whether this address may be connected to: a public one, or one that is on the list itself.
    pub(crate) fn permits(&self, ip: IpAddr, port: u16) -> bool {
        let ip = ip.to_canonical();
        is_public(ip)
            || self
                .own
                .iter()
                .any(|rule| rule.host == Pattern::Address(ip) && rule.ports.contains(&port))
    }

    /// What a person added.
    pub(crate) fn own(&self) -> impl Iterator<Item = String> + '_ {
        self.own.iter().flat_map(Rule::entries)
    }

    /// All of it, as `HOST:PORT`.
    pub(crate) fn all(&self) -> impl Iterator<Item = String> + '_ {
        self.rules().flat_map(Rule::entries)
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.vendors.iter().chain(&self.own)
    }
}

const EXAMPLES: &str =
    "write it like broker.example:8883, *.example.com:443, 192.168.1.5:1883 or [::1]:1883";

#[derive(Debug)]
struct Rule {
    host: Pattern,
    ports: Vec<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// Lower case, no dot at the end.
    Name(String),
    /// This and everything below: `.example.com`.
    Below(String),
    Address(IpAddr),
}

impl Rule {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (host, port) = split(text)?;
        let ports = port.map_or_else(|| USUAL.to_vec(), |port| vec![port]);
        Ok(Self { host: Pattern::parse(host)?, ports })
    }

    fn holds(&self, host: &str, port: u16) -> bool {
        self.ports.contains(&port) && self.host.is(host)
    }

    fn entries(&self) -> impl Iterator<Item = String> + '_ {
        self.ports.iter().map(|port| format!("{}:{port}", self.host))
    }
}

/// Host and port of `HOST[:PORT]`.
fn split(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let number = |port: &str| match port.parse() {
        Ok(port) if port != 0 => Ok(Some(port)),
        _ => Err("the port has to be a number from 1 to 65535"),
    };
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("the bracket is not closed")?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, number(port)?)),
            None if rest.is_empty() => Ok((host, None)),
            None => Err("after the bracket comes a colon and a port"),
        };
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    match text.split_once(':') {
        Some((host, port)) => Ok((host, number(port)?)),
        None => Ok((text, None)),
    }
}

impl Pattern {
    fn parse(host: &str) -> Result<Self, &'static str> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(Self::Address(ip.to_canonical()));
        }
        let lower = host.to_ascii_lowercase();
        let name = lower.strip_suffix('.').unwrap_or(&lower);
        let (below, name) = match name.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if name.len() > 253 || !name.split('.').all(label) {
            return Err("this is neither a host's name nor an address");
        }
        if name == "localhost" || name.ends_with(".localhost") {
            return Err("name this machine by its address, such as 127.0.0.1:1883");
        }
        if below && !name.contains('.') {
            return Err("after *. come at least two parts of a name");
        }
        Ok(if below { Self::Below(format!(".{name}")) } else { Self::Name(name.to_owned()) })
    }

    fn is(&self, host: &str) -> bool {
        let lower = host.to_ascii_lowercase();
        let name = lower.strip_suffix('.').unwrap_or(&lower);
        match self {
            Self::Name(own) => name == own,
            Self::Below(own) => name.len() > own.len() && name.ends_with(own.as_str()),
            Self::Address(own) => name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical() == *own),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*{name}"),
            Self::Address(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Address(ip) => write!(f, "{ip}"),
        }
    }
}

/// Whether an address is one of the public Internet's (IANA's registries of special-purpose addresses).
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_documentation()
        // "This network"; carriers' own (RFC 6598); IETF's assignments; 6to4's relays; benchmarks; multicast and above.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 224;
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let parts = ip.segments();
    let [first, second, ..] = parts;
    // NAT64 (RFC 6052) leads to the IPv4 address in it.
    if parts.starts_with(&[0x64, 0xff9b, 0, 0, 0, 0]) {
        let [.., high, low] = parts;
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Of the unicast addresses that were given out (2000::/3), not: Teredo and other protocols' (2001::/23),
    // documentation (2001:db8::/32, 3fff::/20), 6to4 (2002::/16).
    first & 0xe000 == 0x2000
        && !(first == 0x2001 && second < 0x200)
        && !(first == 0x2001 && second == 0xdb8)
        && first != 0x2002
        && !(first == 0x3fff && second < 0x1000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn list(more: &[&str]) -> AllowList {
        AllowList::new(&more.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_vendors_hosts_are_all_read() {
        let list = list(&[]);
        assert_eq!(list.vendors.len(), VENDORS.len());
        for (host, port) in [
            ("mqtt-cn-sh2.iot.ucloud.cn", 8883),
            ("MQTT-CN-GD.iot.ucloud.cn.", 1883),
            ("ivs.chinamobiledevice.com", 11443),
            ("iot.krtyun.com", 16007),
            ("a1.iot-as-mqtt.cn-shanghai.aliyuncs.com", 1883),
            ("iot-auth.cn-shanghai.aliyuncs.com", 443),
            ("bucket.oss-cn-shanghai.aliyuncs.com", 443),
        ] {
            assert!(list.holds(host, port), "{host}:{port}");
        }
        for (host, port) in [
            ("mqtt-cn-sh2.iot.ucloud.cn", 22),
            ("iot.krtyun.com", 443),
            ("x.iot.krtyun.com", 16007),
            ("evil.example", 443),
            ("aliyuncs.com", 443),
            ("evilaliyuncs.com", 443),
            ("a.aliyuncs.com.evil.example", 443),
            ("127.0.0.1", 443),
            ("localhost", 443),
        ] {
            assert!(!list.holds(host, port), "{host}:{port}");
        }
    }

    #[test]
    fn a_person_adds_hosts() {
        let list = list(&["Broker.Example:8883", "*.example.com", "127.0.0.1:1883", "[::1]:9"]);
        assert!(list.holds("broker.example", 8883) && !list.holds("broker.example", 1883));
        assert!(list.holds("a.b.example.com", 443) && !list.holds("example.com", 443));
        assert!(list.holds("127.0.0.1", 1883) && !list.holds("127.0.0.2", 1883));
        assert!(list.holds("::ffff:127.0.0.1", 1883) && list.holds("::1", 9));
        let own: Vec<_> = list.own().collect();
        assert_eq!(own.first().unwrap(), "broker.example:8883");
        assert_eq!(own.last().unwrap(), "[::1]:9");
        assert_eq!(own.len(), 7);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            ":1",
            "h:",
            "h:0",
            "h:65536",
            "h:x",
            "*",
            "*.com",
            "a..b",
            "a b",
            "http://h",
            "h/x",
            "localhost",
            "x.localhost:1",
            "[::1",
            "[::1]1",
            "u@h",
            "h*.example.com",
        ] {
            assert!(AllowList::new(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_public_addresses_are_gone_to_unasked() {
        let none = list(&[]);
        for special in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "::7f00:1",
        ] {
            assert!(!none.permits(special.parse().unwrap(), 443), "{special}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "223.5.5.5",
            "2400:3200::1",
            "2606:4700::1111",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
        ] {
            assert!(none.permits(public.parse().unwrap(), 443), "{public}");
        }
        let some = list(&["10.0.0.5:1883", "lan.example:1883"]);
        let ip = "10.0.0.5".parse().unwrap();
        assert!(some.permits(ip, 1883) && !some.permits(ip, 8883));
        assert!(!some.permits("10.0.0.6".parse().unwrap(), 1883));
    }
}
