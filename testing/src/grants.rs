//! Bearer tokens for tests, without the consent that a person gives in a browser.

use loopiq::context::Ctx;
use loopiq::domain::{GrantId, GrantKind, PersonId, Scopes, Timestamp, TokenKind};
use loopiq::engine::{Engine, Error};
use loopiq::store::{NewGrant, NewToken};

/// A token of a test.
#[derive(Debug, Clone)]
pub struct TestToken {
    /// The secret.
    pub secret: String,
    /// The grant that it belongs to.
    pub grant: GrantId,
}

/// Stores a grant of the context's tenant, and an access token of it that is valid for `life` microseconds.
///
/// # Panics
/// The scopes are no scopes, or they cannot be stored.
pub async fn insert_token(
    engine: &Engine,
    ctx: &Ctx,
    person: Option<PersonId>,
    scopes: &str,
    audience: &str,
    life: i64,
) -> TestToken {
    let (scopes, unknown) = Scopes::parse(scopes);
    assert!(unknown.is_empty(), "{unknown:?}");
    let grant: GrantId = engine.runtime().id();
    let secret = format!("secret of {grant}");
    let (id, audience) = (grant.clone(), audience.to_owned());
    let digest = engine.runtime().digest_key().of_token(&secret);
    let stored = engine.store().write::<_, Error, _>(ctx, move |tx| {
        Box::pin(async move {
            let client = tx.ensure_named_client("Probe").await?;
            let expires_at = tx.ctx().now().plus(life);
            tx.insert_grant(&NewGrant {
                id: id.clone(),
                kind: GrantKind::Service,
                client: client.id,
                client_key: None,
                person,
                scopes,
                name: "Probe".to_owned(),
                created_by: None,
                expires_at: Timestamp(i64::MAX),
            })
            .await?;
            let token = NewToken {
                secret_digest: digest,
                id: tx.ctx().runtime.id(),
                grant: id,
                kind: TokenKind::Access,
                audience,
                binding: None,
                expires_at,
            };
            Ok(tx.insert_token(&token).await?)
        })
    });
    stored.await.expect("a token");
    TestToken { secret, grant }
}
