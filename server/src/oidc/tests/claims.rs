//! Reading the claims of valid ID tokens.

use super::tokens::{outcome, own_key, sign_with_own_key};
use super::*;
use loopiq::domain::Role;

#[tokio::test]
async fn claims_are_read_from_configured_names_in_several_types() {
    let provider = Provider::serve().await;
    provider.tamper("/jwks", |keys| {
        keys["keys"] = json!([own_key().public()]);
    });
    provider.tamper("/token", |tokens| {
        sign_with_own_key(tokens, |claims| {
            claims["name"] = " ".into();
            claims["preferred_username"] = "rae".into();
            claims["organization"] = json!({ "acme.id": ["acme"] });
            claims["https://loopiq.example/roles"] = "reviewer,lead".into();
            claims["memberships"] = json!(["Payments people", "ops"]);
            claims["azp"] = "loopiq".into();
            claims["extra"] = json!({ "n": null, "f": 1.5, "b": [true] });
        });
    });
    let settings = OidcSettings {
        tenant_claim: "organization.acme.id".to_owned(),
        roles_claim: "https://loopiq.example/roles".to_owned(),
        groups_claim: "memberships".to_owned(),
        role_mapping: RoleMapping::new(vec![("ops".to_owned(), Role::Operator)]),
        ..provider.settings()
    };
    let oidc = Oidc::new(settings).unwrap();
    let (pending, callback) = provider.sign_in(&oidc).await;
    let assertion = provider.finish(&oidc, pending, &callback).await.unwrap();
    assert_eq!(
        (assertion.tenants, assertion.name.as_str()),
        (vec!["acme".to_owned()], "rae")
    );
    let roles = ["reviewer", "lead", "operator"].map(str::to_owned);
    assert_eq!(assertion.roles.as_deref(), Some(roles.as_slice()));
    assert_eq!(assertion.groups, ["Payments people", "ops"]);
}

#[tokio::test]
async fn an_address_is_verified_by_the_token_or_by_the_settings() {
    let cases: [(fn(&mut Value), &[&str], bool); 8] = [
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["email_verified"] = true.into()),
            &[],
            true,
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["email_verified"] = "true".into()),
            &[],
            true,
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["email_verified"] = false.into()),
            &["acme.example"],
            false,
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["email_verified"] = "false".into()),
            &["acme.example"],
            false,
        ),
        (
            |tokens| {
                sign_with_own_key(tokens, |claims| {
                    drop(claims.as_object_mut().unwrap().remove("email_verified"))
                })
            },
            &[],
            false,
        ),
        (
            |tokens| {
                sign_with_own_key(tokens, |claims| {
                    drop(claims.as_object_mut().unwrap().remove("email_verified"))
                })
            },
            &["x.example", "acme.example"],
            true,
        ),
        // A domain that only ends like a trusted one is not trusted.
        (
            |tokens| {
                sign_with_own_key(tokens, |claims| {
                    claims.as_object_mut().unwrap().remove("email_verified");
                    claims["email"] = "lead@acme.example@evil-acme.example".into();
                });
            },
            &["acme.example"],
            false,
        ),
        (
            |tokens| {
                sign_with_own_key(tokens, |claims| {
                    claims.as_object_mut().unwrap().remove("email_verified");
                    claims["email"] = "Reviewer@ACME.example".into();
                });
            },
            &["acme.EXAMPLE"],
            true,
        ),
    ];
    for (n, (change, domains, verified)) in cases.into_iter().enumerate() {
        let email = outcome(change, domains).await.unwrap().email;
        assert_eq!(email.address().is_some(), verified, "case {n}: {email}");
        assert_eq!(email.is("reviewer@acme.example"), verified, "case {n}: {email}");
    }
    assert!(matches!(
        outcome(
            |tokens| sign_with_own_key(tokens, |claims| claims["email_verified"] = "perhaps".into()),
            &[]
        )
        .await,
        Err(OidcError::InvalidToken { .. })
    ));
}
