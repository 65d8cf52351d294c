//! Step-up authentication: an approval that requires a recent sign-in of the approver at the identity provider.
//!
//! The sign-in is read from the session in the transaction that approves, never from a page or a form. Only approvals require it: they are the
//! consent of a person, and a rejection prevents changes only. An execution changes nothing that approvals do not contain, and checks them
//! again, so it does not require a sign-in of its own; *Approve and run* approves first, and so requires the sign-in of the approval.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::approvals::{Approvals, risk_input};
use crate::engine::actions::lifecycle;
use crate::engine::actions::plan::decode_envelope;
use crate::engine::{Engine, Error};
use crate::policy::{PolicyInput, StepUp, Unmet};
use crate::store::ReadTx;
use serde_json::{Value, json};

/// A sign-in that met the requirement of an approval.
pub(crate) struct MetBy {
    required: StepUp,
    sign_in: ProviderSignIn,
}

impl MetBy {
    /// The sign-in and the requirement, as the audit entry of the approval has them.
    pub(crate) fn details(&self) -> Value {
        let ProviderSignIn {
            authenticated_at, acr, ..
        } = &self.sign_in;
        json!({
            "authenticatedAt": self.sign_in.authentication(),
            "authenticatedBy": if authenticated_at.is_some() { "auth_time" } else { "iat" },
            "acr": acr,
            "maxAgeMinutes": self.required.max_age_minutes,
            "acceptedAcr": self.required.acr,
        })
    }
}

/// The sign-in of the acting person's session, as the database has it in this transaction.
pub(crate) async fn sign_in(tx: &mut ReadTx) -> Result<Option<ProviderSignIn>, Error> {
    let Principal::Person { person, session, .. } = &tx.ctx().principal else {
        return Ok(None);
    };
    let (person, session) = (person.id.clone(), session.clone());
    Ok(tx.sign_in_of_session(&session, &person).await?)
}

/// The sign-in that meets the requirement of the policies; `None` if they require nothing. The inner error is a refusal.
pub(crate) async fn require(
    tx: &mut ReadTx,
    approvals: &Approvals,
    input: &PolicyInput<'_>,
) -> Result<Result<Option<MetBy>, Error>, Error> {
    let Some(required) = approvals.policies.step_up(&input.risk_input) else {
        return Ok(Ok(None));
    };
    let sign_in = sign_in(tx).await?;
    let unmet = required.unmet(sign_in.as_ref(), tx.ctx().now());
    Ok(match (unmet, sign_in) {
        (None, Some(sign_in)) => Ok(Some(MetBy { required, sign_in })),
        (Some(Unmet::Impossible(why)), _) => Err(Error::Refused {
            code: ReasonCode::PolicyRefused,
            message: format!("Not approved: {why}."),
        }),
        (Some(Unmet::SignInAgain(why)), _) => Err(again(&why)),
        (None, None) => Err(again("your session has ended")),
    })
}

fn again(why: &str) -> Error {
    Error::Refused {
        code: ReasonCode::StepUpRequired,
        message: format!("Not approved yet: {why}. Sign in again, then approve; what you entered is kept."),
    }
}

/// A new sign-in that an approval requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepUpRequest {
    /// The accepted ways of authenticating, which the identity provider is asked for; empty: every way.
    pub acr: Vec<String>,
    /// Why the sign-in of this session is not sufficient.
    pub why: String,
}

impl Engine {
    /// The new sign-in that the person's approval of a pending action requires; `None` if the sign-in of this session is sufficient, or if no
    /// sign-in would help.
    ///
    /// # Errors
    /// [`Error::NotFound`]: the tenant has no such action.
    pub async fn step_up(&self, ctx: &Ctx, id: &str) -> Result<Option<StepUpRequest>, Error> {
        self.authorize(ctx, Permission::ViewActions).await?;
        let id = lifecycle::parse_id(id)?;
        let tx = &mut self.store.read(ctx).await?;
        let missing = || lifecycle::not_found(id.as_str());
        let action = tx.action(&id).await?.ok_or_else(missing)?;
        if action.state_at(tx.ctx().now()) != State::PendingApproval {
            return Ok(None);
        }
        let Ok(envelope) = decode_envelope(&action) else {
            return Ok(None);
        };
        let policies = self.policies.for_action(tx, &action).await?;
        let Some(required) = policies.step_up(&risk_input(&action, &envelope)) else {
            return Ok(None);
        };
        let sign_in = sign_in(tx).await?;
        Ok(match required.unmet(sign_in.as_ref(), tx.ctx().now()) {
            Some(Unmet::SignInAgain(why)) => Some(StepUpRequest {
                acr: required.acr.unwrap_or_default(),
                why,
            }),
            Some(Unmet::Impossible(_)) | None => None,
        })
    }
}
