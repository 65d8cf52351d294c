use super::*;
use crate::domain::Risk;
use crate::policy::tests::{policy, risk_input};
use serde_json::json;
use std::sync::Arc;

const NOW: Timestamp = Timestamp(1_000 * Timestamp::DAY);

fn sign_in(authenticated_at: Option<Timestamp>, acr: Option<&str>) -> ProviderSignIn {
    ProviderSignIn {
        issuer: "https://idp.example".to_owned(),
        subject: "s".to_owned(),
        sid: None,
        issued_at: NOW.plus(-Timestamp::SECOND),
        authenticated_at,
        prompted: false,
        acr: acr.map(str::to_owned),
        id_token: None,
    }
}

fn step_up(acr: Option<&[&str]>) -> StepUp {
    StepUp {
        max_age_minutes: 10,
        acr: acr.map(|acr| acr.iter().map(|acr| (*acr).to_owned()).collect()),
    }
}

fn why(step_up: &StepUp, sign_in: &ProviderSignIn) -> String {
    match step_up.unmet(Some(sign_in), NOW) {
        None => String::new(),
        Some(Unmet::SignInAgain(why)) => why,
        Some(Unmet::Impossible(why)) => format!("impossible: {why}"),
    }
}

#[test]
fn a_sign_in_counts_until_the_limit_and_the_difference_of_the_clocks() {
    let limit = 10 * Timestamp::MINUTE + PROVIDER_CLOCK_SKEW;
    for (age, says) in [
        (0, ""),
        (10 * Timestamp::MINUTE, ""),
        (limit, ""),
        (
            limit + 1,
            "within the last 10 minutes, and you signed in 11 minutes ago",
        ),
        (119 * Timestamp::MINUTE, "119 minutes ago"),
        (120 * Timestamp::MINUTE, "you signed in 2 hours ago"),
        (48 * Timestamp::HOUR, "you signed in 2 days ago"),
        (-PROVIDER_CLOCK_SKEW, ""),
        (-PROVIDER_CLOCK_SKEW - 1, "is in the future"),
    ] {
        let why = why(&step_up(None), &sign_in(Some(NOW.plus(-age)), None));
        assert_eq!(why.is_empty(), says.is_empty(), "{age}: {why}");
        assert!(why.contains(says), "{age}: {why}");
    }
    assert_eq!(
        step_up(None).met_until(NOW),
        NOW.plus(limit),
        "the page names the time until which the sign-in counts"
    );
}

#[test]
fn the_time_of_issue_counts_only_if_the_provider_was_asked_to_authenticate_the_person() {
    let silent = sign_in(None, None);
    assert!(why(&step_up(None), &silent).contains("did not say when you signed in"));
    let prompted = ProviderSignIn {
        prompted: true,
        ..silent
    };
    assert_eq!(why(&step_up(None), &prompted), "");
    // What the provider says counts more.
    let ignored = ProviderSignIn {
        authenticated_at: Some(NOW.plus(-Timestamp::DAY)),
        ..prompted.clone()
    };
    assert!(why(&step_up(None), &ignored).contains("24 hours ago"));
    let later = ProviderSignIn {
        issued_at: NOW.plus(-Timestamp::HOUR),
        ..prompted
    };
    assert!(why(&step_up(None), &later).contains("60 minutes ago"));
}

#[test]
fn one_of_the_accepted_ways_counts() {
    let (mfa, any) = (step_up(Some(&["mfa", "hwk"])), step_up(None));
    for (acr, says) in [
        (Some("mfa"), ""),
        (Some("hwk"), ""),
        (Some("MFA"), "mfa or hwk (acr), and yours was of the kind MFA"),
        (Some("mfa hwk"), "yours was of the kind mfa hwk"),
        (None, "did not say of which kind"),
    ] {
        let one = sign_in(Some(NOW), acr);
        let told = why(&mfa, &one);
        assert_eq!(told.is_empty(), says.is_empty(), "{acr:?}: {told}");
        assert!(told.contains(says), "{acr:?}: {told}");
        assert_eq!(why(&any, &one), "");
    }
    assert!(why(&step_up(Some(&[])), &sign_in(Some(NOW), Some("mfa"))).starts_with("impossible: "));
    assert!(matches!(any.unmet(None, NOW), Some(Unmet::SignInAgain(_))));
}

#[test]
fn both_policies_have_to_be_met() {
    let payload = json!({});
    let high = risk_input("a", Risk::High, &payload);
    let of = |then: &str, today: &str| {
        let policies = Policies {
            then: Arc::new(policy(1, then)),
            today: Arc::new(policy(2, today)),
        };
        policies.step_up(&high).map(|one| (one.max_age_minutes, one.acr))
    };
    let rule = |rest: &str| format!("[step_up]\nrisk = [\"high\"]\n{rest}");
    let named = |acr: &[&str]| Some(acr.iter().map(|acr| (*acr).to_owned()).collect::<Vec<_>>());
    assert_eq!(of("", ""), None);
    assert_eq!(of("[step_up]\nrisk = [\"low\", \"medium\"]", ""), None);
    assert_eq!(of("", &rule("")), Some((10, None)));
    assert_eq!(of(&rule("max_age_minutes = 5"), &rule("")), Some((5, None)));
    assert_eq!(of(&rule(""), &rule("max_age_minutes = 5")), Some((5, None)));
    assert_eq!(of(&rule("acr = [\"a\"]"), &rule("")), Some((10, named(&["a"]))));
    assert_eq!(
        of(&rule("acr = [\"a\", \"b\"]"), &rule("acr = [\"b\", \"c\"]")),
        Some((10, named(&["b"])))
    );
    assert_eq!(
        of(&rule("acr = [\"a\"]"), &rule("acr = [\"c\"]")),
        Some((10, named(&[])))
    );
    // Each policy asks by its own class of risk.
    assert_eq!(
        of(
            &rule("max_age_minutes = 5"),
            "[[risk]]\nclass = \"low\"\n[step_up]\nrisk = [\"low\"]"
        ),
        Some((5, None))
    );
}
