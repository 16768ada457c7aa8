//! `kill -9` at random moments of a registration and of an upgrade: of the device, and of who stages. After each of at
//! least 500 the device comes back, has one secret, the cloud's, has asked for none a second time, and runs a whole
//! plugin: the one that it ran, or the one on trial.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use muster::wire::Describe;
use muster_host::device::stage;
use muster_host::plugin::package::Package;
use serde_json::Value;

use super::clouds::{Clouds, secret_in};
use super::maker::{Maker, is_upgrade, marked, ship};
use super::process::{Device, device};

/// A real plugin with one platform: it compiles in a third of the time.
const PLUGIN: &[u8] = include_bytes!("../data/krtyun-snapshot-1.wasm");
const OF_REGISTRATIONS: u32 = 250;
const OF_UPGRADES: u32 = 260;
/// Devices at a time: most of a life is waiting.
const AT_A_TIME: u32 = 4;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn new(lane: u32) -> Self {
        let given = std::env::var("MUSTER_SEED").ok().and_then(|seed| seed.parse().ok());
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = given.unwrap_or_else(clock);
        println!("lane {lane}: MUSTER_SEED={seed}");
        Self(seed.wrapping_add(u64::from(lane) << 32))
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

struct Scene {
    clouds: Clouds,
    maker: Maker,
    describe: Describe,
    local: String,
    profile: String,
    factory: String,
}

impl Scene {
    fn new() -> Self {
        let (clouds, maker) = (Clouds::start(), Maker::new());
        let local = clouds.local();
        // Another plugin at hand would be compiled at every start.
        let more = "trial_s = 0\n[limits]\nlast_good = \"none\"";
        let profile = maker.profile(clouds.dir.path(), "", more);
        let describe = maker.describe(PLUGIN);
        let factory = ship(clouds.dir.path(), &maker.package(PLUGIN, 1)).display().to_string();
        Self { clouds, maker, describe, local, profile, factory }
    }

    fn package(&self, counter: u64) -> Package {
        self.maker.package_as(&marked(PLUGIN, counter), counter, &self.describe)
    }

    fn start(&self, name: &str, store: &Path) -> Device {
        let set = format!("device_id={name}");
        let args = [
            "--local",
            &self.local,
            "--config",
            &self.profile,
            "--plugin",
            &self.factory,
            "--set",
            &set,
        ];
        Device::start(device("krtyun", store, &args))
    }

    /// Runs `lives` on threads until so many kills were made.
    fn kill(&self, kills: u32, lane: impl Fn(u32, &mut Dice, &AtomicU32) + Sync) -> u32 {
        let made = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for number in 0..AT_A_TIME {
                let (made, lane) = (&made, &lane);
                scope.spawn(move || {
                    let mut dice = Dice::new(number);
                    while made.load(Ordering::Relaxed) < kills {
                        lane(number, &mut dice, made);
                    }
                });
            }
        });
        made.into_inner()
    }
}

/// Kills at once, or after a few milliseconds.
fn kill(device: Device, dice: &mut Dice, within_us: u64, made: &AtomicU32) {
    std::thread::sleep(Duration::from_micros(dice.below(within_us)));
    device.kill();
    made.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn while_it_registers() {
    let scene = Scene::new();
    let devices = AtomicU32::new(0);
    let (without, with) = (AtomicU32::new(0), AtomicU32::new(0));
    let made = scene.kill(OF_REGISTRATIONS, |_, dice, made| {
        let name = format!("77{:010}", devices.fetch_add(1, Ordering::Relaxed));
        let store = scene.clouds.store(&name);
        let mut kept: Option<String> = None;
        // Killed again and again, until it has a secret and was killed with it, too.
        loop {
            let mut living = scene.start(&name, &store);
            // After its first, second, … line, and up to 5 ms more: a step takes about one.
            for _ in 0..=dice.below(9) {
                match living.next() {
                    // It has no more to say.
                    Some(event) if event["event"] == "heartbeat" => break,
                    Some(_) => {}
                    None => panic!("it ended: {}", living.story()),
                }
            }
            kill(living, dice, 5_000, made);
            let now = secret_in(&store);
            if kept.is_some() {
                assert_eq!(kept, now, "a stored secret was replaced");
                break;
            }
            if now.is_some() { &with } else { &without }.fetch_add(1, Ordering::Relaxed);
            kept = now;
        }
        let mut living = scene.start(&name, &store);
        living.until_event("ready");
        let asked = living.seen.iter().any(|event| event["step"] == "request_secret");
        assert!(!asked, "it has registered again: {}", living.story());
        assert_eq!(secret_in(&store), kept);
        assert_eq!(scene.clouds.view("krtyun", &name)["secret"], kept.unwrap().as_str());
    });
    let (without, with) = (without.into_inner(), with.into_inner());
    println!("{made} kills, {without} of them before there was a secret, {with} just after");
    assert!(made >= OF_REGISTRATIONS && without > 20 && with > 20);
}

/// One device that is upgraded on and on.
struct Upgraded<'a> {
    scene: &'a Scene,
    name: String,
    store: std::path::PathBuf,
    secret: String,
    /// The last that was staged.
    staged: u64,
    /// The highest that was confirmed.
    confirmed: u64,
}

impl Upgraded<'_> {
    fn package(&mut self) -> Package {
        self.staged += 1;
        self.scene.package(self.staged)
    }

    /// It is there again, with its secret and a plugin that it may run.
    fn comes_back(&mut self) -> Device {
        let mut living = self.scene.start(&self.name, &self.store);
        living.until_event("ready");
        let story = living.story();
        let asked = living.seen.iter().any(|event| event["step"] == "request_secret");
        assert!(!asked, "it has registered again: {story}");
        assert_eq!(secret_in(&self.store).as_deref(), Some(self.secret.as_str()));
        let wrong = ["passed_over", "refused", "fell_back"];
        let wrong = wrong.iter().find(|stage| living.seen.iter().any(|e| is_upgrade(e, stage)));
        assert_eq!(wrong, None, "{story}");
        let runs = counter_in(living.seen[0]["plugin"].as_str().unwrap());
        assert!(
            runs >= self.confirmed && runs <= self.staged,
            "{runs} runs, {} is confirmed: {story}",
            self.confirmed
        );
        living
    }

    /// What the slots say is never less than before.
    fn look(&mut self) -> Value {
        let path = self.store.join("plugin/state.json");
        let Ok(bytes) = std::fs::read(path) else { return Value::Null };
        let state: Value = serde_json::from_slice(&bytes).expect("the state is whole");
        let counter = state["counter"].as_u64().unwrap();
        assert!(counter >= self.confirmed, "{} was confirmed: {state}", self.confirmed);
        self.confirmed = counter;
        state
    }
}

/// `… (counter 7, slot a)`; the factory's has none.
fn counter_in(plugin: &str) -> u64 {
    let Some((_, rest)) = plugin.split_once("(counter ") else { return 0 };
    rest.split(',').next().unwrap().parse().unwrap()
}

#[test]
fn while_its_plugin_is_upgraded() {
    let scene = Scene::new();
    let (taken, reverted, stagers) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    // From the staging to the confirmation, in microseconds.
    let window = {
        let store = scene.clouds.store("first");
        let mut living = scene.start("760000000000", &store);
        living.until_event("ready");
        let began = Instant::now();
        stage(&store, &scene.package(1)).unwrap();
        living.until("a confirmation", |event| is_upgrade(event, "confirmed"));
        // A machine that was busy just then may not be so later.
        (began.elapsed().as_micros() as u64).min(2_000_000)
    };
    let made = scene.kill(OF_UPGRADES, |lane, dice, made| {
        let name = format!("76{:010}", 1 + made.load(Ordering::Relaxed) * 10 + lane);
        let store = scene.clouds.store(&name);
        let mut living = scene.start(&name, &store);
        living.until_event("ready");
        let secret = secret_in(&store).unwrap();
        let mut device = Upgraded { scene: &scene, name, store, secret, staged: 0, confirmed: 0 };
        for _ in 0..10 {
            match dice.below(5) {
                // Staged while it is off: it is taken at once. Killed from its first line on.
                0 | 1 => {
                    kill(living, dice, 1, made);
                    let package = device.package();
                    stage(&device.store, &package).unwrap();
                    living = scene.start(&device.name, &device.store);
                    std::thread::sleep(Duration::from_micros(dice.below(window)));
                }
                // The one that stages is killed; perhaps it had staged before.
                2 => {
                    let package = device.package();
                    let folder = scene.clouds.store(&format!("{}.pack", device.name));
                    std::fs::create_dir_all(&folder).unwrap();
                    let file = ship(&folder, &package);
                    let mut stager = std::process::Command::new(env!("CARGO_BIN_EXE_muster"))
                        .args(["plugin", "stage"])
                        .arg(&file)
                        .arg("--store")
                        .arg(&device.store)
                        .args(["--config", &scene.profile])
                        .stdout(std::process::Stdio::null())
                        .spawn()
                        .unwrap();
                    std::thread::sleep(Duration::from_micros(dice.below(window / 2)));
                    stager.kill().unwrap();
                    stager.wait().unwrap();
                    made.fetch_add(1, Ordering::Relaxed);
                    stagers.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_micros(dice.below(window / 2)));
                }
                // Taken while it lives.
                _ => {
                    let package = device.package();
                    stage(&device.store, &package).unwrap();
                    std::thread::sleep(Duration::from_micros(dice.below(window)));
                }
            }
            kill(living, dice, 5_000, made);
            let state = device.look();
            if state["trial"].is_object() {
                taken.fetch_add(1, Ordering::Relaxed);
            }
            if state["last"]["outcome"] == "reverted" {
                reverted.fetch_add(1, Ordering::Relaxed);
                // By nothing but being killed too often.
                assert_eq!(state["last"]["code"], "not_confirmed", "{state}");
            }
            living = device.comes_back();
        }
        // In the end an upgrade goes as ever.
        let package = device.package();
        stage(&device.store, &package).unwrap();
        let last = device.staged;
        while counter_in(
            living.until("a confirmation", |event| is_upgrade(event, "confirmed"))["plugin"]
                .as_str()
                .unwrap(),
        ) != last
        {}
        assert_eq!(device.look()["counter"], last);
        assert_eq!(scene.clouds.view("krtyun", &device.name)["secret"], device.secret.as_str());
    });
    let [taken, reverted, stagers] = [taken, reverted, stagers].map(AtomicU32::into_inner);
    println!(
        "{made} kills, {taken} of them with a plugin on trial, {stagers} of who stages; {reverted} reverts; within {window} \
         us"
    );
    assert!(made >= OF_UPGRADES && taken > 0 && stagers > 0);
}
