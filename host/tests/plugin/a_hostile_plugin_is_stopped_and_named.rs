//! Modules that have the right exports and the wrong intentions.

use std::time::{Duration, Instant};

use muster::wire::{ReplyError, names};
use muster::{Input, Now};
use muster_host::plugin::{Blame, Engine, Instance, Limits, PluginError, Trap};

/// A module with the contract's exports; `cabi_realloc` and `handle` have these bodies.
fn module_with(realloc: &str, handle: &str) -> Vec<u8> {
    trapping_in("", realloc, handle)
}

/// The same; the function of this name traps, or what frees its result.
fn trapping_in(traps: &str, realloc: &str, handle: &str) -> Vec<u8> {
    let trap = |name: &str| if name == traps { "(unreachable)" } else { "" };
    let mut text = format!(
        r#"(module
            (memory (export "memory") 1)
            (global (export "__data_end") i32 (i32.const 1024))
            (global (export "__heap_base") i32 (i32.const 1024))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
            (func $deep (result i32) (i32.add (call $deep) (i32.const 1)))
            ;; A pair that points to one byte.
            (data (i32.const 64) "\00\02\00\00\01\00\00\00")
            ;; Pairs with lies in them.
            (data (i32.const 80) "\00\ff\00\00\00\02\00\00")
            (data (i32.const 96) "\00\00\00\00\ff\ff\ff\7f")
            (data (i32.const 512) "\f6")
        "#,
    );
    for name in names::FUNCTIONS {
        let nothing = matches!(name, "describe" | "save");
        let params = if nothing { "" } else { "(param i32 i32)" };
        let body = if name == "handle" { handle } else { "(i32.const 64)" };
        text += &format!(
            "(func (export \"{}{name}\") {params} (result i32) {} {body})\n\
             (func (export \"{}{}{name}\") (param i32) {})\n",
            names::PREFIX,
            trap(name),
            names::POST,
            names::PREFIX,
            trap(&format!("post {name}")),
        );
    }
    wat::parse_str(text + ")").unwrap()
}

fn module(handle: &str) -> Vec<u8> {
    module_with("(i32.const 4096)", handle)
}

fn instance(limits: Limits, handle: &str) -> Instance {
    Engine::new(limits).unwrap().load(&module(handle)).unwrap().instantiate().unwrap()
}

fn failure(mut instance: Instance) -> PluginError {
    let error = instance.handle(&Input::Timeout, Now::mono(0)).unwrap_err();
    assert_eq!(error.blame(), Blame::Plugin, "{error}");
    // Nothing can be had from it any more, not even its description.
    assert!(instance.is_poisoned());
    assert_eq!(instance.describe().unwrap_err(), PluginError::Poisoned);
    error
}

fn trapped(error: PluginError) -> Trap {
    match error {
        PluginError::Trapped { export: "handle", trap } => trap,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    let limits = Limits { deadline: None, ..Limits::default() };
    let error = failure(instance(limits, "(loop (br 0)) (unreachable)"));
    assert_eq!(trapped(error), Trap::OutOfFuel);
}

#[test]
fn an_endless_loop_runs_out_of_time() {
    let limits =
        Limits { fuel: u64::MAX, deadline: Some(Duration::from_millis(50)), ..Limits::default() };
    let begin = Instant::now();
    let error = failure(instance(limits, "(loop (br 0)) (unreachable)"));
    assert_eq!(trapped(error), Trap::OutOfTime);
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[test]
fn memory_ends_at_the_limit() {
    let limits = Limits { memory_pages: 4, ..Limits::default() };
    // Grows until it is refused, then gives up.
    let body = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)";
    let mut instance = instance(limits, body);
    let error = instance.handle(&Input::Timeout, Now::mono(0)).unwrap_err();
    assert_eq!(trapped(error), Trap::Unreachable);
    assert_eq!(instance.memory_pages(), 4);
}

#[test]
fn deep_recursion_runs_out_of_stack() {
    let error = failure(instance(Limits::default(), "(call $deep)"));
    assert_eq!(trapped(error), Trap::OutOfStack);
}

#[test]
fn pointers_outside_of_the_memory_are_not_followed() {
    for (body, length) in [("(i32.const 65533)", 8), ("(i32.const -1)", 8), ("(i32.const 80)", 512)]
    {
        match failure(instance(Limits::default(), body)) {
            PluginError::Pointer { export: "handle", length: l, .. } => assert_eq!(l, length),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_reply_beyond_the_limit_is_not_copied() {
    match failure(instance(Limits::default(), "(i32.const 96)")) {
        PluginError::ReplyTooLong { export: "handle", length, .. } => {
            assert_eq!(length, 0x7fff_ffff);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reply_that_is_not_the_schemas_is_refused() {
    let error = failure(instance(Limits::default(), "(i32.const 64)"));
    let right = PluginError::Reply { export: "handle", error: ReplyError::Malformed };
    assert_eq!(error, right);
}

#[test]
fn an_allocator_that_lies_is_caught() {
    let wasm = module_with("(i32.const 65535)", "(i32.const 64)");
    let engine = Engine::new(Limits::default()).unwrap();
    let error = failure(engine.load(&wasm).unwrap().instantiate().unwrap());
    assert!(matches!(error, PluginError::Pointer { address: 65535, .. }), "{error:?}");
}

#[test]
fn a_trap_in_any_export_is_named() {
    let engine = Engine::new(Limits::default()).unwrap();
    for name in names::FUNCTIONS {
        for traps in [name.to_owned(), format!("post {name}")] {
            let wasm = trapping_in(&traps, "(i32.const 4096)", "(i32.const 64)");
            let mut instance = engine.load(&wasm).unwrap().instantiate().unwrap();
            let error = match name {
                "describe" => instance.describe_bytes(),
                "open" => instance.open_bytes(b"x"),
                "handle" => instance.handle_bytes(b"x"),
                "save" => instance.save_bytes(),
                "restore" => instance.restore_bytes(b"x"),
                other => panic!("{other} is new"),
            };
            let right = PluginError::Trapped { export: name, trap: Trap::Unreachable };
            assert_eq!(error.unwrap_err(), right, "{traps}");
            assert!(instance.is_poisoned(), "{traps}");
        }
    }
}

#[test]
fn filling_memory_takes_fuel_by_the_byte() {
    // No clock: fuel alone has to be enough.
    let limits = Limits { deadline: None, ..Limits::default() };
    let fill =
        "(loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (br 0)) (i32.const 64)";
    let begin = Instant::now();
    assert_eq!(trapped(failure(instance(limits, fill))), Trap::OutOfFuel);
    assert!(begin.elapsed() < Duration::from_secs(5));
}
