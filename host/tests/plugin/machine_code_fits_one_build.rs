//! Machine code and the package around it: what is mapped, and what is refused before it is.

use muster_host::plugin::package::{Code, Manifest, Package, PackageError, SigningKey, Wanted};
use muster_host::plugin::{Engine, Limits, PluginError, embedded_bytes};

fn key() -> SigningKey {
    SigningKey::from_pem(&SigningKey::generate().unwrap()).unwrap()
}

fn engine() -> Engine {
    Engine::new(Limits::default()).unwrap()
}

fn wanted() -> Wanted {
    Wanted { name: "muster".into(), counter: 1, machine_code: true }
}

fn manifest(code: &[u8], key: &SigningKey) -> Manifest {
    let wasm = embedded_bytes();
    let describe = engine().load(wasm).unwrap().instantiate().unwrap().describe().unwrap();
    Manifest::new("muster", "1.2.3", 7, code, &describe, &key.public()).unwrap()
}

fn package(code: &[u8], key: &SigningKey) -> Package {
    let manifest = manifest(code, key).of_code(Code::made_of(embedded_bytes(), None));
    Package::sign(code.to_vec(), &manifest, key)
}

/// Well signed, and loaded by `engine`: why not?
fn foreign(code: &[u8], engine: &Engine) -> String {
    let key = key();
    let verified = package(code, &key).verify(&[key.public()], &wanted()).unwrap();
    let error = verified.load(engine).unwrap_err();
    assert_eq!(error.code(), "foreign", "{error}");
    assert!(error.advice().contains("muster plugin precompile"), "{}", error.advice());
    error.to_string()
}

/// One place in the code's own description of itself, of the same length.
fn patched(from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut code = engine().precompile(embedded_bytes()).unwrap();
    assert_eq!(from.len(), to.len());
    let at: Vec<usize> =
        (0..code.len() - from.len()).filter(|&at| code[at..].starts_with(from)).collect();
    assert_eq!(at.len(), 1, "{}", String::from_utf8_lossy(from));
    code[at[0]..at[0] + to.len()].copy_from_slice(to);
    code
}

#[test]
fn what_was_compiled_for_these_limits_is_a_plugin_like_any_other() {
    let key = key();
    let code = engine().precompile(embedded_bytes()).unwrap();
    let verified = package(&code, &key).verify(&[key.public()], &wanted()).unwrap();
    assert!(verified.manifest().is_made_of(embedded_bytes()));
    assert!(!verified.manifest().is_made_of(b"another"));
    let (plugin, describe) = verified.load(&engine()).unwrap();
    assert_eq!(plugin.instantiate().unwrap().describe().unwrap(), describe);
    assert_eq!(describe.platforms.len(), 4);
}

#[test]
fn code_of_another_version_is_refused() {
    let why = foreign(&patched(b"\x0248\x18x86", b"\x0247\x18x86"), &engine());
    assert!(why.contains("incompatible version '47'"), "{why}");
}

#[test]
fn code_for_other_settings_is_refused() {
    let wasm = embedded_bytes();
    let usual = Limits::default;
    let clockless = Engine::new(Limits { deadline: None, ..usual() }).unwrap();
    let why = foreign(&clockless.precompile(wasm).unwrap(), &engine());
    assert!(why.contains("without epoch interruption"), "{why}");
    let tight = Engine::new(Limits { memory_pages: 4, ..usual() }).unwrap();
    let why = foreign(&engine().precompile(wasm).unwrap(), &tight);
    assert!(why.contains("memory reservation"), "{why}");
    let mut config = wasmtime::Config::new();
    config.memory_reservation(32 << 16).memory_guard_size(64 << 10).epoch_interruption(true);
    config.wasm_component_model(false);
    let fuelless = wasmtime::Engine::new(&config).unwrap();
    let why = foreign(&fuelless.precompile_module(wasm).unwrap(), &engine());
    assert!(why.contains("without fuel support"), "{why}");
    // What is bounded while it runs is not compiled in.
    let other = Limits { fuel: 1_000_000, reply: 4096, outputs: 20, stack: 128 << 10, ..usual() };
    let key = key();
    let verified = package(&Engine::new(other).unwrap().precompile(wasm).unwrap(), &key);
    verified.verify(&[key.public()], &wanted()).unwrap().load(&engine()).unwrap();
}

#[test]
fn code_for_other_machines_is_refused() {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return;
    }
    let wasm = embedded_bytes();
    let code = engine().precompile_for("x86_64-unknown-freebsd", wasm).unwrap();
    let why = foreign(&code, &engine());
    assert!(why.contains("operating system 'freebsd'"), "{why}");
    let code = patched(b"\x18x86_64-unknown-linux-gnu", b"\x18mips64-unknown-linux-gnu");
    let why = foreign(&code, &engine());
    assert!(why.contains("architecture 'mips64'"), "{why}");
    // Something that this processor is not known to do.
    let why = foreign(&patched(b"has_sse42", b"has_sse99"), &engine());
    assert!(why.contains("has_sse99"), "{why}");
    // What any processor of the kind can do, this one can.
    let code = engine().precompile_for("x86_64-unknown-linux-gnu", wasm).unwrap();
    let key = key();
    let verified = package(&code, &key).verify(&[key.public()], &wanted()).unwrap();
    verified.load(&engine()).unwrap();
    let error = engine().precompile_for("z80-unknown-none", wasm).unwrap_err();
    assert!(matches!(error, PluginError::NoSuchTarget(_)), "{error}");
}

#[test]
fn nothing_unverified_is_mapped() {
    let key = key();
    let code = engine().precompile(embedded_bytes()).unwrap();
    let check = |package: Package, pinned: &SigningKey, says: &str| {
        let error = package.verify(&[pinned.public()], &wanted()).unwrap_err();
        assert_eq!(error.code(), says, "{error}");
    };
    check(package(&code, &key), &self::key(), "wrong_key");
    for at in [0, 64, code.len() / 2, code.len() - 1] {
        let mut flipped = code.clone();
        flipped[at] ^= 1;
        let [_, manifest, signature] = package(&code, &key).files().map(|(_, b)| b.to_vec());
        check(Package::from_files(flipped, manifest.clone(), signature.clone()), &key, "tampered");
        let cut = code[..at].to_vec();
        check(Package::from_files(cut, manifest, signature), &key, "tampered");
    }
}

#[test]
fn a_manifest_says_whether_it_is_code_and_is_believed() {
    let key = key();
    let code = engine().precompile(embedded_bytes()).unwrap();
    // Code that is signed as a module is compiled, not mapped; and a module that is signed as code is none.
    let as_module = Package::sign(code.clone(), &manifest(&code, &key), &key);
    let error = as_module.verify(&[key.public()], &wanted()).unwrap().load(&engine()).unwrap_err();
    assert!(matches!(error, PackageError::Plugin(PluginError::NotAModule(_))), "{error}");
    let why = foreign(embedded_bytes(), &engine());
    assert!(why.contains("ELF"), "{why}");
    // A device that runs no code takes none, however well it is signed.
    let no_code = Wanted { machine_code: false, ..wanted() };
    let error = package(&code, &key).verify(&[key.public()], &no_code).unwrap_err();
    assert_eq!(error, PackageError::MachineCode);
    assert!(error.advice().contains("machine_code = true"));
}
