//! `muster tool`, from the command line, against the vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/alibaba.json")).unwrap()
}

fn muster(args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_muster"))
        .arg("tool")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A tool that reads no stdin may end before all is written.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn tool(args: &[&str], stdin: &str) -> Value {
    let output = muster(&[args, &["--json"]].concat(), stdin);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "one JSON object: {text}");
    serde_json::from_str(&text).unwrap()
}

fn credentials(platform: &str, mode: &str, set: &[(&str, &str)]) -> Value {
    let pairs: Vec<String> = set.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut args = vec!["credentials", "--platform", platform, "--mode", mode];
    for pair in &pairs {
        args.extend(["--set", pair]);
    }
    tool(&args, "")
}

fn text<'a>(vector: &'a Value, key: &str) -> &'a str {
    vector[key].as_str().unwrap_or_else(|| panic!("{key} in {vector}"))
}

#[test]
fn sign_equals_every_signature_vector() {
    for vector in vectors()["api_gateway_signature"].as_array().unwrap() {
        let answer = tool(&["sign"], &vector.to_string());
        for key in ["string_to_sign", "content_md5", "signature"] {
            assert_eq!(answer[key], vector[key], "{} {key}", vector["name"]);
        }
    }
}

#[test]
fn cipher_equals_every_cipher_vector() {
    for vector in vectors()["cipher"].as_array().unwrap() {
        let number = vector["cipherType"].to_string();
        let mut args = vec![
            "cipher",
            "--type",
            &number,
            "--secret",
            text(vector, "secret"),
            "--random",
            text(vector, "random"),
        ];
        if let Some(mac) = vector["mac"].as_str() {
            args.extend(["--mac", mac]);
        }
        assert_eq!(
            tool(&args, ""),
            json!({ "sha256": vector["sha256"], "key": vector["aes128_key"] })
        );
    }
}

#[test]
fn credentials_equal_the_vectors_of_alibaba() {
    for vector in vectors()["dynreg_mqtt"].as_array().unwrap() {
        let answer = credentials(
            "alibaba",
            "dynamic",
            &[
                ("product_key", text(vector, "productKey")),
                ("product_secret", text(vector, "productSecret")),
                ("device_name", text(vector, "deviceName")),
                ("random", text(vector, "random")),
                ("auth_type", text(vector, "authType")),
            ],
        );
        for key in ["client_id", "username", "password"] {
            assert_eq!(answer[key], vector[key]);
        }
    }
}

#[test]
fn credentials_equal_the_examples_of_the_ucloud_document() {
    let names = [("ProductSN", "70ly1tvowt696r15"), ("DeviceSN", "112233445566")];
    let dynamic = credentials(
        "ucloud",
        "dynamic",
        &[&names[..], &[("ProductSecret", "sqx0cltqba402z7z")]].concat(),
    );
    assert_eq!(
        dynamic,
        json!({
            "client_id": "70ly1tvowt696r15.112233445566",
            "username": "70ly1tvowt696r15|112233445566|2",
            "password": "sqx0cltqba402z7z",
        })
    );
    let fixed = credentials(
        "ucloud",
        "static",
        &[&names[..], &[("DeviceSecret", "zlc3d21u5k8fq0d2")]].concat(),
    );
    assert_eq!(
        fixed,
        json!({
            "client_id": "70ly1tvowt696r15.112233445566",
            "username": "70ly1tvowt696r15|112233445566|1",
            "password": "zlc3d21u5k8fq0d2",
        })
    );
}

#[test]
fn credentials_of_krtyun_put_the_product_into_the_client_id() {
    let names = [("product_id", "1001"), ("device_id", "2002")];
    let dynamic =
        credentials("krtyun", "dynamic", &[&names[..], &[("product_secret", "s3cret")]].concat());
    assert_eq!(dynamic, json!({ "client_id": "1001", "username": "2002", "password": "s3cret" }));
    let fixed =
        credentials("krtyun", "static", &[&names[..], &[("device_secret", "own")]].concat());
    assert_eq!(fixed, json!({ "client_id": "1001", "username": "2002", "password": "own" }));
}

#[test]
fn numbers_equal_the_vectors() {
    let vectors = vectors();
    for vector in vectors["cmei_cases"].as_array().unwrap() {
        assert_eq!(
            tool(&["cmei", "check", text(vector, "cmei")], "")["valid"],
            vector["valid"],
            "{vector}"
        );
    }
    for vector in vectors["luhn"].as_array().unwrap() {
        let (first, full) = (text(vector, "first14"), text(vector, "full"));
        assert_eq!(tool(&["imei", "check", full], "")["luhn"], true);
        if first.starts_with("11") {
            let built = tool(&["cmei", "build", "--tui", &first[..8], "--serial", &first[8..]], "");
            assert_eq!(built["cmei"], full);
        }
    }
}

#[test]
fn a_batch_has_no_number_twice() {
    let batch =
        tool(&["cmei", "batch", "--tui", "11123456", "--count", "1000", "--digit", "random"], "");
    let numbers: std::collections::BTreeSet<&str> =
        batch["cmeis"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(numbers.len(), 1000);
    assert!(numbers.iter().all(|n| n.len() == 15 && n.starts_with("11123456")));
}

#[test]
fn a_wrong_value_is_named_and_exits_with_2() {
    for (args, named) in [
        (&["cipher", "--type", "5", "--secret", "s", "--random", "00"][..], "--type"),
        (
            &[
                "cipher",
                "--type",
                "6",
                "--secret",
                "s",
                "--random",
                "00000000000000000000000000000000",
            ],
            "MAC",
        ),
        (
            &["credentials", "--platform", "ucloud", "--mode", "static", "--set", "product_sn=p"],
            "device_sn",
        ),
        (&["credentials", "--platform", "nowhere", "--mode", "static"], "--platform"),
        (&["cmei", "batch", "--tui", "11123456", "--first", "999999", "--count", "2"], "999999"),
        (&["sign"], "stdin"),
    ] {
        let output = muster(args, "no JSON");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(named) && error.contains("next:"), "{args:?}: {error}");
    }
}

#[test]
fn an_nvs_image_is_made_for_the_owner_alone_and_never_replaces_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("in.csv"), "key,type,encoding,value\nn,namespace,,\nk,file,binary,blob\n")
        .unwrap();
    std::fs::write(at("blob"), [1, 2, 3]).unwrap();
    let (csv, out) = (at("in.csv"), at("out.bin"));
    let args = ["nvs", &csv, "--size", "0x3000", "--out", &out];
    let answer = tool(&args, "");
    assert_eq!(answer["bytes"], 0x3000);
    assert_eq!(answer["places"][1]["kind"], "blob_data");
    assert_eq!(std::fs::read(&out).unwrap().len(), 0x3000);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = muster(&args, "");
    assert_eq!(again.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&again.stderr).contains("move it away"));
    let wrong = muster(&["nvs", &csv, "--size", "5000", "--out", &at("other.bin")], "");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&wrong.stderr).contains("--size: has to be a multiple of 4096")
    );
}

#[test]
fn a_registered_devices_credentials_are_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let credential = r#"{"product_sn":"p","device_sn":"d","device_secret":"0123456789abcdef"}"#;
    std::fs::write(folder.path().join("credential.json"), credential).unwrap();
    let (store, out) = (folder.path().display().to_string(), folder.path().join("muster.h"));
    let out = out.display().to_string();
    let args =
        ["handover", "--platform", "ucloud", "--store", &store, "--as", "header", "--out", &out];
    let output = muster(&args, "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!shown.contains("0123456789abcdef"), "no secret on the screen: {shown}");
    let header = std::fs::read_to_string(&out).unwrap();
    assert!(header.contains("#define MUSTER_DEVICE_SECRET \"0123456789abcdef\""), "{header}");
}
