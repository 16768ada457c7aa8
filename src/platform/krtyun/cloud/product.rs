//! A product and its switches.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::wire::Assumed;
use crate::cbor::{Decode, Encode};
use crate::cloud::Firmware;
use crate::secret::Secret;

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Product {
    #[n(0)]
    pub(super) name: String,
    #[n(1)]
    pub(super) secret: Secret,
    #[n(2)]
    pub(super) rules: Rules,
    #[n(3)]
    pub(super) assumed: Assumed,
    #[n(4)]
    pub(super) firmware: Vec<Firmware>,
}

/// The switches of a product. The defaults are the vendor's, where the document tells, and strict elsewhere.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Rules {
    /// `DynamicRegister`: whether the product's secret opens the door (seed document: has to be switched on).
    #[n(0)]
    pub(super) dynamic_register: bool,
    /// `AutoCreate`: whether devices that are not listed are created (seed document).
    #[n(1)]
    pub(super) auto_create: bool,
    /// `AutoCreateLimit`: how many devices may be created so (seed document).
    #[n(2)]
    pub(super) auto_create_limit: u64,
    /// `ProductLoginAfterActivation`: whether an active device may still log in with the product's secret, to be met
    /// with silence. The document says both that later requests get no reply and that such a device is illegal; off
    /// takes the second at its word, with code 4.
    #[n(3)]
    pub(super) product_login_after_activation: bool,
    /// `LoginConfirms`: whether a login with the issued secret counts as its confirmation. The document's overview
    /// says that the login activates, its detailed steps that the confirmation does.
    #[n(4)]
    pub(super) login_confirms: bool,
    /// `CheckTopics`: whether a device is kept to its own topics.
    #[n(5)]
    pub(super) check_topics: bool,
    /// `StrictRegisterBody`: whether the assumed `CMD`, `ID` and names have to be there.
    #[n(6)]
    pub(super) strict_register_body: bool,
    /// `ConfirmTimeout`: seconds until a session whose secret was not confirmed is closed; 0: never (assumed).
    #[n(7)]
    pub(super) confirm_timeout_s: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            dynamic_register: false,
            auto_create: false,
            auto_create_limit: 1_000,
            product_login_after_activation: true,
            login_confirms: false,
            check_topics: true,
            strict_register_body: true,
            confirm_timeout_s: 60,
        }
    }
}

impl Product {
    pub(super) fn new(name: String, secret: String) -> Self {
        Self {
            name,
            secret: Secret::new(secret),
            rules: Rules::default(),
            assumed: Assumed::default(),
            firmware: Vec::new(),
        }
    }

    pub(super) fn firmware(&self, version: &str) -> Option<&Firmware> {
        self.firmware.iter().find(|f| f.version == version)
    }

    /// Turns a switch; the error says what would be right.
    pub(super) fn switch(&mut self, name: &str, value: &str) -> Result<(), String> {
        let flag = || match value {
            "true" | "on" | "yes" | "1" => Ok(true),
            "false" | "off" | "no" | "0" => Ok(false),
            _ => Err("has to be true or false"),
        };
        let rules = &mut self.rules;
        let done = match name {
            "DynamicRegister" => flag().map(|on| rules.dynamic_register = on),
            "AutoCreate" => flag().map(|on| rules.auto_create = on),
            "AutoCreateLimit" => match value.parse() {
                Ok(n) if n <= 1_000_000 => {
                    rules.auto_create_limit = n;
                    Ok(())
                }
                _ => Err("has to be a number from 0 to 1000000"),
            },
            "ProductLoginAfterActivation" => {
                flag().map(|on| rules.product_login_after_activation = on)
            }
            "LoginConfirms" => flag().map(|on| rules.login_confirms = on),
            "CheckTopics" => flag().map(|on| rules.check_topics = on),
            "StrictRegisterBody" => flag().map(|on| rules.strict_register_body = on),
            "ConfirmTimeout" => match value.parse() {
                Ok(n) if n <= 86_400 => {
                    rules.confirm_timeout_s = n;
                    Ok(())
                }
                _ => Err("has to be a number of seconds from 0 to 86400"),
            },
            _ if Assumed::KEYS.contains(&name) => self.assumed.set(name, value),
            _ => {
                let known: Vec<_> = self.switches().into_keys().collect();
                let known = known.join(", ");
                return Err(format!("`{name}` is no switch of krtyun; there are {known}"));
            }
        };
        done.map_err(|why| format!("`{name}` {why}"))
    }

    pub(super) fn switches(&self) -> BTreeMap<String, String> {
        let rules = &self.rules;
        let flag = |on: bool| if on { "true" } else { "false" }.to_string();
        let rules = [
            ("DynamicRegister", flag(rules.dynamic_register)),
            ("AutoCreate", flag(rules.auto_create)),
            ("AutoCreateLimit", rules.auto_create_limit.to_string()),
            ("ProductLoginAfterActivation", flag(rules.product_login_after_activation)),
            ("LoginConfirms", flag(rules.login_confirms)),
            ("CheckTopics", flag(rules.check_topics)),
            ("StrictRegisterBody", flag(rules.strict_register_body)),
            ("ConfirmTimeout", rules.confirm_timeout_s.to_string()),
        ];
        let all = rules.into_iter().chain(self.assumed.entries());
        all.map(|(name, value)| (name.to_string(), value)).collect()
    }
}
