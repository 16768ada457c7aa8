//! HTTP 200 and the vendor's code: parameters, tokens, products, devices, owners.

use muster::cloud::Action;
use serde_json::Value;

use super::platform::{ALICE, BOB, DN, GATEWAY_PK, PK, Platform, TOKEN, bind_params};

#[test]
fn id_is_echoed_with_its_type_and_the_message_with_its_language() {
    let mut platform = Platform::new();
    let ping = |platform: &mut Platform, id: &str| {
        let body = format!(
            r#"{{"id":{id},"request":{{"apiVer":"1.0.0"}},"params":{{"input":{{"a":[1]}}}}}}"#
        );
        let answer = platform.body("/kit/debug/ping", &body);
        assert_eq!(answer["data"], serde_json::json!({"a": [1]}));
        answer["id"].clone()
    };
    assert_eq!(ping(&mut platform, "\"abc\""), "abc");
    assert_eq!(ping(&mut platform, "1508212818676"), 1_508_212_818_676_u64);
    assert!(ping(&mut platform, "{\"a\":1}").is_string());
    assert!(ping(&mut platform, "null").is_string());
    let body = r#"{"id":1,"request":{"apiVer":"1.0.9","language":"zh-CN"},"params":{}}"#;
    let answer = platform.body("/awss/token/check", body);
    assert_eq!(answer["code"], 401);
    assert_eq!(answer["message"], "request auth error");
    assert_eq!(answer["localizedMsg"], "请求认证错误");
}

#[test]
fn unknown_paths_and_missing_envelopes() {
    let mut platform = Platform::new();
    assert_eq!(platform.code(ALICE, "/awss/no/such/call", "{}"), 404);
    assert_eq!(platform.body("/awss/token/check", "{}")["code"], 460);
    assert_eq!(platform.body("/awss/token/check", r#"{"request":{}}"#)["code"], 460);
    let body = r#"{"request":{"apiVer":"1.0.7"},"params":[]}"#;
    assert_eq!(platform.body("/awss/enrollee/list/get", body)["code"], 460);
}

#[test]
fn a_token_runs_out() {
    let mut platform = Platform::new();
    let page = r#"{"pageSize":1,"pageNum":1}"#;
    let list = "/awss/enrollee/list/get";
    assert_eq!(platform.code(ALICE, list, page), 200);
    assert_eq!(platform.code("no-such-token", list, page), 401);
    platform.pass(7_199);
    assert_eq!(platform.code(ALICE, list, page), 200);
    platform.pass(1);
    assert_eq!(platform.code(ALICE, list, page), 401);
    // Other calls look at it as well.
    for path in [
        "/awss/enrollee/product/filter",
        "/awss/token/check",
        "/awss/token/user/bind",
        "/awss/time/window/user/bind",
        "/awss/cipher/get",
        "/thing/gateway/permit",
        "/thing/topo/remove",
    ] {
        assert_eq!(platform.code(ALICE, path, "{}"), 401, "{path}");
    }
}

#[test]
fn pages_are_1_to_99_from_1() {
    let mut platform = Platform::new();
    for (page, code) in [
        (r#"{"pageSize":99,"pageNum":1}"#, 200),
        (r#"{"pageSize":100,"pageNum":1}"#, 460),
        (r#"{"pageSize":0,"pageNum":1}"#, 460),
        (r#"{"pageSize":10,"pageNum":0}"#, 460),
        (r#"{"pageSize":"10","pageNum":1}"#, 460),
        (r#"{"pageSize":10.5,"pageNum":1}"#, 460),
        (r#"{"pageSize":10}"#, 460),
        (r#"{"pageSize":10,"pageNum":4294967295}"#, 200),
        (r#"{"pageSize":10,"pageNum":99999999999999999999}"#, 460),
    ] {
        assert_eq!(platform.code(ALICE, "/awss/enrollee/list/get", page), code, "{page}");
    }
}

#[test]
fn the_list_has_devices_that_wait_page_by_page() {
    let mut platform = Platform::new();
    platform.import(PK, "lamp-1\nlamp-2\nlamp-3\n");
    for device in ["lamp-1", "lamp-2", "lamp-3"] {
        platform.switch_product(&format!("announce.{device}"), "true");
    }
    platform.log_in(1, PK, DN);
    platform.report_token(1, TOKEN);
    let names = |platform: &mut Platform, size: u32, page: u32| -> (Value, Vec<String>) {
        let params = format!(r#"{{"pageSize":{size},"pageNum":{page}}}"#);
        let data = platform.call(ALICE, "/awss/enrollee/list/get", &params)["data"].clone();
        let items = data["items"].as_array().unwrap();
        let name = |item: &Value| item["enrolleeDeviceName"].as_str().unwrap().to_owned();
        (data["totalNum"].clone(), items.iter().map(name).collect())
    };
    assert_eq!(
        names(&mut platform, 3, 1),
        (4.into(), vec!["lamp-1".into(), "lamp-2".into(), "lamp-3".into()])
    );
    assert_eq!(names(&mut platform, 3, 2), (4.into(), vec![DN.to_owned()]));
    assert_eq!(names(&mut platform, 3, 3), (4.into(), vec![]));
    // The token runs out; the announcements stay until they are taken back.
    platform.pass(600);
    platform.switch_product("announce.lamp-2", "false");
    assert_eq!(names(&mut platform, 99, 1), (2.into(), vec!["lamp-1".into(), "lamp-3".into()]));
}

#[test]
fn filter_keeps_what_is_known_published_and_free() {
    let mut platform = Platform::new();
    let path = "/awss/enrollee/product/filter";
    let ask = format!(
        r#"{{"iotDevices":[{{"productKey":"{PK}","deviceName":"{DN}"}},{{"productKey":"{PK}","deviceName":"stranger"}},{{"productKey":"a1none","deviceName":"x"}}]}}"#
    );
    let answer = platform.call(ALICE, path, &ask);
    let found = answer["data"].as_array().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["deviceName"], &found[0]["netType"], &found[0]["nodeType"]),
        (&DN.into(), &3.into(), &0.into())
    );
    platform.switch_product("published", "false");
    assert_eq!(platform.call(ALICE, path, &ask)["data"], serde_json::json!([]));
    let all = ask.replace(r#"{"iotDevices""#, r#"{"productStatusEnv":"dev","iotDevices""#);
    assert_eq!(platform.call(ALICE, path, &all)["data"].as_array().unwrap().len(), 1);
    platform.switch("product_scope", "all");
    assert_eq!(platform.call(ALICE, path, &ask)["data"].as_array().unwrap().len(), 1);
    platform.bound();
    assert_eq!(platform.call(ALICE, path, &ask)["data"], serde_json::json!([]));
    assert_eq!(platform.call(BOB, path, &ask)["data"], serde_json::json!([]));
    for bad in [
        "{}",
        r#"{"iotDevices":{}}"#,
        r#"{"iotDevices":["x"]}"#,
        r#"{"iotDevices":[{"productKey":"x"}]}"#,
    ] {
        assert_eq!(platform.code(ALICE, path, bad), 460, "{bad}");
    }
}

#[test]
fn a_token_is_found_by_whom_it_is_of_and_for_a_while() {
    let mut platform = Platform::new();
    let path = "/awss/token/check";
    let alone = format!(r#"{{"token":"{TOKEN}"}}"#);
    assert_eq!(platform.code(ALICE, path, &alone), 6608);
    platform.log_in(1, PK, DN);
    platform.report_token(1, TOKEN);
    let answer = platform.call(ALICE, path, &alone);
    assert_eq!(
        (&answer["data"]["productKey"], &answer["data"]["deviceName"]),
        (&PK.into(), &DN.into())
    );
    let with = |pk: &str, dn: &str| {
        format!(r#"{{"token":"{TOKEN}","productKey":"{pk}","deviceName":"{dn}"}}"#)
    };
    assert_eq!(platform.code(ALICE, path, &with(PK, DN)), 200);
    assert_eq!(platform.code(ALICE, path, &with("a1none", DN)), 5005);
    assert_eq!(platform.code(ALICE, path, &with(PK, "stranger")), 6100);
    assert_eq!(platform.code(ALICE, path, &with(GATEWAY_PK, "gateway1")), 6608);
    let lonely = format!(r#"{{"token":"{TOKEN}","deviceName":"{DN}"}}"#);
    assert_eq!(platform.code(ALICE, path, &lonely), 460);
    assert_eq!(platform.code(ALICE, path, "{}"), 460);
    platform.pass(599);
    assert_eq!(platform.code(ALICE, path, &alone), 200);
    // Told once more, it grows no younger.
    platform.report_token(1, TOKEN);
    platform.pass(1);
    assert_eq!(platform.code(ALICE, path, &alone), 6608);
}

#[test]
fn binding_needs_the_token_the_home_and_a_free_device() {
    let mut platform = Platform::new();
    let path = "/awss/token/user/bind";
    let (alice, bob) = (platform.homes["alice"].clone(), platform.homes["bob"].clone());
    platform.log_in(1, PK, DN);
    platform.report_token(1, TOKEN);
    let good = bind_params(&alice, TOKEN);
    assert_eq!(platform.code(ALICE, path, &bind_params(&alice, "FFFF")), 6608);
    assert_eq!(platform.code(ALICE, path, &bind_params(&bob, TOKEN)), 460);
    assert_eq!(platform.code(ALICE, path, &good.replace(PK, "a1none")), 5005);
    assert_eq!(platform.code(ALICE, path, &good.replace(DN, "stranger")), 6100);
    let homeless = good.replace(&format!(r#""homeId":"{alice}","#), "");
    assert_eq!(platform.code(ALICE, path, &homeless), 460);
    let disable = |disabled| Action::Disable { product: PK.into(), device: DN.into(), disabled };
    platform.operate(disable(true)).unwrap();
    assert_eq!(platform.code(ALICE, path, &good), 6204);
    platform.operate(disable(false)).unwrap();
    let first = platform.call(ALICE, path, &good);
    assert_eq!(first["code"], 200);
    assert!(first["data"].is_string());
    // The reply was lost: asked again, the same answer. For another person it is not free.
    assert_eq!(platform.call(ALICE, path, &good)["data"], first["data"]);
    assert_eq!(platform.code(BOB, path, &bind_params(&bob, TOKEN)), 2066);
    platform.switch("bind_data", "object");
    platform.switch("home_required", "false");
    assert_eq!(platform.call(ALICE, path, &homeless)["data"]["iotId"], first["data"]);
    platform.switch_product("rebind", "true");
    assert_eq!(platform.code(BOB, path, &bind_params(&bob, TOKEN)), 200);
}

#[test]
fn the_time_window_opens_with_the_power_and_closes() {
    let mut platform = Platform::new();
    let path = "/awss/time/window/user/bind";
    let home = platform.homes["alice"].clone();
    let params = format!(r#"{{"homeId":"{home}","productKey":"{PK}","deviceName":"{DN}"}}"#);
    assert_eq!(platform.code(ALICE, path, &params), 6608);
    platform.log_in(1, PK, DN);
    platform.pass(600);
    assert_eq!(platform.code(ALICE, path, &params), 6608);
    platform.switch("window_expired_code", "400");
    assert_eq!(platform.code(ALICE, path, &params), 400);
    platform.switch("window_seconds", "1800");
    assert_eq!(platform.code(ALICE, path, &params), 200);
    let mut platform = Platform::new();
    let home = platform.homes["alice"].clone();
    let params = format!(r#"{{"homeId":"{home}","productKey":"{PK}","deviceName":"{DN}"}}"#);
    platform.log_in(1, PK, DN);
    platform.pass(599);
    assert_eq!(platform.code(ALICE, path, &params), 200);
}

#[test]
fn keys_follow_the_documents_rules() {
    let mut platform = Platform::new();
    let path = "/awss/cipher/get";
    let ask = |info: &str| format!(r#"{{"deviceInfoForCipher":{{{info}}}}}"#);
    let random = r#""random":"281f2e4eefbd12d3b9f7ee5a1740cc2b""#;
    let product_id = "613158326245"; // any hexadecimal text
    platform.switch_product("productId", product_id);
    let cases = [
        // Values are those of tests/vectors/alibaba.json.
        (
            format!(
                r#""productKey":"{PK}","deviceName":"{DN}","cipherType":3,{random},"params":{{}}"#
            ),
            200,
        ),
        (format!(r#""productKey":"{PK}","deviceName":"{DN}",{random},"params":{{}}"#), 200),
        (
            format!(
                r#""productKey":"{PK}","deviceName":"{DN}","cipherType":"",{random},"params":{{}}"#
            ),
            200,
        ),
        (
            format!(
                r#""productId":"{product_id}","deviceName":"{DN}","cipherType":6,{random},"params":{{"mac":"112233445566"}}"#
            ),
            200,
        ),
        (format!(r#""productKey":"{PK}","cipherType":4,{random},"params":{{}}"#), 460),
        (format!(r#""deviceName":"{DN}","cipherType":3,{random},"params":{{}}"#), 460),
        (
            format!(
                r#""productKey":"{PK}","deviceName":"{DN}","cipherType":6,{random},"params":{{"mac":"112233445566"}}"#
            ),
            460,
        ),
        (
            format!(
                r#""productId":"{product_id}","deviceName":"{DN}","cipherType":7,{random},"params":{{}}"#
            ),
            460,
        ),
        (
            format!(
                r#""productKey":"{PK}","deviceName":"{DN}","cipherType":5,{random},"params":{{}}"#
            ),
            460,
        ),
        (format!(r#""productKey":"{PK}","deviceName":"{DN}","cipherType":3,{random}"#), 460),
        (
            format!(
                r#""productKey":"{PK}","deviceName":"{DN}","cipherType":3,"random":"00","params":{{}}"#
            ),
            460,
        ),
        (
            format!(
                r#""productKey":"a1none","deviceName":"{DN}","cipherType":3,{random},"params":{{}}"#
            ),
            5005,
        ),
        (
            format!(
                r#""productKey":"{PK}","deviceName":"stranger","cipherType":4,{random},"params":{{}}"#
            ),
            6100,
        ),
    ];
    for (info, code) in &cases {
        assert_eq!(platform.code(ALICE, path, &ask(info)), *code, "{info}");
    }
    let key = |platform: &mut Platform, n: usize| {
        platform.call(ALICE, path, &ask(&cases[n].0))["data"].clone()
    };
    assert_eq!(key(&mut platform, 0), "BBFED58A9ADF0A62930AFB64D169F15F");
    assert_eq!(key(&mut platform, 1), "BBFED58A9ADF0A62930AFB64D169F15F");
    assert_eq!(key(&mut platform, 3), "193DE5FC0CAADEA14172011143BEAE7C");
    platform.switch("cipher_length", "64");
    assert_eq!(
        key(&mut platform, 0),
        "BBFED58A9ADF0A62930AFB64D169F15F2F545E79691EFFE467C377DCE71FFA1F"
    );
    assert_eq!(platform.code("", path, &ask(&cases[0].0)), 401);
    platform.switch("cipher_needs_token", "false");
    assert_eq!(platform.code("", path, &ask(&cases[0].0)), 200);
}

#[test]
fn permit_and_removal_are_the_owners() {
    let mut platform = Platform::new();
    let lamp = platform.bound();
    let permit =
        |id: &str, time: &str| format!(r#"{{"iotId":"{id}","productKey":"{PK}","time":{time}}}"#);
    let path = "/thing/gateway/permit";
    assert_eq!(platform.code(ALICE, path, &permit("none", "60")), 2063);
    assert_eq!(platform.code(BOB, path, &permit(&lamp, "60")), 2066);
    assert_eq!(platform.code(ALICE, path, &permit(&lamp, "60")), 460, "a lamp is no gateway");
    for bad in ["65536", "-1", "\"60\"", "1.5"] {
        assert_eq!(platform.code(ALICE, path, &permit(&lamp, bad)), 460, "{bad}");
    }
    let missing = format!(r#"{{"iotId":"{lamp}","time":60}}"#);
    assert_eq!(platform.code(ALICE, path, &missing), 460);
    assert_eq!(platform.code(ALICE, path, &permit(&lamp, "60").replace(PK, "a1none")), 5005);
    let path = "/thing/topo/remove";
    for key in ["subIotId", "subIotid"] {
        let remove = |id: &str, sub: &str| format!(r#"{{"iotId":"{id}","{key}":"{sub}"}}"#);
        assert_eq!(platform.code(ALICE, path, &remove("none", &lamp)), 2063);
        assert_eq!(platform.code(ALICE, path, &remove(&lamp, "none")), 2063);
        assert_eq!(platform.code(BOB, path, &remove(&lamp, &lamp)), 2066);
        assert_eq!(platform.code(ALICE, path, &remove(&lamp, &lamp)), 460);
    }
}

#[test]
fn sessions_are_created_once_and_refreshed() {
    let mut platform = Platform::new();
    platform.switch("auth_code.alice", "code-1234");
    let create = r#"{"request":{"apiVer":"1.0.4"},"params":{"request":{"authCode":"code-1234","appKey":"23456789","accountType":"OA_SESSION"}}}"#;
    let path = "/account/createSessionByAuthCode";
    let session = platform.body(path, create)["data"].clone();
    assert_eq!(session["identityId"], "alice");
    assert_eq!(session["iotTokenExpire"], 7_200);
    assert_eq!(platform.body(path, create)["code"], 401, "a code is good once");
    let page = r#"{"pageSize":1,"pageNum":1}"#;
    let token = session["iotToken"].as_str().unwrap().to_owned();
    assert_eq!(platform.code(&token, "/awss/enrollee/list/get", page), 200);
    assert_eq!(platform.code(ALICE, "/awss/enrollee/list/get", page), 401, "the old session ended");
    let refresh = format!(
        r#"{{"request":{{"apiVer":"1.0.4"}},"params":{{"request":{{"refreshToken":"{}","identityId":"alice"}}}}}}"#,
        session["refreshToken"].as_str().unwrap()
    );
    let path = "/account/checkOrRefreshSession";
    assert_eq!(platform.body(path, &refresh)["data"]["iotToken"], session["iotToken"]);
    platform.pass(7_200);
    let fresh = platform.body(path, &refresh)["data"]["iotToken"].as_str().unwrap().to_owned();
    assert_ne!(fresh, token);
    assert_eq!(platform.code(&fresh, "/awss/enrollee/list/get", page), 200);
    assert_eq!(platform.body(path, &refresh.replace("alice", "bob"))["code"], 401);
    platform.pass(1_728_000);
    assert_eq!(platform.body(path, &refresh)["code"], 401);
}
