//! Every route of the service's router. axum has no list of them, but its debug output names each path with its methods, so the list is
//! that of the router itself: a route cannot be forgotten here. If axum changes this output, routes are missing from the list, and the test that
//! compares it with the table of endpoints fails.

use std::collections::{BTreeMap, BTreeSet};

const METHODS: [&str; 9] = [
    "get", "head", "delete", "options", "patch", "post", "put", "trace", "connect",
];

/// `GET /login`, and so on. A route for all methods is `ANY`.
pub(super) fn routes_of(router: &axum::Router) -> BTreeSet<String> {
    let shown = format!("{router:?}");
    let (routes, _) = shown
        .split_once("fallback_router:")
        .expect("a router with its fallback");
    let (mut methods, mut paths) = (BTreeMap::new(), BTreeMap::new());
    for part in routes.split("RouteId(").skip(1) {
        let (id, rest) = part.split_once("): ").expect("a number");
        match rest.strip_prefix('"') {
            Some(path) => paths.insert(id, path.split('"').next().expect("a path").to_owned()),
            None => {
                methods.insert(id, methods_of(rest));
                None
            }
        };
    }
    assert_eq!(methods.len(), paths.len(), "{shown}");
    let named = paths.into_iter().flat_map(|(id, path)| {
        let methods = methods.remove(id).expect("the methods of a path");
        methods.into_iter().map(move |method| format!("{method} {path}"))
    });
    named.collect()
}

fn methods_of(route: &str) -> Vec<String> {
    let has = |method: &str| {
        ["Route", "BoxedHandler"]
            .iter()
            .any(|kind| route.contains(&format!(" {method}: {kind}")))
    };
    let methods: Vec<String> = METHODS
        .iter()
        .filter(|method| has(method))
        .map(|method| method.to_uppercase())
        .collect();
    match methods.is_empty() {
        true => vec!["ANY".to_owned()],
        false => methods,
    }
}

#[test]
fn each_path_is_listed_with_its_methods() {
    use axum::routing::{any, get};
    let inner = axum::Router::new().route("/two", axum::routing::post(|| async {}));
    let router = axum::Router::new()
        .route("/one/{id}", get(|| async {}).put(|| async {}))
        .route("/all/{*rest}", any(|| async {}))
        .nest("/in", inner)
        .fallback(|| async {})
        .layer(axum::middleware::from_fn(
            |request: axum::extract::Request, next: axum::middleware::Next| next.run(request),
        ));
    let routes: Vec<String> = routes_of(&router).into_iter().collect();
    assert_eq!(
        routes,
        ["ANY /all/{*rest}", "GET /one/{id}", "POST /in/two", "PUT /one/{id}"]
    );
}
