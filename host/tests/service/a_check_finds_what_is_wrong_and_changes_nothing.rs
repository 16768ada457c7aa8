//! `muster device check`: what it finds, its exit codes, and that it leaves everything as it was.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use super::clouds::{Clouds, secret_in};
use super::living::{Living, ask, service};
use super::process::write;

const SECRET: &str = "n0b0dy-may-see-this";

/// A profile of UCloud that is fine.
fn fine() -> String {
    format!(
        "broker = \"mqtts://localhost:8883\"\nproduct_sn = \"70ly1tvowt696r15\"\nproduct_secret = \"{SECRET}\"\n\
         device_sn = \"112233445566\"\nfirmware_version = \"1.0.0\"\n"
    )
}

fn private(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

struct Case {
    dir: tempfile::TempDir,
}

impl Case {
    fn new(profile: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        private(&write(dir.path(), "p.toml", profile), 0o600);
        Self { dir }
    }

    fn at(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn check(&self, more: &[&str]) -> (Option<i32>, Value) {
        let (config, store) = (self.at("p.toml"), self.at("d"));
        let mut args = vec!["check", "--platform", "ucloud", "--json", "--config", &config];
        if !more.contains(&"--store") {
            args.extend(["--store", &store]);
        }
        args.extend(more);
        let (code, out, err) = ask(&args);
        assert!(!out.contains(SECRET) && !err.contains(SECRET), "{out}{err}");
        (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}")))
    }

    /// The findings of a level, as one text.
    fn found(report: &Value, level: &str) -> String {
        let findings = report["findings"].as_array().unwrap().iter();
        let of_level = findings.filter(|found| found["level"] == level);
        of_level.map(|found| format!("{}\n", found["what"].as_str().unwrap())).collect()
    }
}

/// Every file with its content's length, mode and time of change.
fn snapshot(dir: &Path) -> BTreeMap<String, (u64, u32, SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let found = entry.metadata().unwrap();
        let name = entry.path().display().to_string();
        if found.is_dir() {
            all.extend(snapshot(&entry.path()));
        }
        all.insert(name, (found.len(), found.permissions().mode(), found.modified().unwrap()));
    }
    all
}

#[test]
fn a_profile_that_is_fine_is_told_part_by_part() {
    let case = Case::new(&fine());
    let (code, report) = case.check(&[]);
    assert_eq!((code, &report["fine"]), (Some(0), &true.into()), "{report:#}");
    assert_eq!(report["findings"], Value::Array(vec![]), "{report:#}");
    assert_eq!(report["policy"]["brokers"][0], "mqtts://localhost:8883");
    assert_eq!(report["policy"]["topics"][0], "/$system/70ly1tvowt696r15/112233445566/#");
    assert_eq!(report["limits"]["fuel"], 100_000_000);
    assert_eq!(report["store"]["registered"], false);
    assert_eq!(report["plugin"]["factory"], "built in");
    assert!(!Path::new(&case.at("d")).exists(), "no folder is made");
    let (code, told, _) = ask(&[
        "check",
        "--platform",
        "ucloud",
        "--config",
        &case.at("p.toml"),
        "--store",
        &case.at("d"),
    ]);
    assert!(
        code == Some(0) && told.ends_with("fine\n") && told.contains("  fuel: 100000000"),
        "{told}"
    );
}

#[test]
fn what_is_wrong_has_its_exit_code_and_its_name() {
    let cases = [
        (fine() + "device_ns = \"1\"\n", 2, "device_ns"),
        (fine().replace("device_sn", "device_ns"), 2, "`device_sn`: is missing"),
        (fine() + "[limits]\nfule = 1\n", 2, "fule"),
        (fine() + "[service]\nlog_level = \"loud\"\n", 2, "log_level"),
        (fine() + "[service]\nsocket = \"/SOCKET\"\n", 2, "too long for a socket"),
        (fine() + "[policy]\nbrokers = [\"mqtts://other\"]\n", 2, "forbids"),
        (fine() + "[plugin]\nkeys = [\"short\"]\n", 2, "[plugin]"),
        (fine() + "[tls]\nca = \"missing.pem\"\n", 4, "missing.pem"),
        (fine() + "[tls]\ncertificate = \"c.pem\"\n", 2, "go together"),
        (fine() + "[limits]\nlast_good = \"missing.wasm\"\n", 4, "missing.wasm"),
        ("a b".to_owned(), 2, "line 1"),
    ];
    for (profile, code, says) in cases {
        let case = Case::new(&profile.replace("SOCKET", &"s".repeat(120)));
        let (found, report) = case.check(&[]);
        let errors = Case::found(&report, "error");
        assert_eq!(found, Some(code), "{profile}: {report:#}");
        assert!(errors.contains(says), "{profile}: {errors}");
    }
    // Several at once; a setting comes before a file.
    let case =
        Case::new(&(fine().replace("device_sn", "device_ns") + "[tls]\nca = \"missing.pem\"\n"));
    let (code, report) = case.check(&["--plugin", "/nonexistent.wasm"]);
    assert_eq!(code, Some(2));
    assert_eq!(Case::found(&report, "error").lines().count(), 3, "{report:#}");
}

#[test]
fn certificates_and_keys_are_looked_at() {
    let case =
        Case::new(&(fine() + "[tls]\nca = \"ca.pem\"\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n"));
    let made = |from: i32, to: i32| {
        let mut params = rcgen::CertificateParams::new(vec!["d".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    };
    let (good, key) = made(2020, 2090);
    let (_, other_key) = made(2020, 2090);
    let (expired, expired_key) = made(2020, 2021);
    let put = |ca: &str, certificate: &str, key: &str, mode: u32| {
        write(case.dir.path(), "ca.pem", ca);
        write(case.dir.path(), "c.pem", certificate);
        private(&write(case.dir.path(), "k.pem", key), mode);
        case.check(&[])
    };
    let (code, report) = put(&good, &good, &key, 0o600);
    assert_eq!((code, report["findings"].as_array().unwrap().len()), (Some(0), 0), "{report:#}");
    let (code, report) = put(&good, &expired, &expired_key, 0o600);
    assert!(
        code == Some(4) && Case::found(&report, "error").contains("has expired at 2021-01-01"),
        "{report:#}"
    );
    let (code, report) = put(&good, &good, &other_key, 0o600);
    assert!(
        code == Some(4) && Case::found(&report, "error").contains("c.pem cannot be used"),
        "{report:#}"
    );
    let (code, report) = put(&expired, &good, &key, 0o644);
    let warnings = Case::found(&report, "warning");
    assert!(code == Some(0) && warnings.contains("ca.pem has expired"), "{report:#}");
    assert!(warnings.contains("k.pem is not for its owner alone"), "{report:#}");
}

#[test]
fn what_is_risky_is_warned_of_and_fine() {
    let case = Case::new(&fine().replace("mqtts://localhost:8883", "mqtt://iot.example.com"));
    private(Path::new(&case.at("p.toml")), 0o644);
    let store = case.dir.path().join("d");
    std::fs::create_dir(&store).unwrap();
    private(&store, 0o755);
    private(&write(&store, "schedule.json", "{}"), 0o644);
    let (code, report) = case.check(&[]);
    let warnings = Case::found(&report, "warning");
    assert_eq!(code, Some(0), "{report:#}");
    for says in [
        "not encrypted",
        "everybody may read it",
        "schedule.json is not for its owner",
        "/d is not for",
    ] {
        assert!(warnings.contains(says), "{says}: {warnings}");
    }
}

#[test]
fn a_device_in_the_field_is_seen_and_not_touched() {
    let clouds = Clouds::start();
    let store = clouds.store("d");
    let mut text = String::new();
    for (key, value) in clouds.demo["ucloud"]["settings"].as_object().unwrap() {
        text += &format!("{key} = {value}\n");
    }
    let case = Case::new(&text);
    let config = case.at("p.toml");
    let mut device = Living::start(service("ucloud", &store, &["--config", &config]), &store);
    device.until("heartbeat");
    let at = store.display().to_string();
    let before = snapshot(&store);
    let (code, report) = case.check(&["--store", &at]);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["store"]["registered"], true);
    assert_eq!(report["store"]["held_by"], device.pid());
    assert!(!report.to_string().contains(&secret_in(&store).unwrap()));
    assert_eq!(snapshot(&store), before);
    device.signal("-TERM");
    assert_eq!(device.end().0, Some(0));
    let (_, report) = case.check(&["--store", &at]);
    assert_eq!(report["store"]["held_by"], Value::Null);
    // Another device's settings, and a file that is broken.
    let sn = clouds.name("ucloud");
    write(case.dir.path(), "p.toml", &text.replace(&sn, "665544332211"));
    let (code, report) = case.check(&["--store", &at]);
    assert!(
        code == Some(4) && Case::found(&report, "error").contains("holds another device"),
        "{report:#}"
    );
    std::fs::write(store.join("credential.json"), "{\"half").unwrap();
    let (code, report) = case.check(&["--store", &at]);
    assert!(code == Some(4) && Case::found(&report, "error").contains("is damaged"), "{report:#}");
}
