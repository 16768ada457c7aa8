//! The platforms: a private trait for the shape of the device's side, a closed enum for its storage.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::cbor::{Decode, Encode};
use crate::snapshot::{Kept, Walk};

use crate::agent::{Cx, Stored};
use crate::error::ConfigError;
use crate::input::{Input, Intent};
use crate::output::{Identity, StoreKey};
use crate::settings::Settings;
use crate::time::Timer;

#[cfg(feature = "alibaba")]
pub mod alibaba;
#[cfg(feature = "cmcc")]
pub mod cmcc;
#[cfg(feature = "krtyun")]
pub mod krtyun;
#[cfg(feature = "ucloud")]
pub mod ucloud;
#[cfg(any(feature = "ucloud", feature = "krtyun", feature = "alibaba"))]
pub(crate) mod update;

/// What a device has to reach for its platform's protocol, by its settings: what a host's policy allows by default.
///
/// For the host alone; the plugin does not carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach<'a> {
    /// The MQTT server's URL.
    pub broker: Option<&'a str>,
    /// A URL of the HTTP server that the device sends requests to.
    pub http: Option<&'a str>,
    /// What it publishes to and subscribes to, as topic filters in which `{product}` and `{device}` stand for the
    /// device's own.
    pub topics: &'static [&'static str],
    /// What it keeps.
    pub store: &'static [StoreKey],
    /// Where the vendor keeps images, beside the servers above: hosts, or `*.` and a domain.
    pub firmware_hosts: &'static [&'static str],
    /// The largest image that it fetches; absent where it fetches none.
    pub firmware_max_size: Option<u64>,
}

/// The platforms by name. All four exist in every build; which of them a build can run is its features' matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
#[cbor(index_only)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum PlatformName {
    /// UCloud UIoT Core.
    #[n(0)]
    Ucloud,
    /// China Mobile terminal-agent platform (终端智能体服务管理平台).
    #[n(1)]
    Cmcc,
    /// 科睿特 krtyun.
    #[n(2)]
    Krtyun,
    /// Alibaba Cloud Living Link.
    #[n(3)]
    Alibaba,
}

impl PlatformName {
    /// All of them.
    pub const ALL: [PlatformName; 4] =
        [PlatformName::Ucloud, PlatformName::Cmcc, PlatformName::Krtyun, PlatformName::Alibaba];

    /// As written in settings, paths and topics of ours.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ucloud => "ucloud",
            Self::Cmcc => "cmcc",
            Self::Krtyun => "krtyun",
            Self::Alibaba => "alibaba",
        }
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PlatformName {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| {
            crate::settings::problem("platform", "has to be one of ucloud, cmcc, krtyun, alibaba")
        })
    }
}

/// The device's side of one platform.
///
/// The implementing type holds what changes (and is what a snapshot keeps); the configuration stays outside.
pub(crate) trait Device: Default + Kept {
    type Config;

    /// Starts from what is stored; may send its first commands. If that cannot be, it says [`Cx::misuse`].
    fn start(&mut self, config: &Self::Config, stored: &Stored, cx: &mut Cx<'_>);

    /// Takes one input; never [`Input::Timeout`].
    fn handle(&mut self, config: &Self::Config, input: &Input, cx: &mut Cx<'_>);

    /// One of its timers expired.
    fn expired(&mut self, config: &Self::Config, timer: Timer, cx: &mut Cx<'_>);

    /// Which intents, beyond those that every platform takes, mean something here.
    fn supports(intent: &Intent) -> bool;
}

macro_rules! platforms {
    ($( $feature:literal $module:ident $Variant:ident $n:literal ),* $(,)?) => {
        impl PlatformName {
            /// Those that are part of this build.
            pub const BUILT: &[PlatformName] = &[
                $( #[cfg(feature = $feature)] PlatformName::$Variant, )*
            ];
        }

        /// The configuration of one device.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Config {
            $( #[cfg(feature = $feature)] #[doc = concat!("See [`", stringify!($module), "`].")]
               $Variant(Box<$module::Config>), )*
        }

        impl Config {
            /// Reads settings: the keys are listed in each platform's documentation.
            pub fn from_settings(platform: PlatformName, settings: &Settings) -> Result<Self, ConfigError> {
                let mut s = settings.reader();
                let config = match platform {
                    $( #[cfg(feature = $feature)]
                       PlatformName::$Variant => Self::$Variant(Box::new($module::Config::read(&mut s))), )*
                    #[allow(unreachable_patterns)]
                    _ => return Err(crate::settings::problem("platform", "is not part of this build")),
                };
                s.finish()?;
                Ok(config)
            }

            pub(crate) fn platform(&self) -> PlatformName {
                match self {
                    $( #[cfg(feature = $feature)]
                       Self::$Variant(_) => PlatformName::$Variant, )*
                }
            }

            /// Who this device is.
            pub fn identity(&self) -> Identity {
                match self {
                    $( #[cfg(feature = $feature)]
                       Self::$Variant(config) => {
                           let (product, device): (&str, &str) = config.names();
                           Identity { platform: PlatformName::$Variant, product: String::from(product),
                                      device: String::from(device) }
                       } )*
                }
            }

            /// What its protocol has to reach.
            pub fn reach(&self) -> Reach<'_> {
                match self {
                    $( #[cfg(feature = $feature)]
                       Self::$Variant(config) => config.reach(), )*
                }
            }

            pub(crate) fn supports_specific(&self, intent: &Intent) -> bool {
                match self {
                    $( #[cfg(feature = $feature)]
                       Self::$Variant(_) => <$module::device::Flow as Device>::supports(intent), )*
                }
            }
        }

        /// The running flow of one device.
        #[derive(Debug)]
        pub(crate) enum Flow {
            $( #[cfg(feature = $feature)] $Variant(Box<$module::device::Flow>), )*
        }

        impl Flow {
            /// Of the configuration's platform; to be started, or to be restored.
            pub(crate) fn blank(config: &Config) -> Self {
                match config {
                    $( #[cfg(feature = $feature)]
                       Config::$Variant(_) => Self::$Variant(Box::default()), )*
                }
            }

            pub(crate) fn walk(&mut self, w: &mut Walk<'_>) {
                match self {
                    $( #[cfg(feature = $feature)]
                       Self::$Variant(flow) => flow.walk(w), )*
                }
            }

            pub(crate) fn start(&mut self, config: &Config, stored: &Stored, cx: &mut Cx<'_>) {
                match (self, config) {
                    $( #[cfg(feature = $feature)]
                       (Self::$Variant(flow), Config::$Variant(config)) =>
                           flow.start(config, stored, cx), )*
                    // They were made for each other.
                    #[allow(unreachable_patterns)]
                    _ => {}
                }
            }

            pub(crate) fn handle(&mut self, config: &Config, input: &Input, cx: &mut Cx<'_>) {
                match (self, config) {
                    $( #[cfg(feature = $feature)]
                       (Self::$Variant(flow), Config::$Variant(config)) =>
                           flow.handle(config, input, cx), )*
                    #[allow(unreachable_patterns)]
                    _ => {}
                }
            }

            pub(crate) fn expired(&mut self, config: &Config, timer: Timer, cx: &mut Cx<'_>) {
                match (self, config) {
                    $( #[cfg(feature = $feature)]
                       (Self::$Variant(flow), Config::$Variant(config)) =>
                           flow.expired(config, timer, cx), )*
                    #[allow(unreachable_patterns)]
                    _ => {}
                }
            }
        }
    };
}

platforms! {
    "ucloud" ucloud Ucloud 0,
    "cmcc" cmcc Cmcc 1,
    "krtyun" krtyun Krtyun 2,
    "alibaba" alibaba Alibaba 3,
}
