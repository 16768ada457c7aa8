//! `muster up` for one test, and what an operator does with it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

pub struct Clouds {
    process: Child,
    addresses: Value,
    pub demo: Value,
    pub dir: tempfile::TempDir,
}

impl Clouds {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(["up", "--port", "0", "--json", "--data"])
            .arg(dir.path().join("clouds"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses: Value = serde_json::from_str(&line).expect("the addresses, in JSON");
        super::process::write(dir.path(), "up.json", &line);
        let mut clouds = Self { process, addresses, demo: Value::Null, dir };
        clouds.demo = clouds.get("/api/demo");
        clouds
    }

    /// For `--local`.
    pub fn local(&self) -> String {
        self.dir.path().join("up.json").display().to_string()
    }

    pub fn store(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn http(&self) -> &str {
        self.addresses["http"].as_str().unwrap()
    }

    fn get(&self, path: &str) -> Value {
        let mut answer = ureq::get(format!("{}{path}", self.http())).call().unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    pub fn operate(&self, operation: &Value) -> Value {
        let mut answer = ureq::post(format!("{}/api/operate", self.http()))
            .content_type("application/json")
            .send(operation.to_string())
            .unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// A setting of the demo device.
    pub fn setting(&self, platform: &str, key: &str) -> String {
        self.demo[platform]["settings"][key].as_str().unwrap_or_default().to_owned()
    }

    pub fn product(&self, platform: &str) -> String {
        let key = match platform {
            "ucloud" => "product_sn",
            "alibaba" => "product_key",
            _ => "product_id",
        };
        self.setting(platform, key)
    }

    pub fn name(&self, platform: &str) -> String {
        let key = match platform {
            "ucloud" => "device_sn",
            "cmcc" => "device_no",
            "krtyun" => "device_id",
            _ => "device_name",
        };
        self.setting(platform, key)
    }

    /// What the operator sees of a device.
    pub fn view(&self, platform: &str, name: &str) -> Value {
        let result = self.operate(&json!({
            "platform": platform, "action": "list_devices", "product": self.product(platform),
            "reveal": true, "limit": 1000,
        }));
        let items = result["items"].as_array().unwrap_or_else(|| panic!("{result}"));
        items.iter().find(|item| item["name"] == name).cloned().unwrap_or(Value::Null)
    }

    pub fn upload(&self, platform: &str, version: &str, image: &[u8]) {
        let product = self.product(platform);
        let answer = ureq::post(format!(
            "{}/api/firmware?platform={platform}&product={product}&version={version}",
            self.http()
        ))
        .content_type("application/octet-stream")
        .send(image)
        .unwrap();
        assert!(answer.status().is_success());
    }

    pub fn push(&self, platform: &str, version: &str) {
        self.operate(&json!({
            "platform": platform, "action": "push_upgrade", "product": self.product(platform),
            "version": version,
        }));
    }
}

impl Drop for Clouds {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The secret in a stored credential, whatever the platform calls it.
pub fn secret_in(store: &Path) -> Option<String> {
    let credential = super::process::stored(store, "credential")?;
    let fields = credential.as_object().unwrap();
    let secret = fields.iter().find(|(key, value)| key.contains("secret") && value.is_string());
    Some(secret.expect("a credential holds a secret").1.as_str().unwrap().to_owned())
}
