use serde_json::Value;

use crate::support::{Up, muster};

#[test]
fn operators_act_from_the_command_line() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let run = |args: &[&str], code: i32| -> String {
        let output = up.cloud(args);
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
        if code != 0 {
            assert!(err.starts_with("error: ") && err.contains("next: "), "{args:?}: {err}");
        }
        format!("{out}{err}")
    };
    let products = run(&["products"], 0);
    for platform in ["ucloud", "cmcc", "krtyun", "alibaba"] {
        assert!(products.contains(platform), "{products}");
    }
    let columns = products.lines().next().unwrap();
    assert!(!columns.contains("SECRET"), "secrets are shown on request alone");
    let csv = data.path().join("numbers.csv");
    std::fs::write(&csv, "device_sn\nAABBCC001122\nx\n").unwrap();
    let imported = run(&["-P", "ucloud", "import", csv.to_str().unwrap()], 0);
    assert!(imported.contains("1 added") && imported.contains("line 3"), "{imported}");
    let devices: Value =
        serde_json::from_str(&run(&["-P", "ucloud", "devices", "--json"], 0)).unwrap();
    assert_eq!(devices["total"], 6);
    run(&["-P", "ucloud", "switch", "PreRegister", "false"], 0);
    run(&["-P", "ucloud", "disable", "AABBCC001122"], 0);
    assert!(run(&["-P", "ucloud", "devices"], 0).contains("disabled"));
    run(&["-P", "ucloud", "enable", "AABBCC001122"], 0);

    // What cannot be undone says what it costs, and does nothing without a yes.
    assert!(run(&["-P", "ucloud", "delete", "AABBCC001122"], 2).contains("--yes"));
    assert!(run(&["-P", "ucloud", "reset", "AABBCC001122", "--new-secret"], 2).contains("--yes"));
    assert!(run(&["-P", "ucloud", "devices"], 0).contains("AABBCC001122"));
    run(&["-P", "ucloud", "delete", "AABBCC001122", "--yes"], 0);
    assert!(!run(&["-P", "ucloud", "devices"], 0).contains("AABBCC001122"));

    let image = data.path().join("image.bin");
    std::fs::write(&image, vec![7; 70_000]).unwrap();
    assert!(
        run(&["-P", "krtyun", "firmware", image.to_str().unwrap(), "--version", "1.0.1"], 0)
            .contains("70000 bytes")
    );
    run(&["-P", "krtyun", "push", "--version", "1.0.1"], 0);
    run(&["-P", "krtyun", "upgrades"], 0);
    run(&["owners"], 0);
    run(
        &[
            "-P",
            "alibaba",
            "-p",
            "a1mustergw1",
            "topology",
            "add",
            "gateway1",
            "example1",
            "--sub-product",
            "a1muster001",
        ],
        0,
    );
    assert!(run(&["log"], 0).contains("krtyun"));
    assert!(run(&["status"], 0).contains("takes changes"));
    assert!(run(&["demo", "-P", "alibaba"], 0).contains("iot_token"));

    // The cloud's no, a mistake of the caller's, a file that is not there.
    run(&["-P", "ucloud", "disable", "nobody"], 1);
    run(&["-P", "krtyun", "push", "--version", "9.9.9"], 1);
    run(&["devices"], 2);
    run(&["-P", "krtyun", "import", "/no/such/file.csv"], 4);
}

#[test]
fn nobody_there_is_a_network_error() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = muster()
        .args(["cloud", "products", "--url", &format!("http://127.0.0.1:{port}")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().contains("muster up"));
}

#[test]
fn the_line_of_up_names_the_clouds() {
    let data = tempfile::tempdir().unwrap();
    let _up = Up::start(data.path());
    let line = data.path().join("up.json");
    let output = muster().args(["cloud", "products", "--local"]).arg(&line).output().unwrap();
    assert!(output.status.success());
}
