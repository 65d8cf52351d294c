//! Actions over the API: proposals of programs, and what people read and decide in their session.

use crate::evidence_api::{PAY, problem};
use crate::support::{Answer, Browser, Service};
use loopiq_server::net::{Rate, RateLimits, RequestSettings};
use reqwest::Method;
use serde_json::{Value, json};

const ACTIONS: &str = "/api/v1/actions";

/// Sends JSON by session, from a page of the service.
async fn send(person: &mut Browser, path: &str, body: &Value) -> Answer {
    let request = person
        .program(Method::POST, path)
        .header("sec-fetch-site", "same-origin")
        .json(body);
    person.send(request).await
}

/// Sends a proposal with this idempotency key.
async fn propose(service: &Service, token: &str, key: &str, body: &Value) -> Answer {
    let mut browser = service.browser();
    let request = browser.program(Method::POST, ACTIONS).bearer_auth(token).json(body);
    browser.send(request.header("idempotency-key", key)).await
}

async fn get(service: &Service, token: &str, path: &str) -> Answer {
    let mut browser = service.browser();
    let request = browser.program(Method::GET, path).bearer_auth(token);
    browser.send(request).await
}

fn parsed(answer: &Answer) -> Value {
    assert!((200..300).contains(&answer.status), "{} {}", answer.status, answer.text);
    assert_eq!(answer.header("content-type"), "application/json");
    serde_json::from_str(&answer.text).unwrap()
}

/// A story for the release of the catalog [`PAY`].
async fn story(service: &Service) -> Value {
    let token = service.program_token("loopiq:catalog").await;
    let records = parsed(&get(service, &token, "/api/v1/catalog").await);
    let id = |kind: &str| {
        let all = records["items"].as_array().unwrap();
        all.iter().find(|record| record["kind"] == kind).unwrap()["id"].clone()
    };
    json!({ "tool": "loopiq_create_work_item", "arguments": {
        "releaseId": id("release"), "teamId": id("team"), "kind": "story", "priority": "high",
        "title": "Move the ledger's queries to prepared statements",
        "description": "The scanner found queries that are built from input.",
        "reason": "A scanner reported it for this release.",
    } })
}

/// A service with the release, a token that proposes for the lead, and a story.
async fn start() -> (Service, String, Value) {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let token = service
        .client_token("lead@acme.example", "loopiq:read loopiq:propose")
        .await;
    let story = story(&service).await;
    (service, token, story)
}

#[tokio::test]
async fn a_proposal_is_made_once_whatever_its_client_repeats() {
    let (service, token, story) = start().await;
    let mut dry = story.clone();
    dry["arguments"]["dryRun"] = json!(true);
    let preview = propose(&service, &token, "k-1", &dry).await;
    assert_eq!(
        (preview.status, parsed(&preview)["status"].clone()),
        (200, json!("dry_run"))
    );
    assert_eq!(service.database.count("actions").await, 0);

    let first = propose(&service, &token, "k-1", &story).await;
    let action = parsed(&first);
    let id = action["actionId"].as_str().unwrap();
    assert_eq!(
        (first.status, first.location()),
        (201, format!("{ACTIONS}/{id}").as_str())
    );
    assert_eq!(
        (&action["status"], &action["idempotencyKey"]),
        (&json!("pending_approval"), &json!("k-1"))
    );
    let mut same = story.clone();
    same["arguments"]["idempotencyKey"] = json!("k-1");
    let again = propose(&service, &token, "k-1", &same).await;
    assert_eq!((again.status, again.location()), (200, ""));
    assert_eq!(parsed(&again)["actionId"], id);

    let mut other = story.clone();
    other["arguments"]["title"] = json!("Something else under the same key");
    let conflict = propose(&service, &token, "k-1", &other).await;
    assert_eq!(
        (problem(&conflict).0, problem(&conflict).1.as_str()),
        (409, "idempotency_conflict")
    );
    assert!(conflict.text.contains(id), "{}", conflict.text);
    assert_eq!(service.database.count("actions").await, 1);

    let read = get(&service, &token, first.location()).await;
    let shown = parsed(&read);
    assert_eq!(
        (&shown["actionId"], &shown["status"], &shown["questions"]),
        (&json!(id), &json!("pending_approval"), &json!([]))
    );
    assert!(shown.get("view").is_none(), "a client decides nothing");
    let mut browser = service.browser();
    let request = browser.program(Method::GET, first.location()).bearer_auth(&token);
    let known = browser.send(request.header("if-none-match", read.header("etag"))).await;
    assert_eq!(
        (known.status, known.text.as_str(), known.header("etag")),
        (304, "", read.header("etag"))
    );

    let listed = parsed(&get(&service, &token, &format!("{ACTIONS}?status=pending_approval")).await);
    assert_eq!(
        (listed["items"].as_array().unwrap().len(), &listed["items"][0]["id"]),
        (1, &json!(id))
    );
    assert_eq!(
        parsed(&get(&service, &token, &format!("{ACTIONS}?status=failed")).await)["items"],
        json!([])
    );
    assert_eq!(
        parsed(&get(&service, &token, &format!("{ACTIONS}?cursor=actions:{id}")).await)["items"],
        json!([])
    );
}

#[tokio::test]
async fn a_person_decides_what_the_api_has_shown() {
    let (service, token, story) = start().await;
    let action = parsed(&propose(&service, &token, "k-1", &story).await)["actionId"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("{ACTIONS}/{action}");
    let mut reviewer = service.signed_in("reviewer@acme.example").await;
    for query in ["", "?mine=true", "?status=pending_approval&text=ledger"] {
        let listed = parsed(&reviewer.get(&format!("{ACTIONS}{query}")).await);
        assert_eq!(listed["items"][0]["id"], action.as_str(), "{query}: {listed}");
        assert_eq!(listed["items"][0]["proposer"], "Name of lead@acme.example via Probe");
    }
    assert_eq!(
        parsed(&reviewer.get(&format!("{ACTIONS}?text=nothing")).await)["items"],
        json!([])
    );

    // Without a view, an approval is refused.
    let digest = json!({ "digest": parsed(&propose(&service, &token, "k-1", &story).await)["digest"], "view": "" });
    let blind = send(&mut reviewer, &format!("{path}/approve"), &digest).await;
    assert_eq!(problem(&blind).1, "not_opened");
    assert_eq!(service.database.count("page_views").await, 0);

    let read = reviewer.get(&path).await;
    let shown = parsed(&read);
    assert_eq!(service.database.count("page_views").await, 1, "the visit is recorded");
    assert!(
        shown["can"]["approve"] == true && shown["digest"] == digest["digest"],
        "{shown}"
    );
    let request = reviewer
        .program(Method::GET, &path)
        .header("if-none-match", read.header("etag"));
    assert_eq!(reviewer.send(request).await.status, 304);
    let marks: Vec<&Value> = shown["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["acknowledge"] == true)
        .map(|check| &check["mark"])
        .collect();
    let approval = json!({ "digest": shown["digest"], "view": shown["view"], "acknowledged": marks });

    // A form of another site approves nothing, and neither does another person with this view.
    for origin in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = reviewer
            .program(Method::POST, &format!("{path}/approve"))
            .json(&approval);
        let answer = reviewer.send(request.header(origin.0, origin.1)).await;
        assert_eq!(problem(&answer).0, 403, "{origin:?}");
    }
    let mut wrong = approval.clone();
    wrong["digest"] = json!("sha256:0");
    assert_eq!(
        problem(&send(&mut reviewer, &format!("{path}/approve"), &wrong).await).1,
        "digest_mismatch"
    );
    let mut other = service.signed_in("reviewer@acme.example").await;
    let stolen = send(&mut other, &format!("{path}/approve"), &approval).await;
    assert_eq!(stolen.status, 422, "{}", stolen.text);
    let early = send(
        &mut reviewer,
        &format!("{path}/execute"),
        &json!({ "view": shown["view"] }),
    )
    .await;
    assert!(problem(&early).0 >= 400);

    let approved = parsed(&send(&mut reviewer, &format!("{path}/approve"), &approval).await);
    assert_eq!(approved["status"], "approved", "{approved}");
    let again = parsed(&send(&mut reviewer, &format!("{path}/approve"), &approval).await);
    assert_eq!(again["status"], "approved", "the same approval gets the same response");
    let view = parsed(&reviewer.get(&path).await)["view"].clone();
    let executed = parsed(&send(&mut reviewer, &format!("{path}/execute"), &json!({ "view": view })).await);
    assert_eq!(executed["status"], "executed", "{executed}");
    let late = send(
        &mut reviewer,
        &format!("{path}/reject"),
        &json!({ "digest": shown["digest"], "reason": "Too late." }),
    )
    .await;
    assert_eq!(problem(&late).1, "already_decided");
    assert_eq!(parsed(&get(&service, &token, &path).await)["status"], "executed");
    assert_eq!(service.database.count("work_items").await, 1);
}

#[tokio::test]
async fn a_rejection_tells_the_agent_why() {
    let (service, token, story) = start().await;
    let action = parsed(&propose(&service, &token, "k-1", &story).await);
    let path = format!("{ACTIONS}/{}", action["actionId"].as_str().unwrap());
    let mut reviewer = service.signed_in("reviewer@acme.example").await;
    let mut rejection =
        json!({ "digest": action["digest"], "reasonCodes": ["no-code"], "reason": "It is done already." });
    let refused = send(&mut reviewer, &format!("{path}/reject"), &rejection).await;
    assert!(refused.text.contains("/reasonCodes/0"), "{}", refused.text);
    rejection["reasonCodes"] = json!(["duplicates"]);
    assert_eq!(
        parsed(&send(&mut reviewer, &format!("{path}/reject"), &rejection).await)["status"],
        "rejected"
    );
    let shown = parsed(&get(&service, &token, &path).await);
    assert_eq!(
        (&shown["status"], &shown["reasonCodes"]),
        (&json!("rejected"), &json!(["duplicates"]))
    );
    let again = propose(&service, &token, "k-2", &story).await;
    assert_eq!(problem(&again).1, "rejected_before");
}

#[tokio::test]
async fn no_token_decides_and_no_session_proposes() {
    let (service, token, story) = start().await;
    let action = parsed(&propose(&service, &token, "k-1", &story).await);
    let path = format!("{ACTIONS}/{}", action["actionId"].as_str().unwrap());
    let decisions = [
        ("approve", json!({ "digest": action["digest"], "view": "x" })),
        ("reject", json!({ "digest": action["digest"], "reason": "No." })),
        ("execute", json!({ "view": "x" })),
    ];
    let program = service.program_token("loopiq:import loopiq:catalog loopiq:audit").await;
    let every = "loopiq:read loopiq:propose loopiq:import loopiq:catalog loopiq:audit";
    let client = service.client_token("reviewer@acme.example", every).await;
    let mut reviewer = service.signed_in("reviewer@acme.example").await;
    for (what, body) in &decisions {
        for token in [&token, &program, &client] {
            // Also next to the session of a person who may.
            let request = reviewer
                .program(Method::POST, &format!("{path}/{what}"))
                .bearer_auth(token)
                .json(body);
            let answer = reviewer.send(request.header("sec-fetch-site", "same-origin")).await;
            assert_eq!(problem(&answer).1, "not_authorized", "{what}");
        }
        for email in ["auditor@acme.example", "operator@acme.example"] {
            let mut other = service.signed_in(email).await;
            let answer = send(&mut other, &format!("{path}/{what}"), body).await;
            assert_eq!(problem(&answer).1, "not_authorized", "{what} {email}");
        }
        let mut nobody = service.browser();
        let answer = send(&mut nobody, &format!("{path}/{what}"), body).await;
        assert_eq!(problem(&answer).0, 401, "{what}");
    }
    let request = reviewer
        .program(Method::POST, ACTIONS)
        .header("idempotency-key", "k")
        .json(&story);
    let answer = reviewer.send(request.header("sec-fetch-site", "same-origin")).await;
    let (status, code, detail) = problem(&answer);
    assert!(
        status == 403 && code == "not_authorized" && detail.contains("People decide"),
        "{detail}"
    );
    assert_eq!(
        problem(&propose(&service, &program, "k", &story).await).1,
        "not_authorized"
    );
    let reader = service.client_token("lead@acme.example", "loopiq:read").await;
    let answer = propose(&service, &reader, "k", &story).await;
    assert_eq!(problem(&answer).1, "insufficient_scope");
    assert!(
        answer
            .header("www-authenticate")
            .contains("scope=\"loopiq:read loopiq:propose\"")
    );
    for path in [ACTIONS, path.as_str()] {
        assert_eq!(
            problem(&get(&service, &program, path).await).1,
            "not_authorized",
            "{path}"
        );
        assert_eq!(
            service
                .browser()
                .program(Method::GET, path)
                .send()
                .await
                .unwrap()
                .status(),
            401
        );
    }
    assert_eq!(
        service.database.count("actions WHERE state = 'pending_approval'").await,
        1
    );
}

#[tokio::test]
async fn an_action_of_others_is_like_one_that_does_not_exist() {
    let (service, token, story) = start().await;
    let action = parsed(&propose(&service, &token, "k-1", &story).await);
    let id = action["actionId"].as_str().unwrap();
    service.create_tenant("globex", "Globex").await;
    // The client of another person in this tenant, and a person of another tenant.
    let other = service.client_token("reviewer@acme.example", "loopiq:read").await;
    let mut foreign = service.browser();
    foreign.sign_in("both@many.example", "/login").await;
    foreign.post("/auth/tenant", &[("tenant", "globex")]).await;
    assert_eq!(foreign.get("/").await.status, 200);
    let absent = format!("{}0", &id[..id.len() - 1]).replace("act_0", "act_1");
    let bodies = [
        ("/approve", json!({ "digest": action["digest"], "view": "x" })),
        ("/reject", json!({ "digest": action["digest"], "reason": "No." })),
        ("/execute", json!({ "view": "x" })),
    ];
    for other_id in ["nothing", "act_", "%FF", "..%2F..", absent.as_str(), id] {
        let answer = get(&service, &other, &format!("{ACTIONS}/{other_id}")).await;
        assert_eq!(problem(&answer).1, "not_found", "{other_id}");
        let answer = foreign.get(&format!("{ACTIONS}/{other_id}")).await;
        assert_eq!(problem(&answer).1, "not_found", "{other_id}");
        for (what, body) in &bodies {
            let answer = send(&mut foreign, &format!("{ACTIONS}/{other_id}{what}"), body).await;
            assert_eq!(problem(&answer).1, "not_found", "{other_id} {what}: {}", answer.text);
        }
    }
    assert_eq!(parsed(&foreign.get(ACTIONS).await)["items"], json!([]));
    assert_eq!(parsed(&get(&service, &other, ACTIONS).await)["items"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let (service, token, story) = start().await;
    let mut browser = service.browser();
    let post = |browser: &Browser, kind: &str, body: &str| {
        let request = browser
            .program(Method::POST, ACTIONS)
            .bearer_auth(&token)
            .header("idempotency-key", "k");
        request.header("content-type", kind).body(body.to_owned())
    };
    let text = story.to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/cbor"] {
        let request = post(&browser, kind, &text);
        assert_eq!(
            problem(&browser.send(request).await).1,
            "unsupported_media_type",
            "{kind}"
        );
    }
    for (body, says) in [
        ("", "The body is not valid"),
        ("{", "The body is not valid"),
        ("[]", "The body is not valid"),
        (
            "{\"tool\":\"x\",\"tool\":\"y\",\"arguments\":{}}",
            "The body is not valid",
        ),
        ("{\"tool\":\"x\"}", "missing field `arguments`"),
        ("{\"tool\":\"x\",\"arguments\":{},\"more\":1}", "unknown field `more`"),
        ("{\"tool\":\"x\",\"arguments\":[]}", "/arguments: must be an object"),
        (
            "{\"tool\":\"loopiq_withdraw_action\",\"arguments\":{}}",
            "/tool: There is no tool",
        ),
        ("{\"tool\":\"loopiq_create_work_item\",\"arguments\":{}}", "/arguments"),
        (
            "{\"tool\":\"loopiq_create_work_item\",\"arguments\":{\"idempotencyKey\":\"j\"}}",
            "/arguments/idempotencyKey: differs",
        ),
        ("{\"tool\":\"\\u0000\",\"arguments\":{}}", "/tool"),
    ] {
        let request = post(&browser, "application/json; charset=utf-8", body);
        let (status, _, detail) = problem(&browser.send(request).await);
        assert!(status == 400 && detail.contains(says), "{body}: {status} {detail}");
    }
    let large = format!("{{\"tool\":\"{}\",\"arguments\":{{}}}}", "x".repeat(1 << 20));
    let request = post(&browser, "application/json", &large);
    assert_eq!(problem(&browser.send(request).await).1, "too_large");
    // The pointers are those of the body.
    let mut wrong = story.clone();
    wrong["arguments"]["title"] = json!("");
    let answer = propose(&service, &token, "k", &wrong).await;
    let fields: Value = serde_json::from_str::<Value>(&answer.text).unwrap()["fields"].clone();
    assert_eq!(fields[0]["pointer"], "/arguments/title", "{fields}");
    for keys in [&[][..], &["k", "l"], &["\u{e9}"]] {
        let mut request = browser.program(Method::POST, ACTIONS).bearer_auth(&token).json(&story);
        for key in keys {
            request = request.header("idempotency-key", *key);
        }
        let (status, _, detail) = problem(&browser.send(request).await);
        assert!(
            status == 400 && detail.contains("Idempotency-Key"),
            "{keys:?}: {detail}"
        );
    }
    let mut reviewer = service.signed_in("reviewer@acme.example").await;
    for query in [
        "status=open",
        "mine=1",
        "cursor=x",
        "cursor=-1",
        "page=2",
        "mine=true&status=failed",
        "text=%00",
    ] {
        let answer = reviewer.get(&format!("{ACTIONS}?{query}")).await;
        assert_eq!(problem(&answer).0, 400, "{query}: {}", answer.text);
    }
    for query in ["mine=true", "text=x", "release=x", "team=x", "cursor=x"] {
        let answer = get(&service, &token, &format!("{ACTIONS}?{query}")).await;
        assert_eq!(problem(&answer).0, 400, "{query}: {}", answer.text);
    }
    let request = browser.program(Method::DELETE, ACTIONS).bearer_auth(&token);
    assert_eq!(problem(&browser.send(request).await).1, "method_not_allowed");
    assert_eq!(service.database.count("actions").await, 0);
}

#[tokio::test]
async fn the_rate_limits_of_people_and_programs_hold() {
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    let service = Service::with(RequestSettings {
        rate_limits: RateLimits::new(rate("600/100"), rate("60/40"), rate("60/40")),
        ..RequestSettings::default()
    })
    .await;
    let token = service.client_token("lead@acme.example", "loopiq:read").await;
    let mut reviewer = service.signed_in("reviewer@acme.example").await;
    let (mut of_token, mut of_person, mut of_nobody) = (0, 0, 0);
    for _ in 0..150 {
        let answers = [
            get(&service, &token, ACTIONS).await,
            reviewer.get(ACTIONS).await,
            get(&service, "wrong", ACTIONS).await,
        ];
        for (answer, count) in answers.into_iter().zip([&mut of_token, &mut of_person, &mut of_nobody]) {
            if answer.status == 429 {
                *count += 1;
                assert_eq!(problem(&answer).1, "too_many_requests");
                assert!(answer.header("retry-after").parse::<u64>().is_ok());
            }
        }
    }
    assert!(
        of_token > 50 && of_person > 50 && of_nobody > 10,
        "{of_token} {of_person} {of_nobody}"
    );
}
