//! SIGTERM, SIGINT, SIGHUP, and a rejection: each ends as the service manager is promised.

use std::time::{Duration, Instant};

use super::clouds::Clouds;
use super::living::{Living, service};
use super::mosquitto::Broker;

#[test]
fn a_service_that_is_told_to_end_logs_out_and_leaves_no_socket() {
    let broker = Broker::start();
    let store = broker.dir.path().join("d");
    let file = broker.device_file(&format!("mqtt://127.0.0.1:{}", broker.tcp), 60);
    for signal in ["-TERM", "-INT"] {
        let mut device = Living::start(service("krtyun", &store, &["--config", &file]), &store);
        device.until("ready");
        // It changes nothing, and says so.
        device.signal("-HUP");
        let note = device.until("note");
        assert!(note["text"].as_str().unwrap().contains("restart the service"), "{note}");
        let socket = device.socket.clone();
        assert!(socket.exists());
        let begin = Instant::now();
        device.signal(signal);
        let (code, log, out) = device.end();
        assert_eq!(code, Some(0), "{log:#?}");
        assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
        assert!(log.last().unwrap().contains("\"event\":\"end\""), "{log:#?}");
        assert!(!socket.exists() && out.is_empty(), "nothing goes to stdout: {out}");
        assert!(
            std::fs::read_dir(&store)
                .unwrap()
                .flatten()
                .all(|file| { !file.file_name().to_string_lossy().ends_with(".tmp") })
        );
    }
    broker.wait_for(&["Received DISCONNECT from 20191210"], 2);
}

#[test]
fn a_rejected_device_ends_with_1_and_a_wrong_setting_with_2_each_in_one_line_of_the_log() {
    let clouds = Clouds::start();
    for (set, code) in [("product_key=WrongProductKey", 1), ("no_such=setting", 2)] {
        let store = clouds.store(&format!("d{code}"));
        let args = ["--local", &clouds.local(), "--set", set];
        let device = Living::start(service("cmcc", &store, &args), &store);
        let (ended, log, _) = device.end();
        assert_eq!(ended, Some(code), "{log:#?}");
        let last: serde_json::Value = serde_json::from_str(log.last().unwrap()).unwrap();
        assert_eq!((&last["event"], &last["code"]), (&"end".into(), &code.into()), "{last}");
        assert!(last["level"] == "error" && last["next"].as_str().is_some_and(|n| !n.is_empty()));
        assert!(log.iter().all(|line| line.starts_with('{')), "JSON alone: {log:#?}");
    }
}
