//! The start page and its twin for the terminal: what runs where, demo credentials, how to try each platform.
//!
//! The page is one document: no request leaves the browser for it, and the policy in its header would not let one.
//! Everything dynamic is put in here, escaped; the script only copies, reveals, and switches language and theme.

use std::fmt::Write;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use muster::{PlatformName, hex};
use serde_json::Value;

use super::{Addresses, Up, demo};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// `GET /start`, and `GET /` where there is no console.
pub(crate) async fn start(up: &Up, headers: &HeaderMap) -> Response {
    let demo = match demo::settings(&up.engine, &up.addresses, up.app_secret.as_deref()).await {
        Ok(demo) => demo,
        Err(error) => return error.into_response(),
    };
    let mut nonce = [0; 16];
    if getrandom::fill(&mut nonce).is_err() {
        return super::http::plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the system gives no random numbers\n",
        );
    }
    let nonce = hex::lower(&nonce);
    let html = document(&up.addresses, &demo, up.console.is_some(), language(headers), &nonce);
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    let policy =
        HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::VARY, HeaderValue::from_static("Accept-Language")),
    ];
    (headers, html).into_response()
}

/// The language to begin with: the first of the two that the browser names.
fn language(headers: &HeaderMap) -> &'static str {
    let asked = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut tags = asked.split(',').map(|tag| tag.trim().to_ascii_lowercase());
    match tags.find(|tag| tag.starts_with("zh") || tag.starts_with("en")) {
        Some(tag) if tag.starts_with("zh") => "zh",
        _ => "en",
    }
}

fn document(at: &Addresses, demo: &Value, has_console: bool, lang: &str, nonce: &str) -> String {
    let console = if has_console {
        format!("<p class=\"lead\"><a href=\"/\">{}</a></p>", two("Open the console", "打开控制台"))
    } else {
        // The markup of `two` is for whole sentences; the command in them is the same in both.
        format!(
            "<p class=\"note\">{} <code>cargo xtask up</code></p>",
            two(
                "The console is not part of this build. To get it, install Node.js 20.19 or newer and start with:",
                "此程序未包含控制台。请安装 Node.js 20.19 或更高版本，然后这样启动：",
            )
        )
    };
    let mut body = String::new();
    for platform in PlatformName::ALL {
        body.push_str(&card(platform, at, demo));
    }
    let version = env!("CARGO_PKG_VERSION");
    let address_rows = [
        (two("HTTP platforms, firmware, this page", "HTTP 平台、固件、本页"), at.http.clone()),
        (two("Operator API", "运维接口"), at.api.clone()),
        (two("Data folder", "数据目录"), at.data.display().to_string()),
    ];
    let addresses: String = address_rows
        .iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", code(value)))
        .collect();
    format!(
        r#"<!doctype html>
<html lang="{html_lang}" data-lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Muster</title>
<style nonce="{nonce}">{STYLE}</style>
</head>
<body>
<header>
<b aria-hidden="true">M</b>
<h1>Muster <small>{version}</small></h1>
<span class="grow"></span>
<div class="seg" role="group" aria-label="Language"><button type="button" data-set-lang="en">EN</button><button type="button" data-set-lang="zh">中文</button></div>
<div class="seg" role="group" aria-label="Theme"><button type="button" data-set-theme="light">{light}</button><button type="button" data-set-theme="dark">{dark}</button></div>
</header>
<main>
<p class="lead">{lead}</p>
{console}
<noscript><p class="note">{noscript}</p></noscript>
<section class="card">
<h2>{where_head}</h2>
<dl>{addresses}</dl>
</section>
{body}
<section class="card">
<h2>{operate_head}</h2>
<p>{operate}</p>
{commands}
</section>
</main>
<p class="toast" role="status" aria-live="polite"></p>
<script nonce="{nonce}">{SCRIPT}</script>
</body>
</html>
"#,
        html_lang = if lang == "zh" { "zh-CN" } else { "en" },
        light = two("Light", "浅色"),
        dark = two("Dark", "深色"),
        lead = two(
            "Four device clouds run on this machine, each as strict as the vendor's document. Bring a device to life against one of them; nothing leaves this machine.",
            "四个设备云正在本机运行，严格遵循各厂商文档。让设备在其中一个云上完成注册、登录、心跳和升级，数据不会离开本机。",
        ),
        noscript = two(
            "Copying and showing secrets need JavaScript; `muster cloud demo` prints everything.",
            "复制和显示密钥需要 JavaScript；也可以运行 `muster cloud demo` 查看全部内容。",
        ),
        where_head = two("Where it runs", "运行地址"),
        operate_head = two("Act as the operator", "以运维身份操作"),
        operate = two(
            "What you would do in a vendor's console: products, imports, switches, firmware, updates.",
            "相当于厂商控制台中的操作：产品、导入设备、开关、固件、升级。",
        ),
        commands = command(&format!("muster cloud products {}", local_flag(at)))
            + &command(&format!("muster cloud log --follow {}", local_flag(at))),
    )
}

/// The same text in both languages; the style sheet shows one.
fn two(en: &str, zh: &str) -> String {
    format!(
        r#"<span class="en" lang="en">{}</span><span class="zh" lang="zh-CN">{}</span>"#,
        escape(en),
        escape(zh)
    )
}

fn code(text: &str) -> String {
    format!(
        r#"<code>{}</code><button type="button" class="copy" data-copy="{}">{}</button>"#,
        escape(text),
        escape(text),
        two("Copy", "复制")
    )
}

fn command(text: &str) -> String {
    format!(
        r#"<div class="command"><code>{}</code><button type="button" class="copy" data-copy="{}">{}</button></div>"#,
        escape(text.trim()),
        escape(text.trim()),
        two("Copy", "复制")
    )
}

/// A command whose secret is masked on the screen and whole in the clipboard.
fn command_with_secret(text: &str, secret: &str) -> String {
    let shown = escape(text).replace(&escape(secret), r#"<span class="mask">••••••••</span>"#);
    format!(
        r#"<div class="command"><code>{shown}</code><button type="button" class="copy" data-copy="{}">{}</button></div>"#,
        escape(text),
        two("Copy", "复制")
    )
}

/// Names these clouds to the other commands, unless they are where those look anyway.
fn local_flag(at: &Addresses) -> String {
    if at.http == crate::local::DEFAULT_URL {
        return String::new();
    }
    let file = at.data.join(super::LINE).display().to_string();
    let plain = file.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+:@".contains(&b));
    if plain {
        format!("--local {file}")
    } else {
        format!("--local '{}'", file.replace('\'', "'\\''"))
    }
}

struct Words {
    name: &'static str,
    zh: &'static str,
    what: (&'static str, &'static str),
}

fn words(platform: PlatformName) -> Words {
    match platform {
        PlatformName::Ucloud => Words {
            name: "UCloud UIoT Core",
            zh: "UCloud 物联网平台",
            what: (
                "Dynamic registration over MQTT, then login with the device's own password; OTA.",
                "通过 MQTT 动态注册，再用设备密码登录；支持 OTA。",
            ),
        },
        PlatformName::Cmcc => Words {
            name: "China Mobile",
            zh: "中国移动 终端智能体服务管理平台",
            what: (
                "Secret info once over HTTP, then a heartbeat every 12 hours or so.",
                "通过 HTTP 获取一次设备信息，之后约每 12 小时上报一次心跳。",
            ),
        },
        PlatformName::Krtyun => Words {
            name: "krtyun",
            zh: "科睿特",
            what: (
                "The secret is issued once over MQTT and confirmed; OTA. The registration bodies are assumed: the vendor's picture is missing.",
                "通过 MQTT 一次性颁发密钥并确认；支持 OTA。注册报文为假定格式：厂商文档中的图片缺失。",
            ),
        },
        PlatformName::Alibaba => Words {
            name: "Alibaba Cloud Living Link",
            zh: "阿里云 生活物联网平台",
            what: (
                "Dynamic registration over HTTP or MQTT, MQTT login, and the owner's app: discover, bind, cipher, gateway.",
                "通过 HTTP 或 MQTT 动态注册、MQTT 登录，以及用户 App：发现、绑定、密钥、网关。",
            ),
        },
    }
}

fn card(platform: PlatformName, at: &Addresses, demo: &Value) -> String {
    let words = words(platform);
    let mut out = String::new();
    let _ = write!(
        out,
        r#"<section class="card" id="{platform}"><h2>{}</h2><p>{}</p>"#,
        two(words.name, words.zh),
        two(words.what.0, words.what.1)
    );
    let mut doors = String::new();
    if let (Some(tcp), Some(ws)) = (at.mqtt.get(&platform), at.ws.get(&platform)) {
        let _ = write!(
            doors,
            "<dt>MQTT</dt><dd>{}</dd><dt>WebSocket</dt><dd>{}</dd>",
            code(tcp),
            code(ws)
        );
    }
    for (key, path) in http_paths(platform) {
        let _ = write!(
            doors,
            "<dt>{}</dt><dd>{}</dd>",
            escape(key),
            code(&format!("{}{path}", at.http))
        );
    }
    let _ = write!(out, "<dl>{doors}</dl>");

    let settings = &demo[platform.as_str()]["settings"];
    if settings.is_object() {
        let _ = write!(out, "<h3>{}</h3>{}", two("Demo device", "演示设备"), table(settings));
        if platform == PlatformName::Alibaba {
            let app = &demo["alibaba_app"]["settings"];
            let _ = write!(
                out,
                "<h3>{}</h3>{}",
                two("Demo app and owner", "演示 App 与用户"),
                table(app)
            );
        }
        let _ = write!(out, "<h3>{}</h3>", two("Try it", "试一试"));
        for step in steps(platform, at, demo) {
            out.push_str(&step);
        }
    } else {
        let _ = write!(
            out,
            "<p class=\"note\">{}</p>",
            two(
                "The demo product is gone. Start with a fresh --data folder to get it back.",
                "演示产品已被删除。使用新的 --data 目录启动即可恢复。"
            )
        );
    }
    out.push_str("</section>\n");
    out
}

fn http_paths(platform: PlatformName) -> &'static [(&'static str, &'static str)] {
    match platform {
        PlatformName::Ucloud | PlatformName::Krtyun => &[],
        PlatformName::Cmcc => &[
            ("secret/info", "/v2/customer/device/secret/info"),
            ("report", "/v2/customer/device/report"),
        ],
        PlatformName::Alibaba => {
            &[("HTTPS API", "/awss/…  /thing/…"), ("auth", "/auth/register/device")]
        }
    }
}

/// Names of settings whose values must not be seen over a shoulder.
fn is_secret(key: &str) -> bool {
    key.ends_with("secret") || key.ends_with("token")
}

fn table(settings: &Value) -> String {
    let mut out = String::from("<dl>");
    // China Mobile calls its product's secret productKey; Alibaba's ProductKey is a name.
    let cmcc = settings.get("device_no").is_some();
    for (key, value) in settings.as_object().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        let value = if is_secret(key) || (cmcc && key == "product_key") {
            format!(
                r#"<code class="secret" data-secret="{0}">••••••••</code><button type="button" class="show" aria-pressed="false">{1}</button><button type="button" class="copy" data-copy="{0}">{2}</button>"#,
                escape(text),
                two("Show", "显示"),
                two("Copy", "复制")
            )
        } else {
            code(text)
        };
        let _ = write!(out, "<dt><code>{}</code></dt><dd>{value}</dd>", escape(key));
    }
    out.push_str("</dl>");
    out
}

/// How a person tries a platform: with the plugin, and with somebody else's client.
fn steps(platform: PlatformName, at: &Addresses, demo: &Value) -> Vec<String> {
    let get = |key: &str| {
        demo[platform.as_str()]["settings"][key].as_str().unwrap_or_default().to_owned()
    };
    let own = command(&format!("muster device --platform {platform} {}", local_flag(at)));
    let own = format!(
        "<p>{}</p>{own}",
        two(
            "With the wasm plugin, from registration to updates:",
            "使用 wasm 插件，从注册到升级："
        )
    );
    let port = at.mqtt.get(&platform).and_then(|url| url.rsplit(':').next()).unwrap_or_default();
    let host = at
        .mqtt
        .get(&platform)
        .and_then(|url| url.strip_prefix("mqtt://")?.rsplit_once(':'))
        .map_or("127.0.0.1", |(host, _)| host);
    match platform {
        PlatformName::Ucloud => {
            let (p, secret) = (get("product_sn"), get("product_secret"));
            // The first device is the plugin's.
            let d = demo["ucloud"]["devices"][1].as_str().unwrap_or("112233445567").to_owned();
            let common = format!("-h {host} -p {port} -i {p}.{d} -u '{p}|{d}|2' -P {secret} -q 1");
            let line = format!(
                "mosquitto_rr -V mqttv311 -W 10 {common} -t '/$system/{p}/{d}/password' -e '/$system/{p}/{d}/password_reply' -m '{{\"RequestID\":\"100\"}}'"
            );
            let sdk = two(
                "The vendor's C and Arduino SDKs, paho and MQTT.js work unchanged: point their broker address here; their firmware downloads expect port 80, so give --firmware-url an address that reaches it.",
                "厂商的 C 与 Arduino SDK、paho、MQTT.js 无需修改即可使用：把 broker 地址指向这里；SDK 的固件下载固定使用 80 端口，请用 --firmware-url 指定可达地址。",
            );
            vec![
                own,
                format!(
                    "<p>{}</p>{}<p>{sdk}</p>",
                    two(
                        "With Mosquitto, the request for the secret:",
                        "使用 Mosquitto 请求设备密码："
                    ),
                    command_with_secret(&line, &secret)
                ),
            ]
        }
        PlatformName::Cmcc => {
            let (id, key) = (get("product_id"), get("product_key"));
            let line = format!(
                "curl -s {}/v2/customer/device/secret/info -H 'Content-Type: application/json' -d '{{\"deviceNoType\":\"SN\",\"deviceNo\":\"MUSTER-SN-0001\",\"productId\":\"{id}\",\"productKey\":\"{key}\"}}'",
                at.http
            );
            vec![
                own,
                format!(
                    "<p>{}</p>{}",
                    two("With curl:", "使用 curl："),
                    command_with_secret(&line, &key)
                ),
            ]
        }
        PlatformName::Krtyun => {
            let (p, secret) = (get("product_id"), get("product_secret"));
            let d = "10002";
            let line = format!(
                "mosquitto_rr -V mqttv311 -W 10 -h {host} -p {port} -i {p} -u {d} -P {secret} -q 1 -t /sys/{p}/{d}/thing/register/post -e /sys/{p}/{d}/thing/register/set -m '{{\"CMD\":20,\"ID\":\"1\",\"PRODUCT_ID\":\"{p}\",\"DEVICE_ID\":\"{d}\"}}'"
            );
            vec![
                own,
                format!(
                    "<p>{}</p>{}",
                    two(
                        "With Mosquitto, the request for the secret:",
                        "使用 Mosquitto 请求设备密钥："
                    ),
                    command_with_secret(&line, &secret)
                ),
            ]
        }
        PlatformName::Alibaba => {
            let app = format!(
                "<p>{}</p>{}<p>{}</p>",
                two("As the owner's app, the guided bind:", "以用户 App 的身份完成绑定流程："),
                command(&format!("muster app alibaba bind {}", local_flag(at))),
                two(
                    "Real API Gateway clients work too (PyPI alibabacloud-iot-api-gateway, npm aliyun-api-gateway): host as above, AppKey and AppSecret from the table.",
                    "真实的 API 网关客户端同样可用（PyPI alibabacloud-iot-api-gateway、npm aliyun-api-gateway）：host 见上，AppKey 与 AppSecret 见表。",
                )
            );
            vec![own, app]
        }
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// What a person sees who starts `muster up` in a terminal.
pub(crate) fn terminal(
    at: &Addresses,
    demo: &Value,
    has_console: bool,
    relay: Option<&str>,
) -> String {
    let mut out = String::new();
    let _ =
        writeln!(out, "Muster {}: four device clouds on this machine\n", env!("CARGO_PKG_VERSION"));
    let page = if has_console { "console" } else { "start page" };
    let _ = writeln!(out, "  {page:<13}  {}/", at.http);
    for platform in PlatformName::ALL {
        let door = at.mqtt.get(&platform).map_or_else(|| at.http.clone(), Clone::clone);
        let _ = writeln!(out, "  {:<13}  {door}", platform.as_str());
    }
    let _ = writeln!(out, "  operator API   {}", at.api);
    let relay =
        relay.unwrap_or("off: --relay takes the console to clouds that a browser cannot reach");
    let _ = writeln!(out, "  relay          {relay}");
    let _ = writeln!(out, "  data           {}\n", at.data.display());
    let _ = writeln!(out, "Demo devices (every setting: muster cloud demo)");
    for (name, demo) in demo.as_object().into_iter().flatten() {
        let Some(settings) = demo["settings"].as_object() else { continue };
        let line: Vec<String> = settings
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "broker" | "base_url" | "auth_url" | "cmei"))
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect();
        let _ = writeln!(out, "  {name:<13}  {}", line.join(" "));
    }
    let flag = local_flag(at);
    let _ = writeln!(out, "\nNext, in a second terminal:");
    for platform in PlatformName::ALL {
        let line = format!("muster device --platform {platform} {flag}");
        let _ = writeln!(out, "  {}", line.trim_end());
    }
    for line in ["muster cloud log --follow", "muster app alibaba bind"] {
        let _ = writeln!(out, "  {}", format!("{line} {flag}").trim_end());
    }
    let _ = writeln!(out, "\nCtrl-C stops the clouds; what they know stays.");
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_escapes_from_a_page() {
        assert_eq!(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    }
}
