//! A maker with the full build, and a device with the small one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::process::{Device, Ended, write};

/// A folder with a maker's key, the module, and what is made of them.
pub struct Maker {
    pub dir: PathBuf,
    pub public: String,
}

impl Maker {
    pub fn new(dir: &Path) -> Self {
        let dir = dir.join("maker");
        std::fs::create_dir(&dir).unwrap();
        let key = dir.join("maker.pem").display().to_string();
        let public = said(&muster(&["plugin", "keygen", &key])).lines().next().unwrap().to_owned();
        std::fs::write(dir.join("muster.wasm"), muster_host::plugin::embedded_bytes()).unwrap();
        Self { dir, public }
    }

    pub fn at(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// A profile that pins the key.
    pub fn profile(&self, settings: &str, plugin: &str, more: &str) -> String {
        let public = &self.public;
        let text = format!("{settings}\n[plugin]\nkeys = [\"{public}\"]\n{plugin}\n{more}\n");
        write(&self.dir, "profile.toml", &text).display().to_string()
    }

    /// `muster plugin precompile`, signed.
    pub fn compile(&self, name: &str, counter: u64, more: &[&str]) -> String {
        let (wasm, out, key) = (self.at("muster.wasm"), self.at(name), self.at("maker.pem"));
        let (counter, release) = (counter.to_string(), format!("1.{counter}.0"));
        let args = [
            &["plugin", "precompile", &wasm, "--output", &out, "--key", &key][..],
            &["--release", &release, "--counter", &counter],
            more,
        ];
        let output = muster(&args.concat());
        assert!(output.status.success(), "{}", said(&output));
        out
    }
}

/// The same processor under another system.
pub fn elsewhere() -> String {
    format!("{}-unknown-freebsd", std::env::consts::ARCH)
}

pub fn muster(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster")).args(args).output().unwrap()
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

pub fn small() -> Command {
    let path = std::env::var_os("MUSTER_SMALL").unwrap_or_else(|| {
        panic!("MUSTER_SMALL is not set: run `cargo xtask test host`, or `cargo xtask device` and name what it built")
    });
    let mut command = Command::new(path);
    command.env_remove("HTTP_PROXY").env_remove("http_proxy");
    command
}

/// `muster-device --platform P --json …`.
pub fn device(platform: &str, store: &Path, args: &[&str]) -> Command {
    let mut command = small();
    command.args(["--platform", platform, "--json", "--store"]).arg(store).args(args);
    command
}

/// The same to its end.
pub fn run(platform: &str, store: &Path, args: &[&str]) -> Ended {
    Device::start(device(platform, store, args)).end()
}
