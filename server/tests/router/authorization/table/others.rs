//! Signing in and out, OAuth, operation of the service, static files, and the demo's identity provider.

use crate::authorization::endpoint::Access::{self, Anyone, RelyingParty, Session};
use crate::authorization::endpoint::Endpoint;
use serde_json::json;

pub(super) fn others() -> Vec<Endpoint> {
    let at = |name, access: Access| Endpoint::new(name, access);
    vec![
        at("GET /login", Anyone),
        at("GET /auth/callback", Anyone),
        at("GET /auth/step-up", Session).at("/auth/step-up?action=<action>"),
        at("GET /auth/step-up/start", Session).at("/auth/step-up/start?action=<action>"),
        at("GET /auth/tenant", Session),
        at("POST /auth/tenant", Session).form(&[("tenant", "<tenant>")]),
        at("POST /auth/backchannel-logout", Anyone).form(&[("logout_token", "x")]),
        at("GET /logout", Anyone),
        at("POST /logout", Anyone).ending_the_session(),
        at("GET /.well-known/oauth-authorization-server", Anyone),
        at("GET /.well-known/oauth-authorization-server/mcp", Anyone),
        at("GET /.well-known/oauth-protected-resource", Anyone),
        at("GET /.well-known/oauth-protected-resource/mcp", Anyone),
        at("POST /oauth/register", Anyone)
            .json(json!({ "client_name": "Probe", "redirect_uris": ["http://127.0.0.1/callback"] })),
        at("POST /oauth/token", Anyone).form(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", "x"),
            ("client_id", "x"),
        ]),
        at("POST /oauth/revoke", Anyone).form(&[("token", "x"), ("client_id", "x")]),
        at("GET /healthz", Anyone),
        at("GET /readyz", Anyone),
        // Only for programs on this machine, which is where the test runs.
        at("GET /metrics", Anyone),
        at("ANY /pkg/{*file}", Anyone).at("/pkg/none.js"),
        at("GET /demo-idp/.well-known/openid-configuration", Anyone),
        at("GET /demo-idp/jwks", Anyone),
        at("GET /demo-idp/authorize", Anyone),
        at("POST /demo-idp/authorize", Anyone).form(&[("person", "x")]),
        at("POST /demo-idp/token", RelyingParty).form(&[("grant_type", "authorization_code"), ("code", "x")]),
    ]
}
