//! `examples/embed/python/device.py` over real sockets: docs/embedding.md's way from nothing to a registered device.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use super::support::{installed, plugin, run, workspace};

#[test]
fn once_and_logs_in_with_its_own_secret_from_then_on() {
    let clouds = Clouds::start();
    let folder = tempfile::tempdir().unwrap();
    let demo = clouds.demo(folder.path());
    for platform in ["ucloud", "cmcc", "krtyun", "alibaba"] {
        let store = folder.path().join(platform);
        let first = said(&device(platform, &demo, &store));
        assert!(first.contains("event    registered\n"), "{platform}: {first}");
        assert!(first.contains("event    ready\n"), "{platform}: {first}");
        let credential = store.join("credential");
        let kept = fs::read(&credential).unwrap();
        assert_eq!(credential.metadata().unwrap().permissions().mode() & 0o777, 0o600);

        let second = said(&device(platform, &demo, &store));
        assert!(second.contains("event    ready\n"), "{platform}: {second}");
        assert!(!second.contains("registered"), "{platform}: {second}");
        assert!(!second.contains("request secret"), "{platform}: {second}");
        assert!(!kept.is_empty());
    }
}

#[test]
fn but_not_with_a_wrong_secret() {
    let clouds = Clouds::start();
    let folder = tempfile::tempdir().unwrap();
    let demo: Value =
        serde_json::from_slice(&fs::read(clouds.demo(folder.path())).unwrap()).unwrap();
    let mut settings = demo["ucloud"]["settings"].clone();
    settings["product_secret"] = json!("no-such-secret00");
    let file = folder.path().join("settings.json");
    fs::write(&file, settings.to_string()).unwrap();
    let output = device("ucloud", &file, &folder.path().join("store"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    // Rejected with CONNACK 4; check the product's secret.
    assert!(errors.contains("stopped; error [2, [0, 4]], advice 0 "), "{errors}");
    assert!(!errors.contains("no-such-secret00"), "{errors}");
    assert!(!folder.path().join("store/credential").exists());
}

fn device(platform: &str, settings: &Path, store: &Path) -> Output {
    let program = workspace("examples/embed/python/device.py");
    run(
        &installed("MUSTER_RUNTIMES_PYTHON"),
        &[
            program.as_os_str(),
            plugin().as_os_str(),
            platform.as_ref(),
            settings.as_os_str(),
            store.as_os_str(),
            "ready".as_ref(),
        ],
    )
}

fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// `muster up` on free ports.
struct Clouds {
    process: Child,
    http: String,
    _data: tempfile::TempDir,
}

impl Clouds {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut up = Command::new(env!("CARGO_BIN_EXE_muster"));
        up.args(["up", "--port", "0", "--json", "--data"]).arg(data.path());
        up.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = up.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses: Value = serde_json::from_str(&line).unwrap();
        let http = addresses["http"].as_str().unwrap().to_owned();
        Self { process, http, _data: data }
    }

    /// The demo devices' settings in a file, as docs/embedding.md has it.
    fn demo(&self, folder: &Path) -> std::path::PathBuf {
        let mut answer = ureq::get(format!("{}/api/demo", self.http)).call().unwrap();
        let file = folder.join("demo.json");
        fs::write(&file, answer.body_mut().read_to_string().unwrap()).unwrap();
        file
    }
}

impl Drop for Clouds {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
