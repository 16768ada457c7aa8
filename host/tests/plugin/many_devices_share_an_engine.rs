//! A pool where the machine has room for one, memory on demand where it has not, and in both an honest number of places.

use std::process::Command;

use muster::wire::names;
use muster::{Input, Now};
use muster_host::plugin::{
    Blame, Engine, Instance, Limits, Plugin, PluginError, embedded, embedded_bytes,
};

fn many(devices: u32) -> Engine {
    Engine::for_many(Limits::default(), devices).unwrap()
}

#[test]
fn a_pool_is_made_where_there_is_room() {
    let engine = many(100);
    let allocation = engine.allocation();
    assert!(allocation.pooled, "{allocation}");
    assert_eq!((allocation.room, allocation.shortfalls.len()), (Some(100), 0));
    assert_eq!(allocation.to_string(), "pooled, room for 100");
}

#[test]
fn a_device_too_many_is_refused_until_another_goes() {
    let plugin = embedded(&many(3)).unwrap();
    let mut instances: Vec<Instance> = (0..3).map(|_| plugin.instantiate().unwrap()).collect();
    let error = plugin.instantiate().unwrap_err();
    assert_eq!(error, PluginError::Full { room: 3 });
    assert_eq!(error.blame(), Blame::Host);
    assert!(error.to_string().contains("room for 3 instances"), "{error}");
    // Two plugins of one engine have their room together.
    instances.pop();
    let _another = plugin.clone().instantiate().unwrap();
    assert!(plugin.instantiate().is_err());
    // Those that are there are not disturbed.
    for instance in &mut instances {
        assert_eq!(instance.describe().unwrap().platforms.len(), 4);
    }
}

#[test]
fn an_instance_that_never_came_to_be_leaves_its_place() {
    let engine = many(1);
    let trapping = engine.load(&trapping_at_its_start()).unwrap();
    for _ in 0..3 {
        assert!(matches!(trapping.instantiate(), Err(PluginError::Trapped { .. })));
    }
    embedded(&engine).unwrap().instantiate().unwrap();
}

#[test]
fn a_machine_without_the_addresses_gets_memory_on_demand() {
    // The limit holds for a process, so this one starts itself again.
    const CHILD: &str = "MUSTER_TEST_FEW_ADDRESSES";
    if std::env::var_os(CHILD).is_none() {
        let output = Command::new("sh")
            // 4 GiB of addresses; 10,000 devices would take 20.
            .args(["-c", "ulimit -v 4194304; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("plugin::many_devices_share_an_engine::a_machine_without_the_addresses_gets_memory_on_demand")
            .env(CHILD, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("50 on demand"), "{text}");
        return;
    }
    let engine = many(10_000);
    let allocation = engine.allocation();
    assert!(!allocation.pooled, "{allocation}");
    assert!(allocation.to_string().contains("no pool, this machine refused it: "), "{allocation}");
    let plugin = embedded(&engine).unwrap();
    let mut instances: Vec<_> = (0..50).map(|_| plugin.instantiate().unwrap()).collect();
    for instance in &mut instances {
        assert_eq!(instance.describe().unwrap().platforms.len(), 4);
    }
    println!("{} on demand: {allocation}", instances.len());
}

#[test]
#[cfg(target_os = "linux")]
fn more_devices_than_mappings_are_promised_to_nobody() {
    let most: u64 =
        std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap().trim().parse().unwrap();
    if most > 4_000_000 {
        eprintln!("vm.max_map_count is {most}: as good as no limit");
        return;
    }
    let engine = many(1_000_000);
    let allocation = engine.allocation();
    let room = allocation.room.unwrap();
    assert!(u64::from(room) * 4 < most && u64::from(room) * 5 > most - most / 4, "{allocation}");
    assert!(allocation.shortfalls[0].contains("vm.max_map_count"), "{allocation}");
    assert!(allocation.shortfalls[0].contains("of 1000000"), "{allocation}");
}

#[test]
#[cfg(target_os = "linux")]
fn an_instance_takes_as_many_mappings_as_the_room_is_worked_out_with() {
    // Other tests of this process map memory too: enough devices to make them small.
    const DEVICES: usize = 2_000;
    for engine in [many(DEVICES as u32), Engine::new(Limits::default()).unwrap()] {
        let plugin = embedded(&engine).unwrap();
        let before = mappings();
        let mut instances: Vec<_> = (0..DEVICES).map(|_| plugin.instantiate().unwrap()).collect();
        for instance in &mut instances {
            // One that has grown, too.
            instance.open_bytes(&vec![0; 70_000]).unwrap();
            assert!(instance.memory_pages() >= 2);
        }
        let each = (mappings() - before) as f64 / DEVICES as f64;
        assert!(each <= 4.1, "{each} ({})", engine.allocation());
    }
}

#[test]
fn machine_code_is_the_same_for_both_kinds() {
    let (one, all) = (Engine::new(Limits::default()).unwrap(), many(10));
    for (maker, user) in [(&one, &all), (&all, &one)] {
        let code = maker.precompile(embedded_bytes()).unwrap();
        // SAFETY: made by an engine of this process just now.
        let plugin = unsafe { user.load_precompiled(&code) }.unwrap();
        let describe = plugin.instantiate().unwrap().describe().unwrap();
        assert_eq!(describe.platforms, ["ucloud", "cmcc", "krtyun", "alibaba"]);
    }
    // Other limits of memory are other machine code.
    let other = Limits { memory_pages: 16, ..Limits::default() };
    let code = one.precompile(embedded_bytes()).unwrap();
    // SAFETY: as above.
    assert!(unsafe { Engine::for_many(other, 10).unwrap().load_precompiled(&code) }.is_err());
}

#[test]
fn nothing_of_an_earlier_device_is_left_in_its_place() {
    let engine = many(1);
    assert!(engine.allocation().pooled);
    // Both answer with the 64 bytes at 40,000; the first writes there before.
    let writes = "(i64.store (i32.const 40000) (i64.const 0x7365637265742121)) (i32.const 64)";
    let (writer, reader) = (
        engine.load(&marking(writes, 1)).unwrap(),
        engine.load(&marking("(i32.const 64)", 1)).unwrap(),
    );
    let answer = |plugin: &Plugin| {
        let mut instance = plugin.instantiate().unwrap();
        instance.handle_bytes(b"").unwrap().into_inner()
    };
    for _ in 0..3 {
        assert!(answer(&writer).starts_with(b"!!terces"));
        // Another plugin in the same place, and the same plugin once more.
        assert_eq!(answer(&reader), [0; 64]);
        assert!(answer(&writer).starts_with(b"!!terces"));
        assert!(matches!(
            writer.instantiate().unwrap().handle(&Input::Timeout, Now::mono(0)),
            Err(PluginError::Reply { .. })
        ));
        assert_eq!(answer(&reader), [0; 64]);
    }
}

#[cfg(target_os = "linux")]
fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

fn marking(handle: &str, pages: u32) -> Vec<u8> {
    module(handle, pages, "")
}

fn trapping_at_its_start() -> Vec<u8> {
    module("(i32.const 64)", 1, "(start $trap)")
}

/// A module with the contract's exports: `handle` has this body, and a pair at 64 names the 64 bytes at 40,000.
fn module(handle: &str, pages: u32, more: &str) -> Vec<u8> {
    let mut text = format!(
        r#"(module
            (memory (export "memory") {pages})
            (global (export "__data_end") i32 (i32.const 1024))
            (global (export "__heap_base") i32 (i32.const 1024))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
            (func $trap (unreachable))
            (data (i32.const 64) "\40\9c\00\00\40\00\00\00")
            {more}
        "#,
    );
    for name in names::FUNCTIONS {
        let params = if matches!(name, "describe" | "save") { "" } else { "(param i32 i32)" };
        let body = if name == "handle" { handle } else { "(i32.const 64)" };
        text += &format!(
            "(func (export \"{}{name}\") {params} (result i32) {body})\n\
             (func (export \"{}{}{name}\") (param i32))\n",
            names::PREFIX,
            names::POST,
            names::PREFIX
        );
    }
    wat::parse_str(text + ")").unwrap()
}
