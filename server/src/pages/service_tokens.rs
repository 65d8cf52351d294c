//! The forms whose response shows a new secret. They are no server functions, because the outcome of a server function is kept in the session
//! until a page has shown it, and the secret must not be stored. The response is the page that shows the secret.

use crate::http::message_page::MessagePage;
use crate::http::status_of;
use crate::state::AppState;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use loopiq::domain::{Scope, Scopes};
use loopiq::engine::{Error, ServiceToken, ServiceTokenRequest};
use loopiq_app::Services;
use serde::Deserialize;
use std::sync::Arc;

/// Where clients and tokens are listed.
const PAGE: &str = "/settings/clients";

/// The routes, which need a signed-in person, and a form of a page of the current tenant.
pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/do/create-service-token", post(create))
        .route("/do/accept-service-token", post(accept))
}

/// The form with which an operator creates a token: each scope is a check box.
#[derive(Deserialize)]
struct CreateForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    person: String,
    #[serde(default)]
    days: String,
    read: Option<String>,
    propose: Option<String>,
    import: Option<String>,
    catalog: Option<String>,
    audit: Option<String>,
}

impl CreateForm {
    fn scopes(&self) -> Scopes {
        let boxes = [
            (Scope::Read, &self.read),
            (Scope::Propose, &self.propose),
            (Scope::Import, &self.import),
            (Scope::Catalog, &self.catalog),
            (Scope::Audit, &self.audit),
        ];
        let chosen = boxes.into_iter().filter(|(_, chosen)| chosen.is_some());
        chosen.map(|(scope, _)| scope).collect()
    }
}

async fn create(
    State(state): State<AppState>,
    Extension(services): Extension<Arc<Services>>,
    form: Result<Form<CreateForm>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return invalid(&state);
    };
    let request = ServiceTokenRequest {
        scopes: form.scopes(),
        days: form.days.trim().parse().unwrap_or_default(),
        name: form.name,
        person: form.person,
        audience: state.mcp_audience(),
    };
    let created = services.engine.create_service_token(&services.ctx, request).await;
    respond(&state, created)
}

#[derive(Deserialize)]
struct AcceptForm {
    #[serde(default)]
    id: String,
}

async fn accept(
    State(state): State<AppState>,
    Extension(services): Extension<Arc<Services>>,
    form: Result<Form<AcceptForm>, FormRejection>,
) -> Response {
    let Ok(Form(AcceptForm { id })) = form else {
        return invalid(&state);
    };
    let audience = state.mcp_audience();
    let accepted = services
        .engine
        .accept_service_token(&services.ctx, &id, &audience)
        .await;
    respond(&state, accepted)
}

fn respond(state: &AppState, outcome: Result<ServiceToken, Error>) -> Response {
    let token = match outcome {
        Ok(token) => token,
        Err(error) => {
            let (status, text) = (status_of(&error), error.to_string());
            return MessagePage::new(status, "No token was created", &text)
                .link(PAGE, "Back to clients and tokens")
                .page(&state.stylesheet);
        }
    };
    let (name, ends) = (&token.name, token.expires_at.minute());
    let (title, text) = match (&token.token, &token.waits_for) {
        (None, Some(person)) => (
            "The token is offered",
            format!(
                "{name} acts for {person}, who accepts it under Clients. Only {person} is shown its secret. It ends on {ends}."
            ),
        ),
        _ => (
            "The token is created",
            format!(
                "{name} works until {ends}. Copy its secret now: it is shown only once, and nobody can read it again."
            ),
        ),
    };
    let mut page = MessagePage::new(StatusCode::OK, title, &text).link(PAGE, "Back to clients and tokens");
    if let Some(secret) = &token.token {
        page = page.code("The secret", secret);
    }
    page.page(&state.stylesheet)
}

fn invalid(state: &AppState) -> Response {
    let text = "The form is invalid, so nothing was changed: a field occurs twice, or is not UTF-8. Load the page again and send its form.";
    MessagePage::new(StatusCode::BAD_REQUEST, "Invalid form", text)
        .link(PAGE, "Back to clients and tokens")
        .page(&state.stylesheet)
}
