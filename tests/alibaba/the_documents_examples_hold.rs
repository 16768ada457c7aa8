//! Every sample of the seed document: requests have the same members as ours, responses are read.
//!
//! Three samples are mended here: `xxx` where JSON needs a value, the comma that is missing in the reply of
//! `/awss/token/check`, and placeholders where a key has to be hex.

use muster::alibaba::cipher::CipherType;
use muster::app::{Call, CallName, CipherRequest, DeviceName, Reply};
use muster::{Error, Rejected};
use serde_json::Value;

use super::owner::{Owner, body, settings};

/// Names of all members, at every depth.
fn members(value: &Value, path: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = format!("{path}/{key}");
                out.push(path.clone());
                members(value, &path, out);
            }
        }
        Value::Array(items) => items.iter().take(1).for_each(|item| members(item, path, out)),
        _ => {}
    }
}

fn all_members(value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    members(value, "", &mut out);
    out.sort();
    out
}

/// What our app sends, beside what the document shows.
fn sent(call: Call) -> (Value, String) {
    let mut owner = Owner::new(&settings());
    owner.call(1, call);
    let (_, request) = owner.requests.pop_front().unwrap();
    let path = request.url.strip_prefix("http://127.0.0.1:7878").unwrap().to_owned();
    (body(&request), path)
}

/// The request has the sample's members, and `extra` ones.
fn same(call: Call, path: &str, version: &str, sample: &str, extra: &[&str]) {
    let sample: Value = serde_json::from_str(sample).unwrap();
    let (ours, our_path) = sent(call);
    assert_eq!(our_path, path);
    assert_eq!(ours["request"]["apiVer"], version);
    let mut expected = all_members(&sample);
    expected.extend(extra.iter().map(|member| (*member).to_owned()));
    expected.sort();
    assert_eq!(all_members(&ours), expected, "{path}");
}

/// What our app makes of a reply.
fn read(call: Call, reply: &str) -> Result<Reply, Error> {
    let mut owner = Owner::new(&settings());
    owner.call(1, call);
    owner.answer_with(reply);
    owner.result()
}

fn device() -> DeviceName {
    DeviceName::new("a1xxxxm", "xxxxxx")
}

/// Optional by the document's prose, and not in all samples.
const LANGUAGE: &str = "/request/language";

#[test]
fn the_list_of_discovered_devices() {
    let call = || Call::list(10, 1).unwrap();
    same(
        call(),
        "/awss/enrollee/list/get",
        "1.0.7",
        r#"{"id":"1509086454180","version":"1.0","request":{"apiVer":"1.0.2","iotToken":"token"},
            "params":{"pageSize":10,"pageNum":1}}"#,
        &[LANGUAGE],
    );
    let reply = r#"{"code":200,"data":{"totalNum":12,"items":[{"gmtCreate":"xxx","gmtModified":"xxx","regIotId":"xxx",
        "regProductKey":"xxx","regDeviceName":"xxx","enrolleeIotId":"xxx","enrolleeProductKey":"xxx",
        "enrolleeDeviceName":"xxx","bssid":"xxx","ssid":"xxx","rssi":"xxx","type":0,"status":1}]},"message":"success"}"#;
    let Ok(Reply::Discovered(page)) = read(call(), reply) else { panic!() };
    assert_eq!((page.total, page.items.len()), (12, 1));
    let item = &page.items[0];
    assert_eq!(item.enrollee, DeviceName::new("xxx", "xxx"));
    assert_eq!(item.registrar, Some(DeviceName::new("xxx", "xxx")));
    assert_eq!((item.kind, item.status, item.rssi.as_deref()), (Some(0), Some(1), Some("xxx")));
    assert_eq!(item.enrollee_product_name, None);
}

#[test]
fn the_filter() {
    let devices = [device(), DeviceName::new("a1xxxxb", "xxxxxx")];
    let call = || Call::filter(&devices, false).unwrap();
    same(
        call(),
        "/awss/enrollee/product/filter",
        "1.0.7",
        r#"{"id":"1509086454180","version":"1.0","request":{"apiVer":"1.0.2","iotToken":"token"},"params":{"iotDevices":
            [{"productKey":"a1xxxxm","deviceName":"xxxxxx"},{"productKey":"a1xxxxb","deviceName":"xxxxxx"}]}}"#,
        &[LANGUAGE],
    );
    let reply = r#"{"code":200,"data":[{"productKey":"a1xxxxm","deviceName":"xxxxxx","netType":3,"nodeType":0,
        "categoryKey":"xxx","categoryName":"xxx","categoryId":14}],"message":"success"}"#;
    let Ok(Reply::Filtered(found)) = read(call(), reply) else { panic!() };
    assert_eq!(
        (found[0].net_type, found[0].node_type, found[0].category_id),
        (Some(3), Some(0), Some(14))
    );
}

#[test]
fn the_token_check() {
    let call = || Call::token_check("xxx", None, None).unwrap();
    same(
        call(),
        "/awss/token/check",
        "1.0.9",
        r#"{"request":{"iotToken":"109049c80bxxxx62e29a3ba","apiVer":"1.0.9"},"id":1508212818676,
            "params":{"token":"xxx"},"version":"1.0"}"#,
        &[LANGUAGE],
    );
    // The document's sample lacks the comma behind iotId.
    let reply = r#"{"code":200,"data":{"iotId":"xxxx","productKey":"xxxx","deviceName":"xxxx"},
        "id":"e2d74ffe-308e-xxxx-xxxx-9b44a43eabc9"}"#;
    let Ok(Reply::Token(holder)) = read(call(), reply) else { panic!() };
    assert_eq!(holder.iot_id, "xxxx");
    let as_printed = reply.replacen("\"xxxx\",", "\"xxxx\"", 1);
    assert!(matches!(read(call(), &as_printed), Err(Error::Codec { .. })));
    let no =
        r#"{"code":6608,"id":"4fa207ca-fffd-xxxx-xxxx-e6f7ca6c99c3","message":"token not found"}"#;
    let by = Rejected::Code { code: "6608".into(), message: "token not found".into() };
    assert_eq!(read(call(), no), Err(Error::Rejected { by }));
}

#[test]
fn both_binds() {
    let home = Some("50f5op1556xxxxf2f28104512");
    let reply = r#"{"id":"xxx","code":200,"message":"success","data":"xxxxxxxxxxxxx"}"#;
    let object = r#"{"id":"xxx","code":200,"message":"success","data":{"iotId":"xxxxxxxxxxxxx","categoryKey":"Lamp"}}"#;
    let by_token = || Call::token_bind(home, &device(), "xxx").unwrap();
    same(
        by_token(),
        "/awss/token/user/bind",
        "1.0.8",
        r#"{"id":"xxx","version":"1.0.0","request":{"language":"en-US","appKey":"xxx","iotToken":"xxx","apiVer":"1.0.8"},
            "params":{"homeId":"50f5op1556xxxxf2f28104512","productKey":"xxx","deviceName":"xxx","token":"xxx"}}"#,
        &[],
    );
    let by_window = || Call::window_bind(home, &device()).unwrap();
    same(
        by_window(),
        "/awss/time/window/user/bind",
        "1.0.8",
        r#"{"id":"xxx","version":"1.0.0","request":{"language":"en-US","appKey":"xxx","iotToken":"xxx","apiVer":"1.0.8"},
            "params":{"homeId":"50f5op15xxxxca4f2f28104512","productKey":"xxx","deviceName":"xxx"}}"#,
        &[],
    );
    for reply in [reply, object] {
        let bound = Ok(Reply::Bound { iot_id: "xxxxxxxxxxxxx".into() });
        assert_eq!(read(by_token(), reply), bound);
        assert_eq!(read(by_window(), reply), bound);
    }
}

#[test]
fn the_key() {
    let random = "00000000000000000000000000000000".parse().unwrap();
    let request = CipherRequest {
        cipher: CipherType::PerProduct,
        product_key: Some("xxxx".into()),
        product_id: None,
        device_name: Some("xxxx".into()),
        mac: None,
        random,
    };
    let call = || Call::cipher(&request).unwrap();
    // The sample mixes both kinds of devices: productId and mac are for Bluetooth alone.
    same(
        call(),
        "/awss/cipher/get",
        "1.0.7",
        r#"{"id":"1509086454180","version":"1.0","request":{"apiVer":"1.0.2","iotToken":"token"},"params":
            {"deviceInfoForCipher":{"deviceName":"xxxx","productKey":"xxxx","cipherType":3,
            "random":"00000000000000000000000000000000","params":{}}}}"#,
        &[LANGUAGE],
    );
    let ble = CipherRequest {
        cipher: CipherType::BlePerProduct,
        product_key: None,
        product_id: Some("001e7".into()),
        mac: Some("11:22:33:44:55:66".parse().unwrap()),
        ..request.clone()
    };
    let (sent, _) = sent(Call::cipher(&ble).unwrap());
    let info = &sent["params"]["deviceInfoForCipher"];
    assert_eq!(
        (&info["productId"], &info["params"]["mac"]),
        (&"001e7".into(), &"112233445566".into())
    );
    assert_eq!((&info["random"], &info["cipherType"]), (&"0".repeat(32).into(), &6.into()));

    let key = "677d48332214926363dc5f19bd59fe74";
    let whole = "677d48332214926363dc5f19bd59fe74da6e1db2790b7449865db7db65edf6ac";
    for hex in [key.to_owned(), key.to_uppercase(), whole.to_owned(), whole.to_uppercase()] {
        let reply = format!(r#"{{"code":200,"data":"{hex}","message":"success"}}"#);
        let Ok(Reply::Key(read)) = read(call(), &reply) else { panic!("{hex}") };
        assert_eq!(read.hex().expose(), key.to_uppercase());
    }
    // As printed, "xxxx" is no key; neither is half a one.
    for data in ["\"xxxx\"", "\"677d\"", "\"\"", "12", "null", "{}"] {
        let reply = format!(r#"{{"code":200,"data":{data},"message":"success"}}"#);
        assert!(matches!(read(call(), &reply), Err(Error::Codec { .. })), "{data}");
    }
}

#[test]
fn permit_and_removal() {
    let done = r#"{"id":"xxx","code":200,"message":"success","data":null}"#;
    let call = || Call::permit("xxxxxxxxxxxxxx", "xxxxxxxxx", 60).unwrap();
    same(
        call(),
        "/thing/gateway/permit",
        "1.0.2",
        r#"{"id":"1509086454180","version":"1.0","request":{"apiVer":"1.0.2","iotToken":"token"},
            "params":{"iotId":"xxxxxxxxxxxxxx","productKey":"xxxxxxxxx","time":60}}"#,
        &[LANGUAGE],
    );
    assert_eq!(read(call(), done), Ok(Reply::Done));
    let call = || Call::topo_remove("xxxxxxxxxxxxxx", "xxxxxxxxx").unwrap();
    same(
        call(),
        "/thing/topo/remove",
        "1.0.2",
        r#"{"id":"1509086454180","version":"1.0","request":{"apiVer":"1.0.2","iotToken":"token"},
            "params":{"iotId":"xxxxxxxxxxxxxx","subIotId":"xxxxxxxxx"}}"#,
        &[LANGUAGE],
    );
    assert_eq!(read(call(), done), Ok(Reply::Done));
    let mut owner = Owner::new(
        &settings().with("sub_iot_id_key", "subIotid").with("api_ver.topo_remove", "1.0.6"),
    );
    owner.call(1, call());
    let sent = body(&owner.requests[0].1);
    assert_eq!(
        (&sent["params"]["subIotid"], &sent["request"]["apiVer"]),
        (&"xxxxxxxxx".into(), &"1.0.6".into())
    );
}

#[test]
fn what_the_document_forbids_cannot_be_asked() {
    let device = device();
    assert_eq!(Call::list(0, 1).unwrap_err().parameter, "pageSize");
    assert_eq!(Call::list(100, 1).unwrap_err().parameter, "pageSize");
    assert_eq!(Call::list(99, 0).unwrap_err().parameter, "pageNum");
    assert_eq!(Call::filter(&[], false).unwrap_err().parameter, "iotDevices");
    assert_eq!(Call::token_check("x", None, Some("dn")).unwrap_err().parameter, "productKey");
    assert_eq!(Call::token_check("", None, None).unwrap_err().parameter, "token");
    assert_eq!(Call::token_bind(Some(""), &device, "x").unwrap_err().parameter, "homeId");
    assert_eq!(Call::permit("x", "y", 65_536).unwrap_err().parameter, "time");
    assert!(Call::permit("x", "y", 0).is_ok() && Call::permit("x", "y", 65_535).is_ok());
    assert_eq!(Call::topo_remove("x", "").unwrap_err().parameter, "subIotId");
    let random = "00000000000000000000000000000000".parse().unwrap();
    let none = CipherRequest {
        cipher: CipherType::PerProduct,
        product_key: None,
        product_id: None,
        device_name: None,
        mac: None,
        random,
    };
    let wrong = |request: &CipherRequest| Call::cipher(request).unwrap_err().parameter;
    assert_eq!(wrong(&none), "productKey");
    assert_eq!(
        wrong(&CipherRequest { cipher: CipherType::PerDevice, ..none.clone() }),
        "deviceName"
    );
    let ble = CipherRequest { cipher: CipherType::BlePerProduct, ..none.clone() };
    assert_eq!(wrong(&ble), "productId");
    let ble = CipherRequest { product_id: Some("001e7".into()), ..ble };
    assert_eq!(wrong(&ble), "params.mac");
    let ble = CipherRequest { cipher: CipherType::BlePerDevice, ..ble };
    assert_eq!(wrong(&ble), "deviceName");
    for call in CallName::ALL {
        assert!(call.path().starts_with('/') && !call.as_str().contains('.'));
    }
}
