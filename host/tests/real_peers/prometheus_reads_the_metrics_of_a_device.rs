//! The page of a device that has lived a little, read by PyPI's `prometheus-client`, and held to Prometheus' rules for
//! names: units in full, `_total` behind counters and nothing else, a help for each.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Clouds, peer};

struct Device(Child);

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn prometheus_reads_the_metrics_of_a_device() {
    let clouds = Clouds::start();
    let dir = tempfile::tempdir().unwrap();
    let up = dir.path().join("up.json");
    std::fs::write(&up, clouds.addresses.to_string()).unwrap();
    let store = dir.path().join("d");
    let mut device = Device(
        Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(["device", "--platform", "alibaba", "--service", "--local"])
            .arg(&up)
            .arg("--store")
            .arg(&store)
            .env_remove("RUNTIME_DIRECTORY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let lines = BufReader::new(device.0.stderr.take().unwrap()).lines();
    let ready = lines.map_while(Result::ok).any(|line| line.contains("\"event\":\"ready\""));
    assert!(ready, "it ended before it was ready");

    let mut stream = UnixStream::connect(store.join("health.sock")).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, page) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
    let file = dir.path().join("metrics");
    std::fs::write(&file, page).unwrap();
    let read = peer("prometheus_metrics.py", &json!({ "file": file }));
    let families = read["families"].as_object().unwrap();
    assert!(families.len() >= 35, "{}", families.len());
    for (name, family) in families {
        let ours = name.starts_with("muster_device_") || name.starts_with("process_");
        assert!(ours && family["help"].as_str().unwrap().ends_with('.'), "{name}: {family}");
        for sample in family["samples"].as_array().unwrap() {
            // The reader takes `_total` off a counter's name, if it is there as it has to be.
            let is_total = sample[0].as_str().unwrap().ends_with("_total");
            assert_eq!(family["type"] == "counter", is_total, "{name}: {sample}");
            assert!(sample[2].as_f64().unwrap() >= 0.0, "{name}: {sample}");
        }
        let abbreviated = ["_ms", "_sec", "_kb", "_kib", "_byte", "_second"];
        assert!(!abbreviated.iter().any(|unit| name.ends_with(unit)), "{name}");
    }
    let value = |family: &str, sample: &str| -> f64 {
        let samples = families[family]["samples"].as_array().unwrap();
        let found = samples.iter().find(|found| found[0] == sample);
        found.unwrap_or_else(|| panic!("no {sample}"))[2].as_f64().unwrap()
    };
    for (family, sample) in [
        ("muster_device_ready", "muster_device_ready"),
        ("muster_device_registered", "muster_device_registered"),
        ("muster_device_connected", "muster_device_connected"),
        ("muster_device_registrations", "muster_device_registrations_total"),
    ] {
        assert!((value(family, sample) - 1.0).abs() < f64::EPSILON, "{sample}");
    }
    // A histogram's parts agree: its last bucket is its count, and none is smaller than the one before.
    for name in ["muster_device_plugin_call_fuel", "muster_device_plugin_call_seconds"] {
        assert_eq!(families[name]["type"], "histogram");
        let buckets: Vec<f64> = families[name]["samples"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|sample| sample[1]["le"].is_string())
            .map(|sample| sample[2].as_f64().unwrap())
            .collect();
        assert!(buckets.is_sorted() && buckets.len() == 8, "{buckets:?}");
        let count = value(name, &format!("{name}_count"));
        assert!(count > 5.0 && buckets.last() == Some(&count), "{name}: {count} {buckets:?}");
    }
    let info = &families["muster_device_info"]["samples"][0][1];
    assert_eq!(info["device"], Value::from(clouds.demo("alibaba", "device_name")));
}
