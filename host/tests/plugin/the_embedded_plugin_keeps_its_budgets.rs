//! What a device has to have for it: flash, memory, and time for one input.

use muster::PlatformName;
use muster::wire::{Handle, Open};
use muster_host::plugin::{Engine, Limits, embedded, embedded_bytes};

use super::{executors, lives};

#[test]
fn nothing_is_imported_and_one_page_is_enough_at_first() {
    let engine = Engine::new(Limits::default()).unwrap();
    let plugin = embedded(&engine).unwrap();
    assert!(plugin.shape().imports.is_empty());
    assert_eq!(plugin.shape().initial_pages, Some(1));
    assert_eq!(plugin.shape().maximum_pages, None);
}

#[test]
fn three_pages_last_for_a_life() {
    for platform in PlatformName::ALL {
        let (pages, _) = live(platform);
        assert!(pages <= 3, "{platform} took {pages} pages");
    }
}

#[test]
fn an_input_of_2_kib_takes_at_most_400_000_fuel() {
    for platform in PlatformName::ALL {
        let (_, (fuel, what)) = live(platform);
        println!("{platform}: at most {fuel} fuel ({what})");
        assert!(fuel <= 400_000, "{platform} took {fuel} fuel for {what}");
    }
}

/// Pages at the end, and the costliest input of at most 2 KiB.
fn live(platform: PlatformName) -> (u64, (u64, String)) {
    let life = lives::life(platform);
    let rec = &life.recording;
    let mut instance = executors::core();
    let open = Open::new(life.platform, life.settings, rec.stored.clone(), rec.seed, rec.born);
    instance.open(&open).unwrap();
    let mut most = (0, String::new());
    for (now, input) in &rec.inputs {
        let _ = instance.handle(input, *now);
        let bytes = Handle { now: *now, input: input.clone() }.to_bytes().expose().len();
        if bytes <= 2048 && instance.fuel_used() > most.0 {
            most = (instance.fuel_used(), format!("{input:?}"));
        }
    }
    println!("{platform}: {} pages, {} bytes", instance.memory_pages(), embedded_bytes().len());
    (instance.memory_pages(), most)
}

/// Each platform alone, at most 64,000 bytes: `cargo xtask test size`.
#[test]
fn all_four_platforms_take_at_most_110_000_bytes() {
    let bytes = embedded_bytes().len();
    println!("{bytes} bytes");
    assert!(bytes <= 110_000, "{bytes} bytes");
}
