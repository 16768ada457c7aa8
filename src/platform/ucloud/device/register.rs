//! From the product's secret to the device's own, on stable storage.

use crate::num;

use super::{CONNECT_TIMEOUT, Config, Credential, Flow, Life, Plan, await_reply, ignored};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::{Error, Failure, PeerMisbehaved, Rejected};
use crate::input::Message;
use crate::output::{Advice, Connect, QoS, Step, StoreKey};
use crate::platform::ucloud::wire::{self, AuthMode, PasswordReply};
use crate::secret::Secret;
use crate::time::Timer;

impl Flow {
    /// Logs in with the product's secret.
    pub(super) fn register(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let Some(secret) = &config.product_secret else {
            // Plans to register are made only with it; a snapshot may have met another configuration.
            let failure = crate::LocalFailure::MissingSetting("product_secret".into());
            let error = Error::Local { failure };
            return self.stop(Plan::Register, error, Advice::CheckProductSecret, cx);
        };
        cx.step(Step::ConnectToRegister);
        self.connect(AuthMode::Dynamic, secret.clone(), config, cx);
        self.life = Life::PreAuth;
    }

    pub(super) fn connect(
        &mut self,
        mode: AuthMode,
        secret: Secret,
        config: &Config,
        cx: &mut Cx<'_>,
    ) {
        let (client_id, username) = wire::names(&config.product_sn, &config.device_sn, mode);
        self.connection = Some(cx.connect(Connect {
            url: config.broker.clone(),
            client_id,
            username,
            password: secret,
            keep_alive: config.keep_alive,
        }));
        cx.after(Timer::Reply, CONNECT_TIMEOUT);
    }

    /// CONNACK of the pre-authentication with a code.
    pub(super) fn not_admitted(&mut self, code: u8, cx: &mut Cx<'_>) {
        let error = Rejected::Connack { code }.into();
        let advice = match code {
            3 => return self.later(Plan::Register, error, cx),
            4 => Advice::CheckProductSecret,
            5 => self.why_not_admitted(),
            2 => Advice::CheckDevice,
            _ => Advice::AskVendor,
        };
        self.stop(Plan::Register, error, advice, cx);
    }

    /// What a refusal without further reason means.
    fn why_not_admitted(&self) -> Advice {
        if self.again { Advice::AlreadyRegistered } else { Advice::ImportDevice }
    }

    /// The connection went away in the middle of it.
    pub(super) fn broken(&mut self, failure: Failure, config: &Config, cx: &mut Cx<'_>) {
        self.broken += 1;
        if self.broken > config.credential_retries {
            let error = PeerMisbehaved::ClosedEarly.into();
            return self.stop(Plan::Register, error, Advice::CheckNetwork, cx);
        }
        self.later(Plan::Register, failure.into(), cx);
    }

    /// Where the secret will come is subscribed to.
    pub(super) fn reply_topic(&mut self, config: &Config, cx: &mut Cx<'_>) {
        // The cloud echoes what it likes to echo; digits are what every known client sends.
        self.request_id = num::text(cx.rng().between(1, 999_999_999));
        self.life = Life::AwaitSecret;
        self.asks = Backoff::login();
        self.asked = 0;
        self.ask_for_secret(config, cx);
    }

    pub(super) fn ask_for_secret(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.step(Step::RequestSecret);
        let body = wire::password_request(&self.request_id);
        cx.publish(config.topic(wire::PASSWORD), QoS::AtLeastOnce, body);
        await_reply(config, cx);
        self.asked += 1;
    }

    pub(super) fn secret_issued(&mut self, message: &Message, config: &Config, cx: &mut Cx<'_>) {
        let (product, device) = config.names();
        if wire::system_name(&message.topic, product, device) != Some(wire::PASSWORD_REPLY) {
            return cx.stray();
        }
        let reply = match PasswordReply::parse(message.payload.expose()) {
            Ok(reply) if reply.request_id == self.request_id => reply,
            Ok(_) => return ignored(PeerMisbehaved::WrongRequestId, cx),
            Err(error) => return ignored(error, cx),
        };
        if reply.ret_code.trim_ascii() != "0" {
            return self.rejected(&reply, config, cx);
        }
        match reply.password {
            Ok(secret) => {
                self.secret = secret;
                self.keep(config, cx);
            }
            // Not what was asked for: as good as no reply, but no need to wait for a better one.
            Err(how) if !self.rests() => {
                self.failed(how.into(), Advice::AskVendor, config, cx);
            }
            Err(how) => ignored(how, cx),
        }
    }

    fn rejected(&mut self, reply: &PasswordReply, config: &Config, cx: &mut Cx<'_>) {
        let secrets = config.product_secret.as_ref();
        let error = Rejected::code(&reply.ret_code, &reply.message, secrets.as_slice());
        // The platform's one list of codes (`retcode.md`); that they are used here is an assumption.
        let advice = match reply.ret_code.trim_ascii() {
            "100003" | "100014" => Advice::CheckProductSecret,
            "140" | "240" | "100008" => self.why_not_admitted(),
            "100072" => Advice::CheckDevice,
            _ => Advice::AskVendor,
        };
        self.close(cx);
        self.stop(Plan::Register, error.into(), advice, cx);
    }

    /// Puts the secret on stable storage.
    pub(super) fn keep(&mut self, config: &Config, cx: &mut Cx<'_>) {
        super::stop_timers(cx);
        cx.step(Step::StoreSecret);
        self.store = cx.store(StoreKey::Credential, Credential::write(&self.secret, config));
        self.life = Life::Storing;
    }
}
