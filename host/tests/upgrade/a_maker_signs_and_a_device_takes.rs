//! The commands: keygen, public-key, sign, manifest, verify, stage, slots, reset.

use std::path::Path;
use std::process::{Command, Output};

use super::clouds::Clouds;
use super::maker::release;
use super::process::{Device, device, run, write};

fn muster(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster")).arg("plugin").args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn done(args: &[&str]) -> String {
    let output = muster(args);
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code, and what was said.
fn refused(args: &[&str]) -> (Option<i32>, String) {
    let output = muster(args);
    let said = said(&output);
    assert!(said.contains("\n  next: "), "{args:?}: no next move in {said}");
    (output.status.code(), said)
}

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).display().to_string()
}

#[test]
fn from_a_key_to_a_confirmed_upgrade_and_back() {
    let clouds = Clouds::start();
    let dir = clouds.dir.path();
    let at = |name: &str| path(dir, name);
    let (key, wasm, store) = (at("maker.pem"), at("muster.wasm"), at("d"));
    let public = done(&["keygen", &key]).trim().to_owned();
    assert_eq!(done(&["public-key", &key]).trim(), public);
    let pem = std::fs::read_to_string(&key).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&key).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
    }
    let (code, why) = refused(&["keygen", &key]);
    assert_eq!((code, why.contains("exists")), (Some(4), true));
    assert_eq!(std::fs::read_to_string(&key).unwrap(), pem);

    std::fs::write(&wasm, release(1)).unwrap();
    let sign = |release: &str, counter: &str| {
        done(&["sign", &wasm, "--key", &key, "--release", release, "--counter", counter])
    };
    assert!(!sign("1.0.0", "1").contains(pem.lines().nth(1).unwrap()));
    assert_eq!(std::fs::read(&wasm).unwrap(), release(1));
    assert!(done(&["verify", &wasm, "--key", &public]).contains("muster 1.0.0 (counter 1)"));
    // What a security module would be given to sign is what `sign` signs.
    let manifest = std::fs::read(at("muster.wasm.manifest")).unwrap();
    done(&["manifest", &wasm, "--public-key", &public, "--release", "1.0.0", "--counter", "1"]);
    assert_eq!(std::fs::read(at("muster.wasm.manifest")).unwrap(), manifest);

    let profile = write(dir, "p.toml", &format!("[plugin]\nkeys = [\"{public}\"]\ntrial_s = 0\n"));
    let profile = profile.display().to_string();
    let stage = ["stage", &wasm, "--store", &store, "--config", &profile];
    let waiting = ["stage", &wasm, "--store", &store, "--config", &profile, "--wait", "60s"];
    assert!(refused(&stage).1.contains("there is no device"));
    let local = clouds.local();
    let args = ["--local", &local, "--config", &profile];
    let mut living = Device::start(device("krtyun", Path::new(&store), &args));
    living.until_event("ready");
    assert!(done(&waiting).contains("is confirmed"));
    let slots = done(&["slots", "--store", &store]);
    assert!(slots.contains("slot a") && slots.contains("1.0.0 was confirmed"), "{slots}");
    let json: serde_json::Value =
        serde_json::from_str(&done(&["slots", "--store", &store, "--json"])).unwrap();
    assert_eq!((&json["counter"], &json["staged"]), (&1.into(), &false.into()));

    // The same again is no upgrade.
    let (code, why) = refused(&stage);
    assert_eq!(code, Some(1));
    assert!(why.contains("counter is 1; this device takes 2"), "{why}");
    // One that traps is not kept, and who waits hears of it.
    std::fs::write(&wasm, super::maker::trapping("handle", 0)).unwrap();
    sign("1.1.0", "2");
    let (code, why) = refused(&waiting);
    assert_eq!(code, Some(1));
    assert!(why.contains("was not kept") && why.contains("failed in `handle`"), "{why}");

    // The slots are the running device's.
    let (code, why) = refused(&["reset", "--store", &store]);
    assert_eq!(code, Some(4), "{why}");
    living.kill();
    assert!(done(&["reset", "--store", &store]).contains("above 1 only"));
    let mut args = args.to_vec();
    args.extend(["--until", "ready"]);
    let ended = run("krtyun", Path::new(&store), &args);
    assert_eq!(ended.events[0]["plugin"], "built in", "{}", ended.story());
    std::fs::write(&wasm, release(1)).unwrap();
    sign("1.0.0", "1");
    assert!(refused(&stage).1.contains("this device takes 2"));
}

#[test]
fn each_refusal_names_who_is_to_blame() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| path(dir.path(), name);
    let (key, other, wasm) = (at("maker.pem"), at("other.pem"), at("p.wasm"));
    let public = done(&["keygen", &key]).trim().to_owned();
    done(&["keygen", &other]);
    std::fs::write(&wasm, release(1)).unwrap();
    let sign = |key: &str| {
        done(&["sign", &wasm, "--key", key, "--release", "1.0.0", "--counter", "5"]);
    };
    let verify = ["verify", &wasm, "--key", &public];
    let check = |args: &[&str], code: i32, says: &str| {
        let (got, why) = refused(args);
        assert_eq!(got, Some(code), "{why}");
        assert!(why.contains(says), "{says}: {why}");
    };
    check(&verify, 4, "p.wasm.manifest");
    sign(&other);
    check(&verify, 1, "which the profile does not pin");
    sign(&key);
    check(&["verify", &wasm, "--key", &public, "--counter", "6"], 1, "takes 6 and higher");
    check(&["verify", &wasm, "--key", &public, "--name", "acme"], 1, "runs `acme`");
    let changed = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        sign(&key);
        let mut bytes = std::fs::read(at(name)).unwrap();
        change(&mut bytes);
        std::fs::write(at(name), bytes).unwrap();
    };
    changed("p.wasm", &|bytes| bytes[5_000] ^= 1);
    check(&verify, 1, "the module is not the one that was signed");
    std::fs::write(&wasm, release(1)).unwrap();
    changed("p.wasm.manifest", &|bytes| bytes[60] ^= 1);
    check(&verify, 1, "the manifest is not the one that was signed");
    changed("p.wasm.sig", &|bytes| bytes[0] ^= 1);
    check(&verify, 1, "is not the one that was signed");
    changed("p.wasm.sig", &|bytes| bytes.truncate(10));
    check(&verify, 1, "has 10 bytes");
    // A maker's own slips.
    check(
        &["sign", &wasm, "--key", &wasm, "--release", "1.0.0", "--counter", "5"],
        2,
        "no private key",
    );
    check(
        &["sign", &wasm, "--key", &key, "--release", "one", "--counter", "5"],
        2,
        "semantic version",
    );
    check(&["sign", &key, "--key", &key, "--release", "1.0.0", "--counter", "5"], 1, "no plugin");
    // A device that pins no key.
    let profile = write(dir.path(), "p.toml", "[plugin]\n").display().to_string();
    sign(&key);
    let store = dir.path().display().to_string();
    check(&["stage", &wasm, "--store", &store, "--config", &profile], 2, "pins no key");
}
