use super::*;
use crate::plugin::{Limits, embedded_bytes};

fn key() -> SigningKey {
    SigningKey::from_pem(&SigningKey::generate().unwrap()).unwrap()
}

fn wanted(counter: u64) -> Wanted {
    Wanted { name: "muster".into(), counter, machine_code: false }
}

fn engine() -> Engine {
    Engine::new(Limits::default()).unwrap()
}

fn manifest(key: &SigningKey) -> Manifest {
    let wasm = embedded_bytes();
    let describe = engine().load(wasm).unwrap().instantiate().unwrap().describe().unwrap();
    Manifest::new("muster", "1.2.3", 7, wasm, &describe, &key.public()).unwrap()
}

fn package(key: &SigningKey) -> Package {
    Package::sign(embedded_bytes().to_vec(), &manifest(key), key)
}

#[test]
fn a_good_package_is_believed_and_is_a_plugin() {
    let key = key();
    for counter in [0, 6, 7] {
        let verified =
            package(&key).verify(&[self::key().public(), key.public()], &wanted(counter));
        let verified = verified.unwrap();
        assert_eq!(verified.manifest().version, "1.2.3");
        verified.load(&engine()).unwrap();
    }
}

#[test]
fn each_refusal_names_its_reason() {
    let (key, other) = (key(), self::key());
    let good = package(&key);
    let check = |package: Package, code: &str| {
        let error = package.verify(&[key.public()], &wanted(1)).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.to_string().is_empty() && !error.advice().is_empty());
    };
    let error = good.clone().verify(&[], &wanted(1)).unwrap_err();
    assert_eq!(error, PackageError::NoKey);
    check(package(&other), "wrong_key");
    let error = good.clone().verify(&[key.public()], &wanted(8)).unwrap_err();
    assert_eq!(error, PackageError::Older { counter: 7, lowest: 8 });
    let elsewhere = Wanted { name: "other".into(), counter: 1, machine_code: false };
    let error = good.clone().verify(&[key.public()], &elsewhere).unwrap_err();
    assert_eq!(error.code(), "name");

    // Every byte counts.
    for at in [0, 8, good.wasm.len() / 2, good.wasm.len() - 1] {
        let mut changed = good.clone();
        changed.wasm[at] ^= 1;
        check(changed, "tampered");
    }
    let mut longer = good.clone();
    longer.wasm.push(0);
    check(longer, "tampered");
    for at in 0..good.manifest.len() {
        let mut changed = good.clone();
        changed.manifest[at] ^= 1;
        let error = changed.verify(&[key.public()], &wanted(1)).unwrap_err();
        // Where the key's own name was changed, it looks like another one's.
        assert!(matches!(error.code(), "tampered" | "wrong_key"), "{at}: {error}");
    }
    for at in 0..64 {
        let mut changed = good.clone();
        changed.signature[at] ^= 1;
        check(changed, "tampered");
    }
    let mut short = good.clone();
    short.signature.pop();
    check(short, "not_a_signature");
}

#[test]
fn what_is_well_signed_and_no_manifest_is_the_makers_mistake() {
    let key = key();
    let text = String::from_utf8(manifest(&key).to_bytes()).unwrap();
    for (from, to) in [
        ("muster-plugin-1", "muster-plugin-2"),
        ("\"counter\": 7", "\"counter\": 0"),
        ("\"counter\": 7", "\"counter\": -7"),
        ("\"counter\": 7", "\"counter\": 7, \"counter\": 8"),
        ("\"counter\": 7", "\"counter\": 7, \"more\": 8"),
        ("1.2.3", "newest"),
        ("{", "["),
    ] {
        let manifest = text.replacen(from, to, 1).into_bytes();
        assert_ne!(manifest, text.as_bytes());
        let signature = key.sign(&manifest);
        let package = Package { wasm: embedded_bytes().to_vec(), manifest, signature };
        let error = package.verify(&[key.public()], &wanted(1)).unwrap_err();
        assert_eq!((error.code(), error.blame()), ("manifest", "maker"), "{to}: {error}");
    }
}

#[test]
fn a_manifest_that_says_other_than_its_plugin_is_refused() {
    let key = key();
    let mut wrong = manifest(&key);
    wrong.snapshot_schema += 1;
    let package = Package::sign(embedded_bytes().to_vec(), &wrong, &key);
    let verified = package.verify(&[key.public()], &wanted(1)).unwrap();
    let error = verified.load(&engine()).unwrap_err();
    assert_eq!(error, PackageError::Disagrees("snapshot_schema"));

    let mut nothing = manifest(&key);
    (nothing.size, nothing.sha256) = (5, digest(b"hello"));
    let package = Package::sign(b"hello".to_vec(), &nothing, &key);
    let verified = package.verify(&[key.public()], &wanted(1)).unwrap();
    assert_eq!(verified.load(&engine()).unwrap_err().code(), "plugin");
}

#[test]
fn keys_are_read_as_openssl_writes_them() {
    // RFC 8410, section 10: the example's private and public key.
    let pem = "-----BEGIN PRIVATE KEY-----\n\
               MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
               -----END PRIVATE KEY-----\n";
    let key = SigningKey::from_pem(&SecretBytes::new(pem.as_bytes().to_vec())).unwrap();
    let line = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    assert_eq!(key.public().to_string(), line);
    assert_eq!(PublicKey::parse(line), Ok(key.public()));
    for bad in ["", "GZ9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=", &line[1..], &line[..56]] {
        assert!(PublicKey::parse(bad).is_err(), "{bad}");
    }
    for bad in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] {
        assert!(SigningKey::from_pem(&SecretBytes::new(bad.as_bytes().to_vec())).is_err());
    }
}

use muster::SecretBytes;
