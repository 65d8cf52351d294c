//! Rate limits, and the responses to requests beyond them.

use crate::support::{Answer, Browser, Service};
use loopiq::domain::Role;
use loopiq_server::net::{Rate, RateLimits, RequestSettings, TrustedProxies};
use reqwest::Method;

fn settings(anonymous: &str, person: &str, client: &str) -> RequestSettings {
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    RequestSettings {
        rate_limits: RateLimits::new(rate(anonymous), rate(person), rate(client)),
        ..RequestSettings::default()
    }
}

/// Sends requests until the first response 429, and returns the number of requests before it.
async fn until_refused(max: usize, mut send: impl AsyncFnMut() -> Answer) -> Option<(usize, Answer)> {
    for n in 0..max {
        let answer = send().await;
        if answer.status == 429 {
            let wait: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
            return Some((n, answer));
        }
    }
    None
}

#[tokio::test]
async fn the_defaults_stop_a_flood_and_allow_an_office() {
    let service = Service::start().await;
    // Sixty people of one office sign in at once.
    let mut one = service.signed_in("reviewer@acme.example").await;
    for _ in 0..170 {
        assert_eq!(service.browser().get("/login").await.status, 303);
    }
    let (n, answer) = until_refused(1_000, async || service.browser().get("/login").await)
        .await
        .expect("a flood of sign-ins");
    assert!(n < 500, "{n}");
    assert!(
        answer.text.contains("Too many requests") && answer.text.contains("Status 429"),
        "{}",
        answer.text
    );
    // Requests with a session from the same address are not limited.
    for path in ["/", "/favicon.svg", "/audit", "/", "/healthz", "/readyz"] {
        assert!(matches!(one.get(path).await.status, 200 | 403), "{path}");
    }
    for _ in 0..500 {
        assert_eq!(service.browser().get("/healthz").await.status, 200);
        assert_eq!(service.browser().get("/favicon.svg").await.status, 200);
    }
}

fn call(browser: &Browser, token: &str) -> reqwest::RequestBuilder {
    browser
        .program(Method::POST, "/mcp")
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .body("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}")
}

#[tokio::test]
async fn wrong_tokens_and_valid_tokens_have_separate_limits() {
    let service = Service::with(settings("60/20", "off", "60/30")).await;
    let mut browser = service.browser();
    let (n, answer) = until_refused(500, async || {
        let request = call(&browser, "wrong");
        browser.send(request).await
    })
    .await
    .expect("a flood of wrong tokens");
    assert!((20..30).contains(&n), "{n}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(problem["status"], 429);

    // From the same address, with a valid token.
    service.assert_roles("reviewer@acme.example", &[Role::Developer]).await;
    let token = service.token("reviewer@acme.example").await;
    let mut agent = service.browser();
    let (n, answer) = until_refused(500, async || {
        let request = call(&agent, &token);
        agent.send(request).await
    })
    .await
    .expect("a flood of calls");
    assert!((30..40).contains(&n), "{n}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let metrics = browser.get("/metrics").await.text;
    assert!(
        metrics.contains("loopiq_rate_limited_total{whose=\"client\"}"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_person_has_one_limit_in_all_their_browsers() {
    let service = Service::with(settings("off", "60/20", "off")).await;
    let mut one = service.signed_in("reviewer@acme.example").await;
    let mut two = service.signed_in("reviewer@acme.example").await;
    let mut other = service.signed_in("lead@acme.example").await;
    for _ in 0..10 {
        assert_eq!(one.get("/").await.status, 200);
    }
    let (n, page) = until_refused(100, async || two.get("/").await)
        .await
        .expect("a flood of pages");
    assert!((10..20).contains(&n), "{n}");
    assert!(
        page.text.contains("Wait ") && page.text.contains("<h1>"),
        "{}",
        page.text
    );
    let sent = one
        .send(one.program(Method::POST, "/do/execute").form(&[("id", "x")]))
        .await;
    assert_eq!(sent.status, 429);
    // The outcome tells an island that the action was refused.
    let outcome: serde_json::Value = serde_json::from_str(&sent.text).unwrap();
    assert_eq!(outcome["done"], false);
    assert!(
        outcome["message"].as_str().unwrap().contains("nothing was changed"),
        "{outcome}"
    );
    assert_eq!(other.get("/").await.status, 200);
}

#[tokio::test]
async fn behind_a_proxy_each_client_has_its_own_limit_and_cannot_forge_an_address() {
    let proxies = TrustedProxies::new(vec!["127.0.0.1/32".parse().unwrap()]);
    let service = Service::with(RequestSettings {
        proxies,
        ..settings("60/10", "off", "off")
    })
    .await;
    let from = async |list: &str| {
        let mut browser = service.browser();
        let request = browser.request(Method::GET, "/login").header("x-forwarded-for", list);
        browser.send(request).await
    };
    // An address that the client has written is to the left of the proxy's.
    let mut n = 0;
    let met = until_refused(100, async || {
        n += 1;
        from(&format!("203.0.113.{n}, 198.51.100.7")).await
    });
    assert!(met.await.is_some_and(|(n, _)| n < 20));
    assert_eq!(from("198.51.100.8").await.status, 303);
    for n in 0..100 {
        assert_eq!(
            from(&format!("192.0.2.{n}")).await.status,
            303,
            "each is another client"
        );
    }
    // Addresses of one IPv6 /64 share a limit.
    let mut n = 0;
    let met = until_refused(100, async || {
        n += 1;
        from(&format!("2001:db8::{n:x}")).await
    });
    assert!(met.await.is_some_and(|(n, _)| n < 20));

    // Without a trusted proxy the header is ignored.
    let service = Service::with(settings("60/10", "off", "off")).await;
    let mut n = 0;
    let met = until_refused(100, async || {
        n += 1;
        let mut browser = service.browser();
        let request = browser.request(Method::GET, "/login");
        browser
            .send(request.header("x-forwarded-for", format!("192.0.2.{n}")))
            .await
    });
    assert!(met.await.is_some_and(|(n, _)| n < 20));
}
