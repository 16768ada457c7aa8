use std::sync::OnceLock;

use super::*;
use crate::plugin::Limits;
use crate::plugin::package::SigningKey;
use muster::wire::{Describe, Guest, names};

struct Maker {
    key: SigningKey,
    engine: Engine,
    wasm: Vec<u8>,
    describe: Describe,
}

/// A plugin that says what it is, and nothing else. It is compiled in no time.
fn wasm() -> Vec<u8> {
    let says = Guest::new().describe();
    let data: String = says.iter().map(|b| format!("\\{b:02x}")).collect();
    let mut text = format!(
        r#"(module (memory (export "memory") 1)
            (global (export "__data_end") i32 (i32.const 1024))
            (global (export "__heap_base") i32 (i32.const 1024))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
            (data (i32.const 64) "{data}")"#
    );
    let length = says.len();
    for name in names::FUNCTIONS {
        let (params, body) = match name {
            // The host wipes what it has read, and asks once.
            "describe" => (
                "",
                format!(
                    "(i32.store (i32.const 56) (i32.const 64))
                     (i32.store (i32.const 60) (i32.const {length})) (i32.const 56)"
                ),
            ),
            "save" => ("", "unreachable".into()),
            _ => ("(param i32 i32)", "unreachable".into()),
        };
        let (prefix, post) = (names::PREFIX, names::POST);
        text += &format!(
            r#"(func (export "{prefix}{name}") {params} (result i32) {body})
               (func (export "{post}{prefix}{name}") (param i32))"#
        );
    }
    wat::parse_str(text + ")").unwrap()
}

fn maker() -> &'static Maker {
    static MAKER: OnceLock<Maker> = OnceLock::new();
    MAKER.get_or_init(|| {
        let key = SigningKey::from_pem(&SigningKey::generate().unwrap()).unwrap();
        let engine = Engine::new(Limits::default()).unwrap();
        let wasm = wasm();
        let plugin = engine.load(&wasm).unwrap();
        let describe = plugin.instantiate().unwrap().describe().unwrap();
        Maker { key, engine, wasm, describe }
    })
}

impl Maker {
    fn package(&self, counter: u64) -> Package {
        let wasm = &self.wasm;
        let version = format!("1.{counter}.0");
        let manifest =
            Manifest::new("muster", &version, counter, wasm, &self.describe, &self.key.public());
        Package::sign(wasm.clone(), &manifest.unwrap(), &self.key)
    }

    fn need(&self) -> Need {
        let pinned = Pinned {
            keys: vec![self.key.public()],
            name: "muster".into(),
            lowest: 0,
            machine_code: false,
        };
        Need { pinned, platform: Some(PlatformName::Krtyun) }
    }
}

/// In memory, where there is such a place: the tests end the world themselves, and a real disk takes its time.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

fn start(slots: &mut Slots) -> Start {
    let mut passed = |slot, error: &PackageError| panic!("{slot:?}: {error}");
    let (start, disk) = slots.start(&maker().engine, &maker().need(), &mut passed);
    assert!(disk.is_none(), "{disk:?}");
    start
}

fn take(slots: &mut Slots, running: Option<Slot>) -> Result<Option<Candidate>, NotTaken> {
    slots.take(running, &maker().engine, &maker().need())
}

/// Upgrades to this counter and confirms.
fn upgrade(device: &Path, counter: u64) {
    let mut slots = Slots::open(device).unwrap();
    stage(device, &maker().package(counter)).unwrap();
    let running = slots.state().active;
    take(&mut slots, running).unwrap().unwrap();
    slots.count_start().unwrap();
    slots.confirm().unwrap();
}

#[test]
fn upgrades_alternate_between_two_slots() {
    let dir = folder();
    for (counter, active, before) in
        [(1, Slot::A, None), (2, Slot::B, Some(Slot::A)), (9, Slot::A, Some(Slot::B))]
    {
        upgrade(dir.path(), counter);
        let mut slots = Slots::open(dir.path()).unwrap();
        let state = slots.state();
        assert_eq!((state.active, state.before), (Some(active), before));
        assert_eq!((state.counter, &state.trial), (counter, &None));
        let Start::Active(candidate) = start(&mut slots) else { panic!() };
        assert_eq!((candidate.slot, candidate.manifest.counter), (active, counter));
        assert!(!slots.wants_to_take());
    }
}

#[test]
fn a_trial_reverts_to_what_ran() {
    let dir = folder();
    upgrade(dir.path(), 1);
    let mut slots = Slots::open(dir.path()).unwrap();
    stage(dir.path(), &maker().package(2)).unwrap();
    take(&mut slots, Some(Slot::A)).unwrap().unwrap();
    slots.revert("trapped", "it trapped").unwrap();
    let mut slots = Slots::open(dir.path()).unwrap();
    assert!(matches!(start(&mut slots), Start::Active(c) if c.manifest.counter == 1));
    let last = slots.state().last.clone().unwrap();
    assert_eq!((last.outcome, last.counter), (Outcome::Reverted, Some(2)));
    // It was never confirmed: its counter may come again.
    stage(dir.path(), &maker().package(2)).unwrap();
    assert!(take(&mut slots, Some(Slot::A)).unwrap().is_some());
}

#[test]
fn a_trial_that_never_ends_is_over_after_three_starts() {
    let dir = folder();
    let mut slots = Slots::open(dir.path()).unwrap();
    stage(dir.path(), &maker().package(1)).unwrap();
    take(&mut slots, None).unwrap().unwrap();
    slots.count_start().unwrap();
    for _ in 1..MOST_STARTS {
        let mut slots = Slots::open(dir.path()).unwrap();
        assert!(matches!(start(&mut slots), Start::Trial(_)));
    }
    let mut slots = Slots::open(dir.path()).unwrap();
    assert!(matches!(start(&mut slots), Start::Factory));
    assert_eq!(slots.state().last.clone().unwrap().code, "not_confirmed");
}

#[test]
fn what_is_older_or_no_package_is_refused_and_gone() {
    let dir = folder();
    upgrade(dir.path(), 5);
    let mut slots = Slots::open(dir.path()).unwrap();
    for counter in [4, 5] {
        stage(dir.path(), &maker().package(counter)).unwrap();
        let Err(NotTaken::Refused(error)) = take(&mut slots, Some(Slot::A)) else { panic!() };
        assert_eq!(error, PackageError::Older { counter, lowest: 6 });
    }
    std::fs::create_dir(dir.path().join("plugin/staged")).unwrap();
    let Err(NotTaken::Refused(error)) = take(&mut slots, Some(Slot::A)) else { panic!() };
    assert_eq!(error.code(), "unreadable");
    assert!(!slots.wants_to_take());
    let slots = Slots::open(dir.path()).unwrap();
    assert_eq!(slots.state().last.clone().unwrap().outcome, Outcome::Refused);
    assert_eq!(slots.state().active, Some(Slot::A));
}

#[test]
fn a_reset_keeps_the_counter() {
    let dir = folder();
    upgrade(dir.path(), 3);
    let mut slots = Slots::open(dir.path()).unwrap();
    stage(dir.path(), &maker().package(4)).unwrap();
    slots.reset().unwrap();
    let mut slots = Slots::open(dir.path()).unwrap();
    assert!(matches!(start(&mut slots), Start::Factory));
    assert!(!slots.wants_to_take());
    stage(dir.path(), &maker().package(3)).unwrap();
    assert!(matches!(take(&mut slots, None), Err(NotTaken::Refused(PackageError::Older { .. }))));
}

#[test]
fn a_profile_may_forbid_what_a_slot_holds() {
    let dir = folder();
    upgrade(dir.path(), 3);
    let mut slots = Slots::open(dir.path()).unwrap();
    let mut need = maker().need();
    need.pinned.lowest = 4;
    let mut seen = Vec::new();
    let mut passed = |slot, error: &PackageError| seen.push((slot, error.code()));
    let (start, _) = slots.start(&maker().engine, &need, &mut passed);
    assert!(matches!(start, Start::Factory));
    assert_eq!(seen, [(Slot::A, "older")]);
}

#[test]
fn a_damaged_slot_is_passed_over() {
    let dir = folder();
    upgrade(dir.path(), 1);
    upgrade(dir.path(), 2);
    let wasm = dir.path().join("plugin/b/plugin.wasm");
    let mut bytes = std::fs::read(&wasm).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&wasm, bytes).unwrap();
    let mut slots = Slots::open(dir.path()).unwrap();
    let mut seen = Vec::new();
    let mut passed = |slot, error: &PackageError| seen.push((slot, error.code()));
    let (start, _) = slots.start(&maker().engine, &maker().need(), &mut passed);
    assert!(matches!(start, Start::Active(c) if c.slot == Slot::A && c.manifest.counter == 1));
    assert_eq!(seen, [(Slot::B, "tampered")]);
    // The next upgrade goes where the damage is.
    stage(dir.path(), &maker().package(3)).unwrap();
    assert_eq!(take(&mut slots, Some(Slot::A)).unwrap().unwrap().slot, Slot::B);
    assert_eq!(slots.state().active, Some(Slot::A));
}

#[test]
fn the_one_that_keeps_failing_gives_way_to_the_one_before() {
    let dir = folder();
    upgrade(dir.path(), 1);
    upgrade(dir.path(), 2);
    let mut slots = Slots::open(dir.path()).unwrap();
    let Start::Active(failing) = start(&mut slots) else { panic!() };
    slots.fall_back(&failing, "its fuel ran out").unwrap();
    let mut slots = Slots::open(dir.path()).unwrap();
    assert!(matches!(start(&mut slots), Start::Active(c) if c.manifest.counter == 1));
    // The counter stays: the failing one is not taken again.
    assert_eq!(slots.state().counter, 2);
}

#[test]
fn a_damaged_state_is_an_error_and_stays() {
    for damage in ["", "{", "{\"format\":1}", "null"] {
        let dir = folder();
        upgrade(dir.path(), 1);
        let path = dir.path().join("plugin/state.json");
        std::fs::write(&path, damage).unwrap();
        assert!(Slots::open(dir.path()).unwrap_err().to_string().contains("damaged"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damage);
    }
}

/// Everything that changes a file, in the order of a device's life. Ends at the first failure of the disk.
fn life(device: &Path) -> io::Result<()> {
    let disk = |error| match error {
        NotTaken::Disk(e) => e,
        NotTaken::Refused(error) => panic!("{error}"),
    };
    for (counter, good) in [(2, true), (3, false), (4, true)] {
        stage(device, &maker().package(counter))?;
        let mut slots = Slots::open(device).map_err(|e| io::Error::other(e.to_string()))?;
        let running = slots.state().active;
        take(&mut slots, running).map_err(disk)?;
        slots.count_start()?;
        if good { slots.confirm()? } else { slots.revert("trapped", "it trapped")? }
    }
    Ok(())
}

#[test]
fn power_lost_before_any_change_of_the_disk_leaves_a_device_that_comes_back() {
    let (mut cuts, mut at) = (0, 0);
    loop {
        let dir = folder();
        upgrade(dir.path(), 1);
        disk::live_for(at);
        let ended = life(dir.path());
        let whole = ended.is_ok() && disk::left() > 0;
        disk::live_for(u32::MAX);
        // It comes back with a whole plugin: the one that ran, or the one on trial.
        let mut slots = Slots::open(dir.path()).unwrap();
        let counter = slots.state().counter;
        let running = match start(&mut slots) {
            Start::Factory => panic!("after {at} changes: nothing but the factory's plugin"),
            Start::Active(active) => {
                assert_eq!(active.manifest.counter, counter, "after {at} changes");
                Some(active.slot)
            }
            Start::Trial(trial) => {
                assert!(trial.manifest.counter > counter, "after {at} changes");
                slots.confirm().unwrap();
                Some(trial.slot)
            }
        };
        // What was staged is taken now, and the next upgrade goes as ever.
        let running = if slots.wants_to_take() {
            let taken = take(&mut slots, running).unwrap().unwrap();
            slots.confirm().unwrap();
            Some(taken.slot)
        } else {
            running
        };
        stage(dir.path(), &maker().package(9)).unwrap();
        let taken = take(&mut slots, running).unwrap().unwrap();
        assert_eq!(Some(taken.slot.other()), running);
        slots.confirm().unwrap();
        let mut slots = Slots::open(dir.path()).unwrap();
        assert!(matches!(start(&mut slots), Start::Active(c) if c.manifest.counter == 9));
        let left: Vec<_> = std::fs::read_dir(slots.dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with('.'))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "after {at} changes");
        cuts += 1;
        at += 1;
        if whole {
            break;
        }
    }
    assert!(cuts > 40, "only {cuts} moments");
}
