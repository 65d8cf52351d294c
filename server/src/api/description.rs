//! The description of the API: OpenAPI 3.1, made from the annotations of the handlers.

use super::refusals::{CatalogMistake, Mistake, Problem};
use super::{for_anyone, for_principals};
use axum::Json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi};

/// The path at which the service serves the description.
pub(super) const PATH: &str = "/api/openapi.json";

/// What no handler names: the schemas of errors.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(Problem, Mistake, CatalogMistake)))]
struct Errors;

/// The description of every route under `/api/v1`.
pub(crate) fn openapi() -> OpenApi {
    let mut api = for_principals().into_openapi();
    api.merge(for_anyone().into_openapi());
    api.merge(<Errors as utoipa::OpenApi>::openapi());
    api.info = InfoBuilder::new()
        .title("LoopIQ Governed Actions")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Agents propose writes, people decide them. People use their session, programs a bearer token with the scopes of the endpoint. No token \
             approves, rejects or executes. Errors are problem details (RFC 9457); unknown parameters and fields are refused.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let components = api.components.get_or_insert_default();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token for the resource /mcp: of an OAuth client, or a service token.",
        ))
        .build();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    let cookie = ApiKeyValue::with_description(
        "__Host-loopiq_session",
        "The session of a person who has signed in. Over http on loopback the cookie is loopiq_session. Changes need a request of the service's own \
         pages: Sec-Fetch-Site or Origin.",
    );
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    api
}

/// `GET /api/openapi.json`.
pub(super) async fn serve() -> Json<OpenApi> {
    Json(openapi())
}
