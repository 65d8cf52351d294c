//! Pages and their forms.

use crate::authorization::endpoint::Access::Needs;
use crate::authorization::endpoint::{Endpoint, Surface};
use loopiq::domain::Permission::{self, *};

type Fields = &'static [(&'static str, &'static str)];

pub(super) fn pages() -> Vec<Endpoint> {
    let page = |name, target: &str, needs| Endpoint::new(name, Needs(Surface::Page, vec![needs])).at(target);
    vec![
        page("GET /", "/", ViewActions),
        page("GET /", "/?after=<action>", ViewActions),
        page("GET /", "/?release=<release>", ViewActions),
        page("GET /", "/?team=<team>", ViewActions),
        page("GET /actions/{id}", "/actions/<action>", ViewActions),
        page("GET /actions/{id}/confirm", "/actions/<action>/confirm", ViewActions),
        page("GET /audit", "/audit", SearchAudit),
        page("GET /audit", "/audit?q=action:<action>", SearchAudit),
        page("GET /audit", "/audit?q=release:<release_key>", SearchAudit),
        page("GET /audit/{seq}", "/audit/1", SearchAudit),
        page("GET /releases/{key}", "/releases/<release_key>", ReadCatalog),
        page(
            "GET /releases/{key}",
            "/releases/<release_key>?after=<blocker>",
            ReadCatalog,
        ),
        page(
            "GET /releases/{key}",
            "/releases/<release_key>?after=<finding>",
            ReadCatalog,
        ),
        page(
            "GET /releases/{key}",
            "/releases/<release_key>?after=<evidence>",
            ReadCatalog,
        ),
        page("GET /settings/catalog", "/settings/catalog", ReadCatalog),
        page("GET /settings/policy", "/settings/policy", ReadPolicy),
        page("GET /settings/requests", "/settings/requests", Configure),
        page("GET /settings/sessions", "/settings/sessions", SignIn),
        page("GET /settings/clients", "/settings/clients", SignIn),
        page("GET /settings/pauses", "/settings/pauses", ViewActions),
        page("GET /settings/access", "/settings/access", SignIn),
        page("GET /settings/access", "/settings/access?after=<person>", SignIn),
        page("GET /settings/access/{id}", "/settings/access/<person>", EndSessions),
        page(
            "GET /oauth/authorize",
            "/oauth/authorize?response_type=code&client_id=<redirect>&redirect_uri=http://127.0.0.1/callback&code_challenge=\
             E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&scope=loopiq:read",
            SignIn,
        ),
        Endpoint::new("POST /oauth/authorize", Needs(Surface::Page, vec![SignIn]))
            .form(&[("request", "x"), ("decision", "allow")]),
    ]
}

pub(super) fn forms() -> Vec<Endpoint> {
    let form = |name, fields: Fields, needs: &[Permission]| {
        Endpoint::new(name, Needs(Surface::Form, needs.to_vec())).form(fields)
    };
    const DECISION: Fields = &[("id", "<action>"), ("digest", "x"), ("view", "x")];
    // The built-in policy, which is active already.
    const DRAFT: Fields = &[
        ("source", include_str!("../../../../../src/policy/default.toml")),
        ("note", "Why"),
        ("base", "1"),
    ];
    vec![
        form("POST /do/approve", DECISION, &[Approve]),
        form("POST /do/approve-and-run", DECISION, &[Approve, Execute]),
        form(
            "POST /do/reject",
            &[
                ("id", "<action>"),
                ("digest", "x"),
                ("view", "x"),
                ("codes[0]", "declined"),
                ("text", "No."),
            ],
            &[Reject],
        ),
        form("POST /do/execute", &[("id", "<action>"), ("view", "x")], &[Execute]),
        form(
            "POST /do/revoke",
            &[("id", "<action>"), ("text", "No."), ("view", "x")],
            &[Revoke],
        ),
        form("POST /do/ask", &[("id", "<action>"), ("text", "Why?")], &[Ask]),
        form(
            "POST /do/prune",
            &[
                ("id", "<action>"),
                ("digest", "x"),
                ("view", "x"),
                ("keep[0]", "a"),
                ("text", "No."),
            ],
            &[Prune],
        ),
        form("POST /do/action-status", &[("id", "<action>")], &[ViewActions]),
        form("POST /do/check-policy", DRAFT, &[Configure]),
        form("POST /do/switch-policy", DRAFT, &[Configure]),
        form("POST /do/discard-policy-draft", &[], &[SignIn]),
        form(
            "POST /do/preview-catalog",
            &[("source", "teams: [{ key: payments, name: Payments }]")],
            &[ApplyCatalog],
        ),
        form(
            "POST /do/apply-catalog",
            &[
                ("source", "teams: [{ key: payments, name: Payments }]"),
                ("digest", "x"),
            ],
            &[ApplyCatalog],
        ),
        form("POST /do/discard-catalog-draft", &[], &[SignIn]),
        form(
            "POST /do/set-release-status",
            &[("release", "<release>"), ("status", "in_progress")],
            &[Certify],
        ),
        form(
            "POST /do/set-release-status",
            &[("release", "<release_key>"), ("status", "in_progress")],
            &[Certify],
        ),
        form(
            "POST /do/decide-certification",
            &[
                ("certification", "<certification>"),
                ("decision", "refuse"),
                ("reason", "No."),
            ],
            &[Certify],
        ),
        form(
            "POST /do/decide-certification",
            &[
                ("certification", "<certification_key>"),
                ("decision", "refuse"),
                ("reason", "No."),
            ],
            &[Certify],
        ),
        form(
            "POST /do/confirm-request",
            &[("id", "<request>"), ("view", "x")],
            &[Configure],
        ),
        form(
            "POST /do/decline-request",
            &[("id", "<request>"), ("text", "No.")],
            &[Configure],
        ),
        form("POST /do/withdraw-request", &[("id", "<request>")], &[Configure]),
        form(
            "POST /do/link-people",
            &[
                ("one", "<person>"),
                ("other", "<other_person>"),
                ("whose", "same"),
                ("text", "They told me."),
            ],
            &[Configure],
        ),
        form("POST /do/end-session", &[("id", "<session>")], &[SignIn]),
        form("POST /do/end-sessions", &[("person", "<person>")], &[EndSessions]),
        form("POST /do/sign-out-everywhere", &[], &[SignIn]).ending_the_session(),
        form(
            "POST /do/pause-agents",
            // A client that does not exist, so that nothing is paused for the other callers.
            &[("target", "client:cli_00000000000000000000000000"), ("reason", "Why")],
            &[Pause],
        ),
        form("POST /do/resume-agents", &[("target", "agents")], &[Configure]),
        form("POST /do/revoke-grant", &[("id", "<grant>")], &[SignIn]),
        form(
            "POST /do/create-service-token",
            &[("name", "Nightly import"), ("import", "on"), ("days", "30")],
            &[IssueToken],
        ),
        form("POST /do/accept-service-token", &[("id", "<grant>")], &[SignIn]),
    ]
}
