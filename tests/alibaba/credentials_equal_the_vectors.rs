//! Dynamic registration and MQTT login.

use muster::Secret;
use muster::alibaba::credentials::{
    AuthType, ClientId, Device, FIXED_TIMESTAMP, SecureMode, SignMethod, Style, login_connect,
    registration_connect, registration_form, registration_sign, token_connect,
};
use muster::hex;

use super::vectors::{object, section, text};

fn device(entry: &serde_json::Value) -> Device<'_> {
    Device { product_key: text(entry, "productKey"), device_name: text(entry, "deviceName") }
}

#[test]
fn registration_over_http_agrees() {
    for entry in section("dynreg_http") {
        let secret = Secret::from(text(&entry, "productSecret"));
        let random = text(&entry, "random");
        for method in SignMethod::ALL {
            let sign = registration_sign(method, device(&entry), &secret, random);
            assert_eq!(sign, text(&entry, &format!("sign_{method}")));
        }
        let form = registration_form(SignMethod::HmacSha256, device(&entry), &secret, random);
        assert_eq!(form, text(&entry, "http_body_linkkit"));
    }
}

#[test]
fn registration_over_mqtt_agrees() {
    for entry in section("dynreg_mqtt") {
        let auth_type = match text(&entry, "authType") {
            "regnwl" => AuthType::Regnwl,
            _ => AuthType::Register,
        };
        let connect = registration_connect(
            SignMethod::HmacSha256,
            device(&entry),
            &Secret::from(text(&entry, "productSecret")),
            text(&entry, "random"),
            auth_type,
            SecureMode::Tls,
            entry["instanceId"].as_str(),
        );
        assert_eq!(connect.client_id, text(&entry, "client_id"));
        assert_eq!(connect.username, text(&entry, "username"));
        assert_eq!(connect.password.expose(), text(&entry, "password"));
    }
}

#[test]
fn an_instance_is_named_last() {
    let connect = registration_connect(
        SignMethod::HmacSha1,
        Device { product_key: "pk", device_name: "dn" },
        &Secret::from("s"),
        "r",
        AuthType::Regnwl,
        SecureMode::NoWhitelist,
        Some("iot-060a"),
    );
    assert_eq!(
        connect.client_id,
        "dn.pk|random=r,authType=regnwl,securemode=-2,signmethod=hmacsha1,instanceId=iot-060a|"
    );
}

#[test]
fn logins_of_every_sdk_agree() {
    for entry in section("mqtt_connect") {
        let client_id = ClientId::parse(text(&entry, "client_id")).unwrap();
        let style = match text(&entry, "style") {
            style if style.starts_with("iotkit-embedded") => Style::LinkkitC,
            style if style.starts_with("PyPI") => Style::LinkkitPython,
            _ => Style::LinkkitNode,
        };
        let secure_mode = match client_id.field("securemode").unwrap() {
            "2" => SecureMode::Tls,
            _ => SecureMode::Tcp,
        };
        let connect = login_connect(
            style,
            text(&entry, "signmethod").parse().unwrap(),
            device(&entry),
            &Secret::from(text(&entry, "deviceSecret")),
            secure_mode,
            client_id.field("timestamp").unwrap(),
        );
        assert_eq!(connect.client_id, text(&entry, "client_id"));
        assert_eq!(connect.username, text(&entry, "username"));
        assert_eq!(connect.password.expose(), text(&entry, "password"));
    }
}

#[test]
fn all_three_algorithms_agree() {
    let entry = object("mqtt_connect_algorithms");
    let secret = Secret::from(text(&entry, "deviceSecret"));
    for method in SignMethod::ALL {
        let sign = method.hmac(&secret, &[text(&entry, "content").as_bytes()]);
        assert_eq!(hex::lower(&sign), text(&entry, method.as_str()));
    }
}

/// The example of the vendor's page on MQTT connections.
#[test]
fn the_published_example_agrees() {
    let sign = SignMethod::HmacSha1.hmac(
        &Secret::from("secret"),
        &[b"clientId12345", b"deviceNamedevice", b"productKeypk", b"timestamp789"],
    );
    assert!(SignMethod::matches(&hex::lower(&sign), "FAFD82A3D602B37FB0FA8B7892F24A477F851A14"));
}

#[test]
fn our_own_login_names_what_it_signed() {
    let connect = login_connect(
        Style::Muster,
        SignMethod::HmacSha256,
        Device { product_key: "a1X2bEnP82z", device_name: "example1" },
        &Secret::from("ga7XA6KdlEeiPXQPpRbAjOZXwG8ydgSe"),
        SecureMode::Tcp,
        FIXED_TIMESTAMP,
    );
    assert_eq!(
        connect.client_id,
        "a1X2bEnP82z.example1|securemode=3,signmethod=hmacsha256,timestamp=2524608000000|"
    );
    // Same content as the C SDK's first vector.
    let sdk = text(&section("mqtt_connect")[0], "password").to_owned();
    assert!(SignMethod::matches(connect.password.expose(), &sdk));
}

#[test]
fn a_token_login_carries_the_token_itself() {
    let device = Device { product_key: "pk", device_name: "dn" };
    let connect = token_connect(device, "client-77", &Secret::from("tok"));
    assert_eq!(connect.client_id, "client-77|authType=connwl,securemode=-2|");
    assert_eq!(connect.username, "dn&pk");
    assert_eq!(connect.password.expose(), "tok");
    assert!(!format!("{connect:?}").contains("tok\""));
}

#[test]
fn form_values_are_percent_encoded() {
    let form = registration_form(
        SignMethod::HmacMd5,
        Device { product_key: "pk", device_name: "a:b@c d&e=中" },
        &Secret::from("s"),
        "r",
    );
    assert!(
        form.starts_with("productKey=pk&deviceName=a%3Ab%40c%20d%26e%3D%E4%B8%AD&random=r&sign=")
    );
    assert!(form.ends_with("&signMethod=hmacmd5"));
}

#[test]
fn client_ids_are_taken_apart_or_refused() {
    let id = ClientId::parse("n.m|SecureMode=2,signmethod=hmacsha1,|").unwrap();
    assert_eq!(id.name, "n.m");
    assert_eq!(id.field("securemode"), Some("2"));
    assert_eq!(id.field("timestamp"), None);
    assert_eq!(ClientId::parse("n||").unwrap().field("a"), None);
    for bad in ["", "n", "n|a=b", "n|a|", "|"] {
        let parsed = ClientId::parse(bad);
        assert_eq!(parsed, None, "{bad}");
    }
}

#[test]
fn signatures_are_compared_without_case_and_in_full() {
    assert!(SignMethod::matches("ab12", "AB12"));
    assert!(!SignMethod::matches("ab12", "ab13"));
    assert!(!SignMethod::matches("ab12", "ab1"));
    assert!(!SignMethod::matches("ab12", ""));
}

#[test]
fn sign_methods_are_known_in_any_case() {
    assert_eq!("hmacSha256".parse(), Ok(SignMethod::HmacSha256));
    assert_eq!("HMACMD5".parse(), Ok(SignMethod::HmacMd5));
    assert!("sha256".parse::<SignMethod>().is_err());
}
