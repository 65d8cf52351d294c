//! The header of every page: navigation, the signed-in person and the tenant.

use crate::services::Services;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use loopiq::domain::{Permission, Person, PlainText, TenantId};
use loopiq::views::Label;
use std::sync::Arc;

/// The header. Without a signed-in person (route listing, tests) it has only the product's name.
#[component]
pub(crate) fn Header() -> impl IntoView {
    let path = use_location().pathname.get_untracked();
    let services = use_context::<Arc<Services>>();
    let may = |command| services.as_ref().is_some_and(|services| services.may(command));
    let (audit, policy) = (may(Permission::SearchAudit), may(Permission::ReadPolicy));
    let catalog = may(Permission::ReadCatalog);
    let (requests, access) = (may(Permission::Configure), may(Permission::SignIn));
    let pause = may(Permission::Pause);
    let who = services.and_then(|services| {
        let principal = &services.ctx.principal;
        principal
            .person()
            .cloned()
            .map(|person| (principal.tenant().clone(), person, services.can_switch))
    });
    let link = move |href: &'static str, label: &'static str, here: bool| {
        view! {
            <a href=href aria-current=here.then_some("page")>
                {label}
            </a>
        }
    };
    let (on_audit, on_policy) = (path.starts_with("/audit"), path == "/settings/policy");
    let on_catalog = path.starts_with("/settings/catalog") || path.starts_with("/releases/");
    let (on_requests, on_access) = (path == "/settings/requests", path.starts_with("/settings/access"));
    let on_pauses = path == "/settings/pauses";
    let on_inbox = !on_audit && !on_catalog && !path.starts_with("/settings/");
    let (on_sessions, on_clients) = (path == "/settings/sessions", path == "/settings/clients");
    view! {
        <header class="top">
            <a class="brand" href="/">
                <strong>"LoopIQ"</strong>
                <span>" Governed actions"</span>
            </a>
            {who
                .map(|(tenant, person, can_switch)| {
                    view! {
                        <nav class="places" aria-label="Pages">
                            {link("/", "Inbox", on_inbox)}
                            {audit.then(|| link("/audit", "Audit", on_audit))}
                            {catalog.then(|| link("/settings/catalog", "Catalog", on_catalog))}
                            {policy.then(|| link("/settings/policy", "Policy", on_policy))}
                            {requests.then(|| link("/settings/requests", "Requests", on_requests))}
                            {access.then(|| link("/settings/access", "Access", on_access))}
                            {pause.then(|| link("/settings/pauses", "Pause", on_pauses))}
                        </nav>
                        <WhoAmI tenant person can_switch on_sessions on_clients />
                    }
                })}
        </header>
    }
}

#[component]
fn WhoAmI(tenant: TenantId, person: Person, can_switch: bool, on_sessions: bool, on_clients: bool) -> impl IntoView {
    let roles: Vec<String> = person.roles.iter().map(|role| role.label().to_lowercase()).collect();
    view! {
        <div class="who">
            <span class="tenant">
                <span class="unseen">"Tenant "</span>
                {tenant.to_string()}
                {can_switch.then(|| view! { " " <a href="/auth/tenant">"Switch"</a> })}
            </span>
            <span class="person" title=PlainText::from(person.email.as_str())>
                <bdi>{person.name}</bdi>
                " "
                <span class="quiet">{roles.join(", ")}</span>
            </span>
            <a href="/settings/clients" aria-current=on_clients.then_some("page")>
                "Clients"
            </a>
            <a href="/settings/sessions" aria-current=on_sessions.then_some("page")>
                "Sessions"
            </a>
            <form method="post" action="/logout">
                <button type="submit" class="button small">
                    "Sign out"
                </button>
            </form>
        </div>
    }
}
