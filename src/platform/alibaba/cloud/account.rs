//! Sessions of owners: `iotToken`, and how an app gets another.
//!
//! Beyond the seed. Shapes as the phone's SDK sends and reads them (reference A1). An auth code is the operator's to
//! give out (switch `auth_code.<identity>`) and good once; a refresh token stays the same until it runs out, so that a
//! lost reply locks nobody out.

use alloc::string::ToString;

use super::CloudState;
use super::business::{Answer, No, Params};
use super::registry::Owner;
use crate::cloud::CloudCx;
use crate::json::Object;
use crate::secret::Secret;

impl CloudState {
    pub(super) fn create_session(&mut self, params: Params<'_>, cx: &mut CloudCx<'_>) -> Answer {
        let request = params.object("request")?;
        let code = request.text("authCode")?;
        let identity = self.registry.owner_of_auth_code(&code).ok_or_else(|| No::code(401))?;
        let identity = identity.to_string();
        let mut session = new_session(&self.registry.settings, cx);
        let made = self.registry.edit_owner(&identity, cx, |owner| {
            session.home = core::mem::take(&mut owner.home);
            *owner = session;
        });
        made.map_or(Err(No::code(401)), |()| self.session(&identity, cx))
    }

    pub(super) fn refresh_session(&mut self, params: Params<'_>, cx: &mut CloudCx<'_>) -> Answer {
        let request = params.object("request")?;
        let token = request.text("refreshToken")?;
        let now = cx.unix();
        let identity = self.registry.owner_of_refresh_token(&token).ok_or_else(|| No::code(401))?;
        let identity = identity.to_string();
        if request.maybe("identityId")?.is_some_and(|named| named != identity.as_str()) {
            return Err(No::code(401));
        }
        let owner = self.registry.owner(&identity).ok_or_else(|| No::code(401))?;
        if now >= owner.refresh_token_until {
            return Err(No::code(401));
        }
        if now >= owner.iot_token_until {
            let fresh = new_session(&self.registry.settings, cx);
            self.registry.edit_owner(&identity, cx, |owner| {
                owner.iot_token = fresh.iot_token.clone();
                owner.iot_token_until = fresh.iot_token_until;
            });
        }
        self.session(&identity, cx)
    }

    fn session(&self, identity: &str, cx: &CloudCx<'_>) -> Answer {
        let owner = self.registry.owner(identity).ok_or_else(|| No::code(401))?;
        let seconds =
            |until: u64| i64::try_from(until.saturating_sub(cx.unix()) / 1_000).unwrap_or(i64::MAX);
        Ok(Object::new()
            .string("identityId", identity)
            .string("iotToken", owner.iot_token.expose())
            .number("iotTokenExpire", seconds(owner.iot_token_until))
            .string("refreshToken", owner.refresh_token.expose())
            .number("refreshTokenExpire", seconds(owner.refresh_token_until))
            .end())
    }
}

/// An owner with new tokens, and no home yet.
pub(super) fn new_session(settings: &super::switches::Settings, cx: &mut CloudCx<'_>) -> Owner {
    let until = |seconds: u64| cx.unix().saturating_add(seconds.saturating_mul(1_000));
    let (iot, refresh) = (until(settings.iot_token_seconds), until(settings.refresh_token_seconds));
    Owner {
        home: alloc::string::String::new(),
        iot_token: Secret::new(cx.rng.hex::<16>()),
        iot_token_until: iot,
        refresh_token: Secret::new(cx.rng.hex::<16>()),
        refresh_token_until: refresh,
        auth_code: None,
    }
}
