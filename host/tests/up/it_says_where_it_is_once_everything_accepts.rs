use crate::support::{Up, connect, request};

#[test]
fn it_says_where_it_is_once_everything_accepts() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());

    // No waiting: what the line names accepts already.
    connect(up.http());
    for platform in ["ucloud", "krtyun", "alibaba"] {
        connect(up.mqtt(platform));
        assert_eq!(
            up.line["ws"][platform].as_str().unwrap(),
            format!("ws://{}/mqtt/{platform}", up.http())
        );
    }
    assert_eq!(up.line["api"].as_str().unwrap(), format!("http://{}/api", up.http()));
    assert_eq!(up.line["data"].as_str().unwrap(), data.path().to_str().unwrap());
    // For other commands the same line is in the data folder.
    let kept = std::fs::read_to_string(data.path().join("up.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&kept).unwrap(), up.line);

    assert_eq!(up.stop(), "", "stdout carries the one line alone");
    assert!(!data.path().join("up.json").exists());
}

#[test]
fn the_demo_has_every_setting_of_every_platform() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    for (platform, keys) in [
        ("ucloud", "broker device_sn product_secret product_sn"),
        ("cmcc", "base_url cmei device_no device_no_type product_id product_key"),
        ("krtyun", "broker device_id product_id product_secret"),
        ("alibaba", "auth_url broker device_name product_key product_secret"),
        ("alibaba_app", "app_key app_secret base_url home_id iot_token"),
    ] {
        let settings = up.demo(platform);
        let settings = settings.as_object().unwrap();
        let found: Vec<&str> = settings.keys().map(String::as_str).collect();
        assert_eq!(found.join(" "), keys, "{platform}");
        assert!(
            settings.values().all(|value| value.as_str().is_some_and(|v| !v.is_empty())),
            "{platform}"
        );
    }
    // Names are the same on every machine, secrets are not.
    let other = tempfile::tempdir().unwrap();
    let other = Up::start(other.path());
    let (a, b) = (up.demo("ucloud"), other.demo("ucloud"));
    assert_eq!(a["product_sn"], b["product_sn"]);
    assert_ne!(a["product_secret"], b["product_secret"]);
}

#[test]
fn the_start_page_needs_nothing_from_elsewhere() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let get = |language: &str| {
        let head = format!(
            "GET /start HTTP/1.1\r\nHost: {}\r\nAccept-Language: {language}\r\n\r\n",
            up.http()
        );
        request(up.http(), &head, b"")
    };
    let page = get("en-GB,en;q=0.9");
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    let text = page.text();
    assert!(
        text.contains("data-lang=\"en\"") && !text.contains("src=\"") && !text.contains("@import")
    );
    assert!(!text.contains("<link"));
    let secret = up.demo("ucloud")["product_secret"].as_str().unwrap().to_owned();
    assert!(!text.contains(&format!(">{secret}<")), "a secret is shown only when asked for");
    assert!(
        get("fr, zh-CN;q=0.8, en;q=0.5").text().contains("<html lang=\"zh-CN\" data-lang=\"zh\">")
    );
}

/// The commands on the page are to be copied: they have to work as they stand.
#[test]
#[cfg(unix)]
fn the_commands_of_the_start_page_work() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let head = format!("GET /start HTTP/1.1\r\nHost: {}\r\n\r\n", up.http());
    let page = request(up.http(), &head, b"").text();
    let unescape = |text: &str| {
        text.replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    let mut tried = 0;
    for command in
        page.split("data-copy=\"").skip(1).map(|rest| unescape(rest.split('"').next().unwrap()))
    {
        let tool = command.split(' ').next().unwrap_or_default();
        let answer = match tool {
            "mosquitto_rr" if command.contains("$system") => "\"Password\"",
            "mosquitto_rr" => "\"DEVICE_SECRET\"",
            "curl" => "\"deviceSecret\"",
            _ => continue,
        };
        let there = std::process::Command::new("sh")
            .args(["-c", &format!("command -v {tool}")])
            .output()
            .unwrap();
        if !there.status.success() {
            eprintln!("{tool} is not installed: {command} was not tried");
            continue;
        }
        let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains(answer),
            "{command}\n{said}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        tried += 1;
    }
    let commands =
        page.matches("data-copy=\"mosquitto_rr").count() + page.matches("data-copy=\"curl").count();
    assert_eq!(commands, 3, "{tried} of them were tried");
}
