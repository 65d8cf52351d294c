//! The provider's two pages: the list of people, and the refusal of an invalid request. Plain HTML without scripts.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::{DemoIdp, DemoPerson};
use crate::html::escape;

/// The list of people, with a button for each. The form sends the request in `hidden` back. `two_factors`: the client asks for a second factor.
pub(super) fn people(idp: &DemoIdp, two_factors: bool, hidden: &[(&str, &str)]) -> Response {
    let mut body = String::from(
        "<h1>Demo sign-in: choose who you are</h1>\n\
         <p>No password: this provider exists only in a demo.</p>\n",
    );
    if two_factors {
        body.push_str(
            "<p>The application asks for two factors. A real provider would check them now; the demo only says that it did.</p>\n",
        );
    }
    body.push_str("<form method=\"post\" action=\"authorize\">\n");
    for (name, value) in hidden {
        body.push_str(&format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">\n",
            escape(name),
            escape(value)
        ));
    }
    for (number, (tenant, members)) in by_tenant(&idp.0.people).into_iter().enumerate() {
        body.push_str(&format!(
            "<section aria-labelledby=\"idp-tenant-{number}\">\n\
             <h2 id=\"idp-tenant-{number}\">{}</h2>\n<ul class=\"idp-people\">\n",
            escape(tenant)
        ));
        for person in members {
            body.push_str(&button(person));
        }
        body.push_str("</ul>\n</section>\n");
    }
    body.push_str(
        "<p><button type=\"submit\" name=\"cancel\" value=\"yes\" class=\"idp-cancel\">Go back without signing in\
         </button></p>\n</form>\n",
    );
    document(idp, StatusCode::OK, "Demo sign-in", &body)
}

/// The page for a request without a valid client or redirect address, which must not be redirected.
pub(super) fn refused(idp: &DemoIdp, reason: &str) -> Response {
    let body = format!(
        "<h1>Invalid sign-in request</h1>\n<p>{}</p>\n\
         <p>Go back to the application and start signing in again. If this page appears again, the application's settings \
         do not match this demo identity provider.</p>\n",
        escape(reason)
    );
    document(idp, StatusCode::BAD_REQUEST, "Invalid sign-in request", &body)
}

/// The people by tenant. Tenants and people keep the given order.
fn by_tenant(people: &[DemoPerson]) -> Vec<(&str, Vec<&DemoPerson>)> {
    let mut tenants: Vec<(&str, Vec<&DemoPerson>)> = Vec::new();
    for person in people {
        match tenants.iter_mut().find(|(tenant, _)| *tenant == person.tenant) {
            Some((_, members)) => members.push(person),
            None => tenants.push((&person.tenant, vec![person])),
        }
    }
    tenants
}

fn button(person: &DemoPerson) -> String {
    // A screen reader pauses at the commas between the parts.
    format!(
        "<li><button type=\"submit\" name=\"person\" value=\"{}\" class=\"idp-person\">\
         <span class=\"idp-name\">{}</span>, <span class=\"idp-email\">{}</span>, \
         <span class=\"idp-roles\">{}</span></button></li>\n",
        escape(&person.subject),
        escape(&person.name),
        escape(&person.email),
        escape(&person.roles.join(", ")),
    )
}

fn document(idp: &DemoIdp, status: StatusCode, title: &str, body: &str) -> Response {
    let stylesheet = match &idp.0.stylesheet {
        Some(href) => format!("<link rel=\"stylesheet\" href=\"{}\">\n", escape(href)),
        None => String::new(),
    };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n{stylesheet}</head>\n<body class=\"idp\">\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    );
    // `no-store`, because the page contains the state and nonce of one request.
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}
