#![cfg(target_os = "linux")]

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{PATIENCE, Up};

fn numbers(from: u32, count: u32) -> String {
    (from..from + count).map(|n| format!("SN-{n:08}\n")).collect()
}

/// A limit on the size of files stands for a disk that is full: the system refuses the write in the same place.
#[test]
fn a_full_disk_refuses_and_says_so() {
    let data = tempfile::tempdir().unwrap();
    let mut up = Up::spawn(
        Command::new("sh")
            .args([
                "-c",
                r#"trap "" XFSZ; ulimit -S -f 1000; exec "$0" up --port 0 --json --data "$1""#,
            ])
            .arg(env!("CARGO_BIN_EXE_muster"))
            .arg(data.path())
            .stderr(Stdio::piped()),
    );
    let product = up.demo("cmcc")["product_id"].as_str().unwrap().to_owned();
    let import = |csv: String| json!({"platform": "cmcc", "action": "import_devices", "product": product, "csv": csv});
    let count = |up: &Up| -> u64 { up.devices("cmcc", &product)["total"].as_u64().unwrap() };

    let mut kept = count(&up);
    let mut refused: Option<Value> = None;
    for batch in 0..200 {
        let answer = up.operate(&import(numbers(batch * 200, 200)));
        match answer.status {
            200 => kept += 200,
            503 => {
                refused = Some(answer.json());
                break;
            }
            other => panic!("{other}: {}", answer.text()),
        }
    }
    let refused = refused.expect("the limit was never reached");
    assert_eq!(refused["kind"], "unavailable");

    // There is room again: the clouds come back on their own, with everything acknowledged and nothing else.
    let pid = up.child.id().to_string();
    assert!(
        Command::new("prlimit")
            .args(["--pid", &pid, "--fsize=unlimited:unlimited"])
            .status()
            .unwrap()
            .success()
    );
    let start = Instant::now();
    while up.get_status() != Some(true) {
        assert!(start.elapsed() < PATIENCE, "it never came back");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(count(&up), kept);
    up.done(&import("AFTERWARDS-1\n".into()));

    let mut stderr = up.child.stderr.take().unwrap();
    up.stop();
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("error: the clouds cannot store") && said.contains("next:"), "{said}");
}

impl Up {
    fn get_status(&self) -> Option<bool> {
        self.get("/api/status")["engine"]["storing"].as_bool()
    }
}
