//! Files that are no plugin are refused, each with its reason.

use muster_host::plugin::{Engine, Limits, PluginError, embedded_bytes};

fn load(wasm: &[u8]) -> PluginError {
    Engine::new(Limits::default()).unwrap().load(wasm).unwrap_err()
}

#[test]
fn not_webassembly_at_all() {
    for bytes in [&b""[..], b"\0asm", b"#!/bin/sh\n", b"\0asm\x02\0\0\0"] {
        assert!(matches!(load(bytes), PluginError::NotAModule(_)));
    }
    assert!(load(&embedded_bytes()[..1000]).to_string().contains("no plugin"));
}

#[test]
fn a_component() {
    let wit = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let component = crate::component::encode(embedded_bytes(), &wit).unwrap();
    assert_eq!(load(&component), PluginError::IsAComponent);
}

#[test]
fn a_module_that_imports() {
    let wasm = wat::parse_str(r#"(module (import "env" "now" (func (result i64))))"#).unwrap();
    assert_eq!(
        load(&wasm).to_string(),
        "the plugin imports env.now (() -> (i64)); it may import nothing"
    );
}

#[test]
fn a_module_with_other_exports() {
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32) (result i32) (local.get 0))
            (func (export "main")))"#,
    )
    .unwrap();
    match load(&wasm) {
        PluginError::Exports { missing, unknown } => {
            assert_eq!(unknown, ["main"]);
            // There, but of another type.
            assert!(missing.contains(&"cabi_realloc".to_owned()));
            assert!(missing.contains(&"muster:agent/agent@1.0.0#handle".to_owned()));
            assert!(!missing.contains(&"memory".to_owned()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn machine_code_loads_without_a_compiler() {
    let engine = Engine::new(Limits::default()).unwrap();
    let code = engine.precompile(embedded_bytes()).unwrap();
    // SAFETY: made by this engine just now.
    let plugin = unsafe { engine.load_precompiled(&code) }.unwrap();
    let describe = plugin.instantiate().unwrap().describe().unwrap();
    assert_eq!(describe.platforms, ["ucloud", "cmcc", "krtyun", "alibaba"]);
    assert!(describe.fits());
}
