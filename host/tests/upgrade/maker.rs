//! A maker: a key, releases of a plugin, and the profile that pins the key.

use std::path::{Path, PathBuf};

use muster::cbor::{Encode, Encoder};
use muster::wire::{Describe, names};
use muster_host::plugin::package::{Manifest, Package, SigningKey, manifest_path, signature_path};
use muster_host::plugin::{Engine, Limits, embedded_bytes};
use serde_json::Value;

use super::process::write;

pub struct Maker {
    pub key: SigningKey,
    engine: Engine,
}

impl Maker {
    pub fn new() -> Self {
        let key = SigningKey::from_pem(&SigningKey::generate().unwrap()).unwrap();
        Self { key, engine: Engine::new(Limits::default()).unwrap() }
    }

    /// The table that pins the key.
    pub fn table(&self, more: &str) -> String {
        format!("[plugin]\nkeys = [\"{}\"]\n{more}\n", self.key.public())
    }

    /// A profile with these settings in front.
    pub fn profile(&self, dir: &Path, settings: &str, more: &str) -> String {
        let text = format!("{settings}\n{}", self.table(more));
        write(dir, "profile.toml", &text).display().to_string()
    }

    pub fn package(&self, wasm: &[u8], counter: u64) -> Package {
        let describe = self.engine.load(wasm).unwrap().instantiate().unwrap().describe().unwrap();
        self.package_as(wasm, counter, &describe)
    }

    pub fn package_as(&self, wasm: &[u8], counter: u64, describe: &Describe) -> Package {
        let version = format!("1.{counter}.0");
        let key = self.key.public();
        let manifest = Manifest::new("muster", &version, counter, wasm, describe, &key).unwrap();
        Package::sign(wasm.to_vec(), &manifest, &self.key)
    }

    pub fn describe(&self, wasm: &[u8]) -> Describe {
        self.engine.load(wasm).unwrap().instantiate().unwrap().describe().unwrap()
    }
}

/// Writes a package's files; the plugin's path.
pub fn ship(dir: &Path, package: &Package) -> PathBuf {
    let wasm = dir.join("plugin.wasm");
    let paths = [wasm.clone(), manifest_path(&wasm), signature_path(&wasm)];
    for (path, (_, bytes)) in paths.iter().zip(package.files()) {
        std::fs::write(path, bytes).unwrap();
    }
    wasm
}

/// The plugin of this build with other bytes: an own section that means nothing.
pub fn release(number: u64) -> Vec<u8> {
    marked(embedded_bytes(), number)
}

pub fn marked(wasm: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = wasm.to_vec();
    bytes.extend_from_slice(&[0, 10, 1, b'n']);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes
}

/// The plugin of this build, but a function of it traps when it is called for the `fuse`th time, counted from 0.
pub fn trapping(function: &str, fuse: u32) -> Vec<u8> {
    let text = wasmprinter::print_bytes(embedded_bytes()).unwrap();
    let name = format!("{}{function}", names::PREFIX);
    let export = text
        .lines()
        .find(|line| line.contains(&format!("(export \"{name}\" (func ")))
        .expect("the export");
    let number: u32 =
        export.split("(func ").nth(1).unwrap().trim_end_matches([')', ' ']).parse().unwrap();
    let own = format!(
        "(global $fuse (mut i32) (i32.const {fuse}))
         (func (export \"{name}\") (param i32 i32) (result i32)
            (if (i32.eqz (global.get $fuse)) (then unreachable))
            (global.set $fuse (i32.sub (global.get $fuse) (i32.const 1)))
            (call {number} (local.get 0) (local.get 1)))"
    );
    let text = text.replacen(export, "", 1);
    let end = text.rfind(')').unwrap();
    wat::parse_str(format!("{}{own})", &text[..end])).unwrap()
}

/// A plugin that says what it is told to say.
pub struct Saying {
    /// Oldest and newest byte schema, snapshot schema.
    pub schemas: [u32; 3],
    pub open: Vec<u8>,
    pub restore: Vec<u8>,
    /// To the first input; it traps at the second.
    pub handle: Vec<u8>,
}

impl Saying {
    pub fn wasm(&self) -> Vec<u8> {
        let describe = describe(self.schemas);
        let at = |n: usize| 4096 * (n + 1);
        let replies = [&describe, &self.open, &self.restore, &self.handle];
        let mut text = String::from(
            r#"(module (memory (export "memory") 4)
                (global (export "__data_end") i32 (i32.const 32768))
                (global (export "__heap_base") i32 (i32.const 32768))
                (global $handled (mut i32) (i32.const 0))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))"#,
        );
        for (n, bytes) in replies.iter().enumerate() {
            assert!(bytes.len() < 4096);
            let data: String = bytes.iter().map(|b| format!("\\{b:02x}")).collect();
            text += &format!("(data (i32.const {}) \"{data}\")", at(n));
        }
        for name in names::FUNCTIONS {
            let say = |n: usize| {
                format!(
                    "(i32.store (i32.const 8) (i32.const {})) (i32.store (i32.const 12) (i32.const {})) (i32.const 8)",
                    at(n),
                    replies[n].len()
                )
            };
            let (params, body) = match name {
                "describe" => ("", say(0)),
                "open" => ("(param i32 i32)", say(1)),
                "restore" => ("(param i32 i32)", say(2)),
                "handle" => (
                    "(param i32 i32)",
                    format!(
                        "(if (global.get $handled) (then unreachable)) (global.set $handled (i32.const 1)) {}",
                        say(3)
                    ),
                ),
                _ => ("", "unreachable".into()),
            };
            let (prefix, post) = (names::PREFIX, names::POST);
            text += &format!(
                r#"(func (export "{prefix}{name}") {params} (result i32) {body})
                   (func (export "{post}{prefix}{name}") (param i32))"#
            );
        }
        wat::parse_str(text + ")").unwrap()
    }
}

fn describe([oldest, newest, snapshot]: [u32; 3]) -> Vec<u8> {
    let mut e = Encoder::new();
    e.map(6);
    for number in [0, newest, 1, oldest, 2, snapshot] {
        e.number(number);
    }
    e.number(3);
    e.array(4);
    ["ucloud", "cmcc", "krtyun", "alibaba"].iter().for_each(|name| name.encode(&mut e));
    e.number(4);
    "0.0.0".encode(&mut e);
    e.number(5);
    e.map(2);
    for number in [0, 65_536, 1, 65_536] {
        e.number(number);
    }
    e.into_bytes()
}

pub fn state(store: &Path) -> Value {
    let bytes = std::fs::read(store.join("plugin/state.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

pub fn is_upgrade(event: &Value, stage: &str) -> bool {
    event["event"] == "upgrade" && event["stage"] == stage
}
