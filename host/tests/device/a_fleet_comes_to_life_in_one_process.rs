//! Many devices in one process: each with its own secret and folder, and a reason for each that fails.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::clouds::{Clouds, secret_in};
use super::process::{Device, Ended, write};

fn fleet(clouds: &Clouds, platform: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(["fleet", "--platform", platform, "--json", "--local", &clouds.local()]);
    command.arg("--store").arg(clouds.store("fleet")).args(args);
    command.env_remove("HTTP_PROXY").env_remove("http_proxy");
    command
}

fn run(clouds: &Clouds, platform: &str, args: &[&str]) -> Ended {
    Device::start(fleet(clouds, platform, args)).end()
}

/// The last counts that were told.
fn counts(ended: &Ended) -> Value {
    let mut all = ended.events.iter().filter(|event| event["event"] == "counts");
    all.next_back().unwrap_or_else(|| panic!("{}", ended.story())).clone()
}

/// Rows of the results: device, state, registered, why.
fn results(path: &Path) -> HashMap<String, [String; 3]> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    assert_eq!(reader.headers().unwrap(), vec!["device", "state", "registered", "why", "next"]);
    let row = |row: csv::StringRecord| {
        (row[0].to_owned(), [row[1].to_owned(), row[2].to_owned(), row[3].to_owned()])
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn comes_to_life(platform: &str) {
    const DEVICES: usize = 12;
    let clouds = Clouds::start();
    let table = clouds.store("results.csv");
    let table_arg = table.display().to_string();
    let args =
        ["--count", "12", "--at-once", "3", "--until", "ready", "--results", table_arg.as_str()];
    let first = run(&clouds, platform, &args);
    assert_eq!(first.code, Some(0), "{}", first.story());
    let begin = &first.events[0];
    assert_eq!((&begin["event"], &begin["devices"]), (&"fleet".into(), &DEVICES.into()));
    assert_eq!(begin["memory"], "pooled, room for 12");
    let last = counts(&first);
    assert_eq!((&last["done"], &last["registered"]), (&DEVICES.into(), &DEVICES.into()));
    for event in &first.events {
        assert!(event["starting"].as_u64().unwrap_or(0) <= 3, "{event}");
        // Every event of a device says whose it is.
        let of_all = ["fleet", "counts"].iter().any(|name| event["event"] == *name);
        assert_eq!(event["device"].is_string(), !of_all, "{event}");
    }
    let rows = results(&table);
    assert_eq!(rows.len(), DEVICES);
    let mut secrets = Vec::new();
    for number in 1..=DEVICES {
        let name = format!("fleet-{number:06}");
        assert_eq!(rows[&name], ["done", "now", ""]);
        let folder =
            clouds.store("fleet").join(platform).join(clouds.product(platform)).join(&name);
        let secret = secret_in(&folder).expect("a credential");
        assert_eq!(clouds.view(platform, &name)["secret"], secret.as_str());
        secrets.push(secret);
    }
    secrets.sort();
    secrets.dedup();
    assert_eq!(secrets.len(), DEVICES, "two devices share a secret");

    let second = run(&clouds, platform, &args);
    assert_eq!(second.code, Some(0), "{}", second.story());
    assert_eq!(counts(&second)["registered"], 0, "{}", second.story());
    assert!(results(&table).values().all(|row| row == &["done", "before", ""]));

    let shown = [first.story(), second.story(), std::fs::read_to_string(&table).unwrap()].concat();
    assert!(!secrets.iter().any(|secret| shown.contains(secret)), "a secret was printed");
}

#[test]
fn of_ucloud() {
    comes_to_life("ucloud");
}

#[test]
fn of_cmcc() {
    comes_to_life("cmcc");
}

#[test]
fn of_krtyun() {
    comes_to_life("krtyun");
}

#[test]
fn of_alibaba() {
    comes_to_life("alibaba");
}

#[test]
fn one_that_is_refused_has_its_reason_and_the_others_go_on() {
    let clouds = Clouds::start();
    let (list, table) = (clouds.store("list.csv"), clouds.store("results.csv"));
    // Devices of the demo product, and one that no operator has imported; the product's secret is a column like others.
    let secret = clouds.setting("ucloud", "product_secret");
    let text = format!(
        "device_sn,product_secret\n112233445566,{secret}\n112233445567,{secret}\nstranger,{secret}\n"
    );
    write(clouds.dir.path(), "list.csv", &text);
    let (list, table_arg) = (list.display().to_string(), table.display().to_string());
    let args = ["--devices", &list, "--until", "ready", "--results", &table_arg];
    let ended = run(&clouds, "ucloud", &args);
    assert_eq!(ended.code, Some(1), "{}", ended.story());
    assert!(ended.shows("1 of 3 devices did not get there"), "{}", ended.story());
    assert!(ended.shows("(such as stranger)"), "{}", ended.story());
    let rows = results(&table);
    assert_eq!(rows["112233445566"], ["done", "now", ""]);
    assert_eq!(rows["112233445567"], ["done", "now", ""]);
    assert_eq!(rows["stranger"][..2], ["failed", ""]);
    assert!(!rows["stranger"][2].is_empty());
    assert!(!ended.shows(&secret), "a secret was printed");
}

#[test]
fn a_list_that_is_wrong_is_refused_with_its_line_before_anything_begins() {
    let clouds = Clouds::start();
    let wrong = |text: &str, words: &str| {
        let list = write(clouds.dir.path(), "list.csv", text).display().to_string();
        let ended = run(&clouds, "ucloud", &["--devices", &list, "--until", "ready"]);
        assert_eq!(ended.code, Some(2), "{}", ended.story());
        assert!(ended.shows(words), "{words}: {}", ended.story());
        assert!(!ended.shows("hunter22"), "{}", ended.story());
        assert!(ended.events.is_empty() && !clouds.store("fleet").exists());
    };
    wrong("device_sn,device_secret\n", "has no row below its header");
    wrong("device_sn\ndev1\ndev2\ndev1\n", "line 4: device dev1 is in line 2 already");
    wrong("device_sn,device_secret\ndev1,hunter22,c\n", "line 2 has 3 fields, the header 2");
    wrong("device_sn,keep_alive\ndev1,60\ndev2,hunter22\n", "line 3: ");
    wrong("device_sn,no_such_setting\ndev1,hunter22\n", "no_such_setting");
}

#[test]
fn ctrl_c_logs_all_of_them_out() {
    let clouds = Clouds::start();
    let mut fleet = Device::start(fleet(&clouds, "krtyun", &["--count", "8"]));
    fleet.until("all of them ready", |event| event["event"] == "counts" && event["ready"] == 8);
    assert_eq!(clouds.view("krtyun", "fleet-000008")["state"], "online");
    fleet.signal("-INT");
    let ended = fleet.end();
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    assert_eq!(counts(&ended)["done"], 8);
    for number in 1..=8 {
        assert_eq!(clouds.view("krtyun", &format!("fleet-{number:06}"))["state"], "offline");
    }
}
