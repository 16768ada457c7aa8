//! What is let through, and what is not.

use muster::http::Request;
use muster::{
    Connect, Download, PlatformName, Publish, QoS, Secret, SecretBytes, Settings, Subscribe, Token,
};

use super::*;

const T: Token = Token(1);

fn config() -> Config {
    let settings = Settings::new()
        .with("broker", "mqtts://Broker.example.com")
        .with("product_id", "20191210")
        .with("device_id", "10001")
        .with("device_secret", "TheDeviceSecret");
    Config::from_settings(PlatformName::Krtyun, &settings).unwrap()
}

fn policy(keys: PolicyKeys) -> Policy {
    Policy::new(&config(), &keys).unwrap()
}

fn rule(policy: &Policy, command: &Command) -> Option<&'static str> {
    policy.check(command, false).err().map(|refused| refused.rule)
}

fn connect(url: &str) -> Command {
    let (client_id, username, password) = (String::new(), String::new(), Secret::new(""));
    let url = url.to_owned();
    Command::Connect(T, Connect { url, client_id, username, password, keep_alive: 60 })
}

fn request(url: &str) -> Command {
    let (method, url) = ("GET".into(), url.to_owned());
    Command::Request(T, Request { method, url, headers: Vec::new(), body: Vec::new() })
}

fn publish(topic: &str) -> Command {
    let payload = SecretBytes::new(Vec::new());
    Command::Publish(T, Publish { topic: topic.into(), qos: QoS::AtMostOnce, payload })
}

fn subscribe(topic: &str) -> Command {
    Command::Subscribe(T, Subscribe { topic: topic.into(), qos: QoS::AtMostOnce })
}

fn download(url: &str, max_size: u64) -> Command {
    Command::Download(T, Download { url: url.into(), size: None, version: "2".into(), max_size })
}

fn store(key: StoreKey, value: &[u8]) -> Command {
    Command::Store(T, key, SecretBytes::new(value.to_vec()))
}

fn strings(list: &[&str]) -> Option<Vec<String>> {
    Some(list.iter().map(|&text| text.to_owned()).collect())
}

#[test]
fn a_connection_goes_to_the_broker_of_the_settings_alone() {
    let policy = policy(PolicyKeys::default());
    for good in ["mqtts://broker.example.com", "ssl://BROKER.example.com:8883"] {
        assert_eq!(rule(&policy, &connect(good)), None, "{good}");
    }
    for bad in [
        "mqtt://broker.example.com:8883",
        "mqtts://broker.example.com:8884",
        "wss://broker.example.com:8883",
        "mqtts://broker.example.com.evil.example",
        "mqtts://evil.example/broker.example.com",
        "mqtts://broker.example.com@evil.example",
        "mqtts://evil.example?broker.example.com:8883",
        "broker.example.com",
        "",
    ] {
        assert_eq!(rule(&policy, &connect(bad)), Some("brokers"), "{bad}");
    }
}

#[test]
fn a_request_goes_to_the_server_of_the_settings_alone() {
    // krtyun has none.
    assert_eq!(rule(&policy(PolicyKeys::default()), &request("http://h")), Some("http"));
    let policy =
        policy(PolicyKeys { http: strings(&["https://api.example.com"]), ..Default::default() });
    for good in ["https://api.example.com/x?y=z", "https://API.example.com:443/"] {
        assert_eq!(rule(&policy, &request(good)), None, "{good}");
    }
    for bad in [
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com@evil.example/",
        "https://user@api.example.com/",
        "https://evil.example/#https://api.example.com",
        "https://api.example.com:/",
        "file:///etc/passwd",
        "ftp://api.example.com",
        "/x",
        "",
    ] {
        assert_eq!(rule(&policy, &request(bad)), Some("http"), "{bad}");
    }
}

#[test]
fn topics_are_the_devices_own() {
    let policy = policy(PolicyKeys::default());
    let own = "/sys/20191210/10001/thing/ota/set";
    assert_eq!(rule(&policy, &publish(own)), None);
    assert_eq!(rule(&policy, &subscribe(own)), None);
    for good in [
        "/sys/20191210/10001/thing",
        "/sys/20191210/10001/thing/+/set",
        "/sys/20191210/10001/thing/#",
    ] {
        assert_eq!(rule(&policy, &subscribe(good)), None, "{good}");
    }
    for bad in [
        "#",
        "+",
        "",
        "$SYS/#",
        "/sys/20191210/10002/thing/ota/set",
        "/sys/20191210/+/thing/ota/set",
        "/sys/20191210/10001/#",
        "/sys/20191210/10001/thinge/x",
        "/sys/#/10001/thing/ota/set",
        "x/sys/20191210/10001/thing/ota/set",
    ] {
        assert_eq!(rule(&policy, &subscribe(bad)), Some("topics"), "{bad}");
        assert_eq!(rule(&policy, &publish(bad)), Some("topics"), "{bad}");
    }
    // A name with a wildcard in it is none.
    for bad in [
        "/sys/20191210/10001/thing/+",
        "/sys/20191210/10001/thing/#",
        "/sys/20191210/10001/thing/a\0",
    ] {
        assert_eq!(rule(&policy, &publish(bad)), Some("topics"), "{bad}");
    }
}

#[test]
fn one_filter_covers_another() {
    let covers = |mine: &str, other: &str| {
        let identity = config().identity();
        let read = |text: &str| Filter::parse(text, &identity).unwrap();
        read(mine).covers(&read(other))
    };
    for (mine, other) in [
        ("a/#", "a"),
        ("a/#", "a/b/c"),
        ("a/#", "a/+/c/#"),
        ("a/+", "a/+"),
        ("+/b", "a/b"),
        ("#", "+/x"),
        ("a/+/c", "a/b/c"),
        ("{product}/{device}", "20191210/10001"),
    ] {
        assert!(covers(mine, other), "{mine} {other}");
    }
    for (mine, other) in [
        ("a/+", "a/#"),
        ("a/+", "a"),
        ("a/b", "a/+"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("#", "$SYS/x"),
        ("+/x", "$SYS/x"),
        ("a/+/c", "a/b/+"),
    ] {
        assert!(!covers(mine, other), "{mine} {other}");
    }
}

#[test]
fn keys_and_values_that_are_not_the_devices_are_not_stored() {
    let policy = policy(PolicyKeys::default());
    assert_eq!(rule(&policy, &store(StoreKey::Credential, b"{\"a\":1}")), None);
    assert_eq!(rule(&policy, &store(StoreKey::Schedule, b"{}")), Some("store"));
    assert_eq!(rule(&policy, &Command::Erase(T, StoreKey::Schedule)), Some("store"));
    assert_eq!(rule(&policy, &Command::Erase(T, StoreKey::Firmware)), None);
    // The device could not start again with it.
    assert_eq!(rule(&policy, &store(StoreKey::Credential, b"{\"a\":")), Some("values"));
    let large = format!("\"{}\"", "x".repeat(64 * 1024));
    assert_eq!(rule(&policy, &store(StoreKey::Credential, large.as_bytes())), Some("values"));
}

#[test]
fn the_secret_is_erased_when_a_person_asks_for_it() {
    let policy = policy(PolicyKeys::default());
    let erase = Command::Erase(T, StoreKey::Credential);
    assert_eq!(rule(&policy, &erase), Some("secret"));
    assert_eq!(policy.check(&erase, true), Ok(()));
}

#[test]
fn an_image_comes_from_where_it_may_and_is_no_larger_than_it_may_be() {
    let any = policy(PolicyKeys { firmware_hosts: strings(&["*"]), ..Default::default() });
    let most = 64 << 20;
    assert_eq!(rule(&any, &download("http://anywhere.example/f", most)), None);
    assert_eq!(rule(&any, &download("https://[::1]:8/f", most)), None);
    assert_eq!(rule(&any, &download("http://h/f", most + 1)), Some("firmware_max_size"));
    assert_eq!(rule(&any, &download("ftp://h/f", most)), Some("firmware_schemes"));
    assert_eq!(rule(&any, &download("file:///etc/shadow", most)), Some("firmware_schemes"));

    let strict = policy(PolicyKeys {
        firmware_hosts: strings(&["ota.Example.com", "*.cdn.example.com"]),
        firmware_schemes: strings(&["https"]),
        firmware_max_size: Some(1000),
        ..Default::default()
    });
    for good in [
        "https://ota.example.com/f",
        "https://OTA.example.com:8443/f",
        "https://a.b.cdn.example.com/f",
    ] {
        assert_eq!(rule(&strict, &download(good, 1000)), None, "{good}");
    }
    for bad in [
        "https://example.com/f",
        "https://cdn.example.com/f",
        "https://evilcdn.example.com/f",
        "https://ota.example.com.evil.example/f",
        "https://ota.example.com@evil.example/f",
    ] {
        let refused = strict.check(&download(bad, 1000), false).unwrap_err();
        // The address comes from the cloud.
        assert!(!refused.plugins, "{bad}");
    }
    assert_eq!(rule(&strict, &download("http://ota.example.com/f", 1)), Some("firmware_schemes"));
    let refused = strict.check(&download("https://ota.example.com/f", 1001), false).unwrap_err();
    assert!(refused.plugins);
}

#[test]
fn an_image_comes_from_the_servers_of_the_settings_and_the_vendors_storage() {
    let by_default = |config: &Config, url: &str| {
        let policy = Policy::new(config, &PolicyKeys::default()).unwrap();
        rule(&policy, &download(url, 1))
    };
    for (url, refused) in [
        ("http://broker.example.com:16004/f.rbl", None),
        ("https://BROKER.example.com/f", None),
        ("http://broker.example.com.evil.example/f", Some("firmware_hosts")),
        ("http://evil.example/TheDeviceSecret", Some("firmware_hosts")),
        ("http://192.168.1.1/reboot", Some("firmware_hosts")),
        ("http://127.0.0.1/", Some("firmware_hosts")),
    ] {
        assert_eq!(by_default(&config(), url), refused, "{url}");
    }
    let settings = Settings::new()
        .with("broker", "mqtts://mqtt-cn-sh2.iot.ucloud.cn:8883")
        .with("product_sn", "70ly1tvowt696r15")
        .with("device_sn", "112233445566")
        .with("device_secret", "TheDeviceSecret1");
    let ucloud = Config::from_settings(PlatformName::Ucloud, &settings).unwrap();
    let image = "http://uiot-ota1.cn-sh2.ufileos.com/fw_2.0.0.bin?Signature=x&Expires=1";
    assert_eq!(by_default(&ucloud, image), None);
    assert_eq!(by_default(&ucloud, "http://ufileos.com.evil.example/"), Some("firmware_hosts"));

    // A local cloud may name itself otherwise than the settings do.
    let settings = Settings::new()
        .with("broker", "mqtt://localhost:1883")
        .with("product_id", "20191210")
        .with("device_id", "10001")
        .with("device_secret", "TheDeviceSecret");
    let local = Config::from_settings(PlatformName::Krtyun, &settings).unwrap();
    for url in ["http://127.0.0.1:7878/f", "http://[::1]:7878/f", "http://localhost/f"] {
        assert_eq!(by_default(&local, url), None, "{url}");
    }
}

#[test]
fn a_policy_that_forbids_what_the_settings_need_is_an_error() {
    for (keys, says) in [
        (
            PolicyKeys { brokers: strings(&["mqtt://other"]), ..Default::default() },
            "forbids mqtts://broker.example.com:8883",
        ),
        (
            PolicyKeys { brokers: strings(&["http://h"]), ..Default::default() },
            "`brokers` cannot hold",
        ),
        (PolicyKeys { http: strings(&["h"]), ..Default::default() }, "`http` cannot hold"),
        (PolicyKeys { topics: strings(&["a/#/b"]), ..Default::default() }, "`topics` cannot hold"),
        (PolicyKeys { topics: strings(&["a+"]), ..Default::default() }, "`topics` cannot hold"),
        (PolicyKeys { store: strings(&["password"]), ..Default::default() }, "`store` cannot hold"),
        (
            PolicyKeys { firmware_hosts: strings(&["https://h"]), ..Default::default() },
            "`firmware_hosts` cannot hold",
        ),
        (
            PolicyKeys { firmware_schemes: strings(&["ftp"]), ..Default::default() },
            "`firmware_schemes` cannot hold",
        ),
    ] {
        let error = Policy::new(&config(), &keys).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn what_a_plugin_writes_cannot_steer_a_terminal() {
    let refused = policy(PolicyKeys::default()).check(&publish("\u{1b}[2J\n"), false).unwrap_err();
    assert_eq!(refused.asked, "publishing to \u{fffd}[2J\u{fffd}");
    let long = policy(PolicyKeys::default()).check(&publish(&"x".repeat(5000)), false).unwrap_err();
    assert!(long.asked.len() < 200);
}
