//! 1 rejected, 2 usage, 3 network, 4 local; and every message says what to do.

use super::clouds::Clouds;
use super::mosquitto::free_ports;
use super::process::{Device, device, run, write};
use super::scripted::Listener;

const FLOW: [&str; 2] = ["--until", "ready"];

#[test]
fn no_local_cloud() {
    let dir = tempfile::tempdir().unwrap();
    let [port] = free_ports();
    let line = format!("{{\"http\":\"http://127.0.0.1:{port}\"}}\n");
    let local = write(dir.path(), "up.json", &line).display().to_string();
    let ended = run("ucloud", &dir.path().join("d"), &["--local", &local]);
    assert_eq!(ended.code, Some(3), "{}", ended.story());
    assert!(ended.stderr.contains("cargo xtask up"), "{}", ended.stderr);
}

#[test]
fn a_cloud_that_says_no() {
    let clouds = Clouds::start();
    let args = ["--local", &clouds.local(), "--set", "product_key=WrongProductKey"];
    let ended = run("cmcc", &clouds.store("d"), &[&args[..], &FLOW].concat());
    assert_eq!(ended.code, Some(1), "{}", ended.story());
    assert!(ended.stderr.contains("\n  next: "), "{}", ended.stderr);
    assert!(!ended.shows("WrongProductKey"));
    assert_eq!(ended.events.last().unwrap()["code"], 1);
}

#[test]
fn a_setting_that_nobody_knows_and_one_that_is_missing() {
    let clouds = Clouds::start();
    let local = clouds.local();
    let ended = run("ucloud", &clouds.store("d"), &["--local", &local, "--set", "colour=red"]);
    assert_eq!(ended.code, Some(2), "{}", ended.story());
    assert!(
        ended.stderr.contains("`colour`") && ended.stderr.contains("--set"),
        "{}",
        ended.stderr
    );
    let file = write(clouds.dir.path(), "c.toml", "device_sn = \"112233445566\"\n");
    let ended = run("ucloud", &clouds.store("d"), &["--config", &file.display().to_string()]);
    assert_eq!(ended.code, Some(2), "{}", ended.story());
    let ended = run("windows", &clouds.store("d"), &[]);
    assert_eq!(ended.code, Some(2), "{}", ended.story());
}

#[test]
fn a_broker_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let [port] = free_ports();
    let text = format!(
        "{{\"broker\":\"mqtt://127.0.0.1:{port}\",\"product_id\":\"1\",\"device_id\":\"2\",\
         \"device_secret\":\"TheDeviceSecret\"}}"
    );
    let file = write(dir.path(), "c.json", &text).display().to_string();
    let args = ["--config", &file, "--until", "ready", "--for", "2500ms"];
    let ended = run("krtyun", &dir.path().join("d"), &args);
    assert_eq!(ended.code, Some(3), "{}", ended.story());
    assert!(ended.shows("nobody listens at 127.0.0.1"), "{}", ended.story());
    assert!(ended.events.iter().any(|e| e["event"] == "retrying"), "{}", ended.story());
}

#[test]
fn a_store_that_another_process_holds() {
    let clouds = Clouds::start();
    let (store, local) = (clouds.store("d"), clouds.local());
    let mut first = Device::start(device("ucloud", &store, &["--local", &local]));
    first.until_event("ready");
    let second = run("ucloud", &store, &["--local", &local]);
    assert_eq!(second.code, Some(4), "{}", second.story());
    assert!(second.stderr.contains("another muster (process "), "{}", second.stderr);
    first.signal("-TERM");
    assert_eq!(first.end().code, Some(0));
}

#[test]
fn a_store_of_another_device_and_a_damaged_one() {
    let clouds = Clouds::start();
    let (store, local) = (clouds.store("d"), clouds.local());
    assert_eq!(run("ucloud", &store, &["--local", &local, "--until", "ready"]).code, Some(0));
    let args = ["--local", &local, "--set", "device_sn=112233445567", "--until", "ready"];
    let other = run("ucloud", &store, &args);
    assert_eq!(other.code, Some(4), "{}", other.story());
    assert!(other.stderr.contains("holds another device"), "{}", other.stderr);

    for damage in ["{\"half", "{}"] {
        write(&store, "credential.json", damage);
        let ended = run("ucloud", &store, &["--local", &local, "--until", "ready"]);
        assert_eq!(ended.code, Some(4), "{}", ended.story());
        assert!(ended.stderr.contains("credential.json is damaged"), "{}", ended.stderr);
        assert_eq!(std::fs::read_to_string(store.join("credential.json")).unwrap(), damage);
    }
}

#[test]
fn a_secret_that_cannot_be_stored_is_not_confirmed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, listener) = (dir.path().join("d"), Listener::bind());
    let text = format!(
        "broker = \"{}\"\nproduct_id = \"1\"\ndevice_id = \"2\"\nproduct_secret = \"TheProductSecret\"\n",
        listener.url()
    );
    let file = write(dir.path(), "c.toml", &text).display().to_string();
    let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
    let mut peer = listener.accept();
    let (asked, id) = peer.publish_on("/sys/1/2/thing/register/post");
    peer.puback(id);
    // From here on nothing can be written: a folder stands where the temporary file has to be.
    std::fs::create_dir(store.join(".credential.tmp")).unwrap();
    let asked: serde_json::Value = serde_json::from_slice(&asked).unwrap();
    let issue =
        serde_json::json!({ "CMD": 21, "ID": asked["ID"], "DEVICE_SECRET": "TheDeviceSecret" });
    peer.publish("/sys/1/2/thing/register/set", issue.to_string().as_bytes());
    living.until_event("stopped");
    let ended = living.end();
    assert_eq!(ended.code, Some(4), "{}", ended.story());
    assert!(ended.shows("nothing was stored"), "{}", ended.story());
    assert!(ended.stderr.contains("make room or mend the storage"), "{}", ended.stderr);
    assert!(!store.join("credential.json").exists());
    assert!(!peer.rest().windows(2).any(|w| w == b"OK"), "the cloud was told that it is stored");
    assert!(!ended.shows("TheDeviceSecret") && !ended.shows("TheProductSecret"));
}

#[test]
fn a_file_that_is_no_plugin() {
    let clouds = Clouds::start();
    let file = write(clouds.dir.path(), "p.wasm", "no wasm").display().to_string();
    let args = ["--local", &clouds.local(), "--plugin", &file];
    let ended = run("ucloud", &clouds.store("d"), &args);
    assert_eq!(ended.code, Some(4), "{}", ended.story());
    assert!(
        ended.stderr.contains("no plugin") && ended.stderr.contains("next: "),
        "{}",
        ended.stderr
    );
}
