//! The authorization matrix: every endpoint of the service as every kind of caller, compared with the table of permissions; and foreign IDs
//! compared with absent ones.

mod callers;
mod endpoint;
mod records;
mod responses;
mod routes;
mod table;

use crate::support::Service;
use callers::{Caller, Verdict, everybody};
use endpoint::{Access, Endpoint};
use loopiq_server::net::{Rate, RateLimits, RequestSettings};
use loopiq_server::pages::{function_paths, page_paths};
use records::Records;
use reqwest::Method;
use responses::{comparable, is_well_formed, result, verdict};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A service with a record of each kind in the tenants `acme` and `globex`, and its routes.
struct World {
    service: Service,
    routes: BTreeSet<String>,
    own: Records,
    foreign: Records,
    absent: Records,
}

async fn world() -> World {
    let settings = RequestSettings {
        rate_limits: RateLimits::new(Rate::OFF, Rate::OFF, Rate::OFF),
        ..RequestSettings::default()
    };
    let mut routes = BTreeSet::new();
    let service = Service::behind(settings, |router| {
        routes = routes::routes_of(&router);
        router
    })
    .await;
    service.create_tenant("globex", "Globex").await;
    let foreign = records::create(&service, "globex").await;
    let own = records::create(&service, "acme")
        .await
        .but("redirect", &registered(&service).await);
    let absent = own.absent();
    for name in Records::NAMES {
        let ids = [&own, &foreign, &absent].map(|records| records.get(name));
        let distinct: BTreeSet<&str> = ids.into_iter().collect();
        assert_eq!(
            distinct.len(),
            if name == "redirect" { 2 } else { 3 },
            "{name}: {ids:?}"
        );
        assert!(
            name == "redirect" || ids.iter().all(|id| id.len() == ids[0].len()),
            "{name}: {ids:?}"
        );
    }
    World {
        service,
        routes,
        own,
        foreign,
        absent,
    }
}

/// The ID of a client that has registered.
async fn registered(service: &Service) -> String {
    let metadata = json!({ "client_name": "Probe", "redirect_uris": ["http://127.0.0.1/callback"] });
    let request = service
        .browser()
        .program(Method::POST, "/oauth/register")
        .json(&metadata);
    let answer: Value = serde_json::from_str(&service.browser().send(request).await.text).unwrap();
    answer["client_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_endpoint_is_in_the_table() {
    let world = world().await;
    let named: BTreeSet<String> = table::endpoints()
        .iter()
        .filter(|endpoint| !endpoint.is_tool())
        .map(|endpoint| endpoint.name.to_owned())
        .collect();
    let missing: Vec<&String> = world.routes.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "say in authorization/table who may call {missing:?}"
    );
    let gone: Vec<&String> = named.difference(&world.routes).collect();
    assert!(gone.is_empty(), "no route of the router: {gone:?}");

    // The other lists are parts of the router's, so that none of them is served in another way.
    let pages = page_paths().into_iter().map(|path| format!("GET {path}"));
    let functions = function_paths().into_iter().map(|path| format!("POST {path}"));
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let operations = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        });
    let parts: Vec<String> = pages.chain(functions).chain(operations).collect();
    for part in &parts {
        assert!(world.routes.contains(part), "{part}");
    }
    assert!(parts.len() >= 50, "{parts:?}");

    let mut lists = Vec::new();
    for mut caller in everybody(&world.service).await {
        let list = Endpoint::new("POST /mcp", Access::Token).with(endpoint::Body::Mcp("tools/list", json!({})));
        let answer = list.send(&mut caller, &world.own, false).await;
        if answer.status != 200 {
            continue;
        }
        let listed: BTreeSet<String> = result(&answer)["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect();
        let tools = table::endpoints().into_iter().filter(Endpoint::is_tool);
        let allowed = tools.filter(|tool| caller.expected(tool) == Verdict::Allowed);
        let allowed: BTreeSet<String> = allowed.map(|tool| tool.name.to_owned()).collect();
        assert_eq!(
            listed, allowed,
            "{}: the list has what the caller may call",
            caller.name
        );
        lists.extend(listed);
    }
    let lists: BTreeSet<String> = lists.into_iter().collect();
    assert!(lists.len() >= 20, "{lists:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_caller_may_do_what_the_table_of_permissions_says_and_nothing_else() {
    let (world, endpoints) = (Arc::new(world().await), Arc::new(table::endpoints()));
    let callers = everybody(&world.service).await;
    let (count, people) = (endpoints.len(), callers.len());
    let mut runs = JoinSet::new();
    for caller in callers {
        runs.spawn(row(Arc::clone(&world), Arc::clone(&endpoints), caller));
    }
    let (mut wrong, mut allowed, mut refused) = (Vec::new(), 0, 0);
    while let Some(row) = runs.join_next().await {
        let row = row.unwrap();
        wrong.extend(row.wrong);
        allowed += row.allowed;
        refused += row.refused;
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let cells = count * people;
    let names: BTreeSet<&str> = endpoints.iter().map(|endpoint| endpoint.name).collect();
    eprintln!(
        "{} endpoints, {count} requests x {people} callers = {cells} cells, of which {allowed} are allowed and {refused} refused",
        names.len()
    );
    assert_eq!(refused + allowed, cells);
    assert!(
        names.len() >= 105 && people >= 44 && cells >= 5_000,
        "{} {people} {cells}",
        names.len()
    );
}

/// What one caller has met.
#[derive(Default)]
struct Row {
    allowed: usize,
    refused: usize,
    wrong: Vec<String>,
}

/// Sends every request as one caller.
async fn row(world: Arc<World>, endpoints: Arc<Vec<Endpoint>>, mut caller: Caller) -> Row {
    let mut row = Row::default();
    let tenant = caller.principal.as_ref().map_or("acme", |one| one.tenant().as_str());
    let (own, absent) = (world.own.with_tenant(tenant), world.absent.with_tenant(tenant));
    for endpoint in endpoints.iter() {
        if endpoint.ends_session
            && let Some(email) = caller.can_sign_in_again()
        {
            caller.browser = world.service.signed_in(email).await;
        }
        let records = if endpoint.exists { &own } else { &absent };
        let answer = endpoint.send(&mut caller, records, false).await;
        let (expected, found) = (caller.expected(endpoint), verdict(endpoint, &answer));
        match found {
            Verdict::Allowed => row.allowed += 1,
            _ => row.refused += 1,
        }
        if expected != found || (found == Verdict::Allowed && !is_well_formed(endpoint, &caller, &answer)) {
            let text: String = answer.text.chars().take(300).collect();
            let (name, who, status, to) = (endpoint.name, &caller.name, answer.status, answer.location());
            row.wrong
                .push(format!("{name} as {who}: {expected:?}, but {status} {to} {text}"));
        }
    }
    row
}

#[tokio::test]
async fn a_foreign_id_is_answered_like_one_that_does_not_exist() {
    let world = world().await;
    let mut callers = everybody(&world.service).await;
    callers.retain(|caller| caller.is_of("acme"));
    let (mut wrong, mut compared, mut without) = (Vec::new(), 0, Vec::new());
    for endpoint in table::endpoints() {
        let names = endpoint.records().into_iter().filter(|name| *name != "redirect");
        for name in names {
            let permitted = callers
                .iter_mut()
                .filter(|caller| caller.expected(&endpoint) == Verdict::Allowed);
            let mut asked = false;
            for caller in permitted {
                asked = true;
                for html in [false, true].into_iter().take(if endpoint.is_form() { 2 } else { 1 }) {
                    let mut answers = Vec::new();
                    for of in [&world.foreign, &world.absent] {
                        let records = world.own.but(name, of.get(name));
                        answers.push(comparable(&endpoint.send(caller, &records, html).await, of.get(name)));
                    }
                    compared += 1;
                    if answers[0] != answers[1] || answers[0].0 >= 500 || matches!(answers[0].0, 401 | 403) {
                        wrong.push(format!("{} <{name}> as {}: {answers:#?}", endpoint.name, caller.name));
                    }
                }
            }
            if !asked {
                without.push(format!("{} <{name}>", endpoint.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(without.is_empty(), "nobody may ask: {without:?}");
    eprintln!("{compared} pairs of a foreign and an absent ID");
    assert!(compared >= 350, "{compared}");
}
