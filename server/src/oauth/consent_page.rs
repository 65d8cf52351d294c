//! The consent page: which program wants access, where it is, and what it could do.

use super::client::KnownClient;
use super::redirect_uri;
use crate::http::message_page::MessagePage;
use crate::state::AppState;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use loopiq::domain::{Person, PlainText, Scope, Scopes, TenantId};
use loopiq::views::Label;

/// What a person is asked.
pub(super) struct Question<'a> {
    pub(super) client: &'a KnownClient,
    pub(super) person: &'a Person,
    pub(super) tenant: &'a TenantId,
    pub(super) tenant_name: &'a PlainText,
    pub(super) redirect_uri: &'a str,
    /// What the client would be allowed.
    pub(super) scopes: &'a Scopes,
    /// What it asked for.
    pub(super) wanted: &'a Scopes,
    /// The request, for the answer.
    pub(super) sealed: &'a str,
    /// Where the person chooses another tenant.
    pub(super) switch: Option<&'a str>,
}

/// The page.
pub(super) fn show(state: &AppState, question: &Question<'_>) -> Response {
    let name = question.client.name();
    let text = format!("{name} asks to act for you. Allow it only if you have just started this in that program.");
    let publisher = match &question.client.host {
        Some(host) => format!("{host}, which publishes this name"),
        None => "not known: a program can register with any name".to_owned(),
    };
    let (person, tenant) = (question.person, question.tenant);
    let lines = [
        ("Program", name.to_string()),
        ("Published by", publisher),
        ("It continues at", redirect_uri::place(question.redirect_uri)),
        ("Organisation", format!("{} ({tenant})", question.tenant_name)),
        ("You", format!("{} ({})", person.name, person.email)),
    ];
    let mut may: Vec<String> = question.scopes.iter().map(|scope| scope.label().to_owned()).collect();
    may.push("It never approves, rejects or executes anything, and you can revoke it under Clients.".to_owned());
    let mut page = MessagePage::new(StatusCode::OK, "Let this program in?", &text)
        .lines(&lines)
        .list("It could", &may);
    let beyond: Vec<&str> = question
        .wanted
        .iter()
        .filter(|scope| !question.scopes.has(*scope))
        .map(Scope::as_str)
        .collect();
    if !beyond.is_empty() {
        let missing = vec![format!("Your roles don't permit: {}", beyond.join(", "))];
        page = page.list("It also asked for more", &missing);
    }
    page = page.choice(
        super::authorize::PATH,
        &[("request", question.sealed)],
        "decision",
        &[("allow", "Allow"), ("deny", "Deny")],
    );
    if let Some(switch) = question.switch {
        page = page.link(switch, "Another organisation");
    }
    let mut response = page.page(&state.stylesheet);
    let source = redirect_uri::form_action(question.redirect_uri);
    if let Ok(policy) = HeaderValue::try_from(content_security_policy(&source)) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page has no script. Its form may lead to the client as well, because Chromium applies `form-action` to the redirect that follows.
fn content_security_policy(client: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'self' {client}; frame-ancestors 'none'"
    )
}
