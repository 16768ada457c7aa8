//! The app's settings.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::time::Duration;

use super::call::CallName;
use crate::error::ConfigError;
use crate::platform::alibaba::sign::Algorithm;
use crate::secret::Secret;
use crate::settings::{Settings, Shape};

/// How an app reaches its gateway and who its owner is.
///
/// | setting | meaning | default |
/// | --- | --- | --- |
/// | `base_url` | gateway, such as `https://api.link.aliyun.com` | none |
/// | `app_key`, `app_secret` | the app's pair | none |
/// | `iot_token` | the owner's session; asked for when absent | none |
/// | `refresh_token` | gets another `iot_token` | none |
/// | `identity_id` | sent along with `refresh_token` | none |
/// | `language` | of messages | `en-US` |
/// | `sign_method` | `HmacSHA256`, or `HmacSHA1` in the phone's style | `HmacSHA256` |
/// | `stage` | `TEST`, `PRE` or `RELEASE` | `RELEASE` |
/// | `home_id` | the home to bind to | none |
/// | `sub_iot_id_key` | `subIotId` or `subIotid` | `subIotId` |
/// | `api_ver.<call>` | version of one call, see [`CallName`] | the document's |
/// | `reply_seconds` | how long to wait for a reply | 10 |
/// | `retries` | how often to repeat what got no reply | 3 |
/// | `poll_seconds` | between two looks for the token | 2 |
/// | `deadline_seconds` | of waiting for the token | 180 |
/// | `login_seconds` | of waiting for a person to log in again | 120 |
#[derive(Clone, Debug)]
pub struct AppConfig {
    pub(super) base_url: String,
    pub(super) app_key: String,
    pub(super) app_secret: Secret,
    pub(super) iot_token: Option<Secret>,
    pub(super) refresh_token: Option<Secret>,
    pub(super) identity_id: Option<String>,
    pub(super) language: String,
    pub(super) algorithm: Algorithm,
    pub(super) stage: Stage,
    pub(super) home_id: Option<String>,
    pub(super) sub_iot_id_key: &'static str,
    pub(super) api_ver: BTreeMap<CallName, String>,
    pub(super) reply: Duration,
    pub(super) retries: u32,
    pub(super) poll: Duration,
    pub(super) deadline: Duration,
    pub(super) login: Duration,
}

/// `X-Ca-Stage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Release,
    Pre,
    Test,
}

impl Stage {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Release => "RELEASE",
            Self::Pre => "PRE",
            Self::Test => "TEST",
        }
    }
}

const APP_KEY: Shape = (
    |key| key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_graphic()),
    "has to be printable text of at most 64 characters",
);
const API_VER: Shape = (
    |version| version.len() <= 16 && version.bytes().all(|b| b.is_ascii_digit() || b == b'.'),
    "has to be digits and dots",
);

impl AppConfig {
    /// Reads settings; a key that is not in the table above is refused.
    pub fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut s = settings.reader();
        let base_url = s.url("base_url", &["https", "http"], None);
        if base_url.contains(['?', '#']) {
            s.fail("base_url", "has to have neither query nor fragment");
        }
        let app_key = s.shaped("app_key", None, APP_KEY).to_string();
        let mut api_ver = BTreeMap::new();
        for call in CallName::ALL {
            let version = s.shaped(call.api_ver_key(), Some(""), API_VER);
            if !version.is_empty() {
                api_ver.insert(call, version.to_string());
            }
        }
        let algorithms = [Algorithm::HmacSha256, Algorithm::HmacSha1];
        let stages = [Stage::Release, Stage::Pre, Stage::Test];
        let id_keys = ["subIotId", "subIotid"];
        let seconds = |n: u64| Duration::from_secs(n);
        let config = Self {
            base_url: base_url.trim_end_matches('/').to_string(),
            app_key,
            app_secret: Secret::new(s.required("app_secret")),
            iot_token: s.optional("iot_token").map(Secret::from),
            refresh_token: s.optional("refresh_token").map(Secret::from),
            identity_id: s.optional("identity_id").map(ToString::to_string),
            language: s.optional("language").unwrap_or("en-US").to_string(),
            algorithm: algorithms[s.choice("sign_method", &algorithms.map(Algorithm::as_str))],
            stage: stages[s.choice("stage", &stages.map(Stage::as_str))],
            home_id: s.optional("home_id").map(ToString::to_string),
            sub_iot_id_key: id_keys[s.choice("sub_iot_id_key", &id_keys)],
            api_ver,
            reply: seconds(s.number("reply_seconds", 1, 300, 10)),
            retries: s.number("retries", 0, 10, 3) as u32,
            poll: seconds(s.number("poll_seconds", 1, 60, 2)),
            deadline: seconds(s.number("deadline_seconds", 1, 3_600, 180)),
            login: seconds(s.number("login_seconds", 1, 3_600, 120)),
        };
        s.finish()?;
        Ok(config)
    }

    /// The home that devices are bound to, where one is configured.
    pub fn home_id(&self) -> Option<&str> {
        self.home_id.as_deref()
    }

    pub(super) fn api_ver(&self, call: CallName) -> &str {
        self.api_ver.get(&call).map_or(call.document_version(), String::as_str)
    }
}
