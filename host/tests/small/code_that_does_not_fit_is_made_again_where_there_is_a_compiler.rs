//! The full build with machine code: it runs what fits, makes what does not fit again, keeps that, and believes nobody.

use std::fs;

use super::clouds::Clouds;
use super::process;
use super::support::Maker;

#[test]
fn from_the_module_beside_it_and_then_from_its_own_cache() {
    let clouds = Clouds::start();
    let maker = Maker::new(clouds.dir.path());
    let (store, local) = (clouds.store("d"), clouds.local());
    let run = |profile: &str, code: &str| {
        let args = ["--local", &local, "--config", profile, "--plugin", code, "--until", "ready"];
        process::run("ucloud", &store, &args)
    };
    // Machine code leaves the sandbox: the profile has to allow it.
    let usual = maker.profile("", "", "");
    let fits = maker.compile("muster.cwasm", 1, &[]);
    let refused = run(&usual, &fits);
    assert_eq!(refused.code, Some(1), "{}", refused.story());
    assert!(refused.stderr.contains("machine_code = true"), "{}", refused.story());
    let allowed = maker.profile("", "machine_code = true", "");
    let ended = run(&allowed, &fits);
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    assert!(!ended.shows("does not fit") && !ended.shows("compiled"), "{}", ended.story());

    // The limits of another profile.
    let tight = maker.profile("", "machine_code = true", "[limits]\nmemory_pages = 8");
    let notes = |how: &str| {
        let ended = run(&tight, &fits);
        assert_eq!(ended.code, Some(0), "{}", ended.story());
        let note = ended.events.iter().find(|event| event["event"] == "note");
        let note = note.unwrap_or_else(|| panic!("{}", ended.story()))["text"].to_string();
        assert!(note.contains("memory reservation") && note.contains(how), "{note}");
        note
    };
    assert!(notes("compiled again from").contains("muster.wasm"));
    notes("runs what this device once compiled from");
    // A cache that is damaged, half written, or of another key is made anew.
    let cache = store.join("plugin/cache.cwasm");
    for name in ["plugin/cache.cwasm", "plugin/cache.cwasm.sig", "plugin/cache.key"] {
        let path = store.join(name);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        notes("compiled again from");
        notes("runs what this device once compiled from");
    }
    assert!(fs::read(&cache).unwrap().starts_with(b"\x7fELF"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(store.join("plugin/cache.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    // Another module beside it than the one that was signed for.
    let wasm = maker.at("muster.wasm");
    let mut bytes = fs::read(&wasm).unwrap();
    bytes.extend_from_slice(&[0, 2, 1, b'n']);
    fs::write(&wasm, bytes).unwrap();
    let ended = run(&tight, &fits);
    assert_eq!(ended.code, Some(1), "{}", ended.story());
    assert!(ended.shows("beside the machine code is not the one"), "{}", ended.story());
    // And none at all.
    fs::remove_file(&wasm).unwrap();
    let ended = run(&tight, &fits);
    assert_eq!(ended.code, Some(4), "{}", ended.story());
    assert!(ended.shows("muster plugin precompile"), "{}", ended.story());
}
