//! Measures extism with a guest and a script: `peer guest.wasm script.json`, one JSON object on standard output. The
//! other side of `host/benches/figures/gateway.rs`, which says what is measured.

use std::time::{Duration, Instant as Clock};

use extism::{CompiledPlugin, Manifest, Plugin, PluginBuilder, Wasm};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Script {
    devices: usize,
    life: Vec<(Vec<u8>, Vec<u8>)>,
    next: (Vec<u8>, Vec<u8>),
}

#[derive(Serialize)]
struct Measured {
    allocation: String,
    instantiate: f64,
    first_call: f64,
    again: f64,
    next: f64,
    resident: f64,
    proportional: f64,
    mappings: f64,
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, guest, script] = args.as_slice() else { panic!("peer guest.wasm script.json") };
    let script: Script = serde_json::from_slice(&std::fs::read(script).unwrap()).unwrap();
    // The limits of our own host, as far as extism has them.
    let manifest = Manifest::new([Wasm::data(std::fs::read(guest).unwrap())])
        .with_memory_max(32)
        .with_timeout(Duration::from_secs(2));
    let builder = PluginBuilder::new(manifest)
        .with_wasi(false)
        .with_fuel_limit(100_000_000)
        .with_cache_disabled();
    let compiled = CompiledPlugin::new(builder).unwrap();
    begin(&compiled);

    let mut again = Vec::new();
    for _ in 0..script.devices {
        let begin = Clock::now();
        let plugin = Plugin::new_from_compiled(&compiled).unwrap();
        again.push(micros(begin));
        drop(plugin);
    }
    let mut plugins: Vec<Plugin> = Vec::with_capacity(script.devices);
    let (mut fresh, mut first, mut next) = (Vec::new(), Vec::new(), Vec::new());
    for list in [&mut fresh, &mut first, &mut next] {
        list.resize(script.devices, 0.0);
        list.clear();
    }
    // What the compiler gave back is not the plugins'.
    #[cfg(target_env = "gnu")]
    // SAFETY: it only gives free memory back to the system.
    unsafe {
        libc::malloc_trim(0);
    }
    let before = Resident::now();
    for _ in 0..script.devices {
        let begin = Clock::now();
        let mut plugin = Plugin::new_from_compiled(&compiled).unwrap();
        fresh.push(micros(begin));
        plugin.call::<&[u8], &[u8]>("describe", &[]).unwrap();
        first.push(micros(begin));
        for (i, (request, expected)) in script.life.iter().enumerate() {
            let export = if i == 0 { "open" } else { "handle" };
            let reply = plugin.call::<&[u8], &[u8]>(export, request).unwrap();
            assert!(reply == expected, "another reply than the agent's own");
        }
        plugins.push(plugin);
    }
    let after = Resident::now();
    for plugin in &mut plugins {
        let begin = Clock::now();
        let reply = plugin.call::<&[u8], Vec<u8>>("handle", &script.next.0).unwrap();
        next.push(micros(begin));
        assert!(reply == script.next.1, "another reply than the agent's own");
    }
    let each = |after: f64, before: f64| (after - before) / script.devices as f64;
    let measured = Measured {
        allocation: extism::extism_version().into(),
        instantiate: median(fresh),
        first_call: median(first),
        again: median(again),
        next: median(next),
        resident: each(after.rss, before.rss),
        proportional: each(after.pss, before.pss),
        mappings: each(after.mappings, before.mappings),
    };
    println!("{}", serde_json::to_string(&measured).unwrap());
}

/// What is needed once is not counted for each.
fn begin(compiled: &CompiledPlugin) {
    let mut plugin = Plugin::new_from_compiled(compiled).unwrap();
    plugin.call::<&[u8], &[u8]>("describe", &[]).unwrap();
}

fn micros(begin: Clock) -> f64 {
    begin.elapsed().as_secs_f64() * 1e6
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Memory of this process, in KiB, and its mappings.
struct Resident {
    rss: f64,
    pss: f64,
    mappings: f64,
}

impl Resident {
    fn now() -> Self {
        let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
        let field = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches("kB").trim().parse().unwrap()
        };
        let mappings = std::fs::read_to_string("/proc/self/maps").unwrap();
        Self { rss: field("Rss:"), pss: field("Pss:"), mappings: mappings.lines().count() as f64 }
    }
}
