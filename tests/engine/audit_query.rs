//! The query language of the audit search: what people paste is found, and what cannot be searched is an error at its place.

use crate::world::{World, text};
use loopiq::context::Ctx;
use loopiq::domain::{ReleaseId, TeamId, WorkItem, WorkItemId};
use loopiq::engine::Error;
use loopiq::views::{AuditForm, AuditPage};
use serde_json::json;

async fn page(world: &World, q: &str) -> AuditPage {
    let auditor = world.person("auditor");
    world.engine.search_audit(&auditor, q, "").await.expect("a page")
}

/// The events of the entries that the query finds, oldest first.
async fn events(world: &World, q: &str) -> Vec<String> {
    let page = page(world, q).await;
    assert!(page.errors.is_empty(), "{q}: {:?}", page.errors);
    page.rows.into_iter().rev().map(|row| row.event).collect()
}

/// The first error of the query, as `position+length message`.
async fn error(world: &World, q: &str) -> String {
    let page = page(world, q).await;
    assert!(page.rows.is_empty(), "{q} was searched all the same");
    let fault = page.errors.first().unwrap_or_else(|| panic!("{q} has no error"));
    format!("{}+{} {}", fault.at, fault.length, fault.message)
}

/// A story with this idempotency key, title and reason: the ID of its action.
async fn story(world: &World, key: &str, title: &str, reason: &str) -> String {
    let arguments = json!({
        "idempotencyKey": key, "reason": format!("{reason} Evidence {} asks for it.", world.acme.evidence),
        "releaseId": world.acme.release, "teamId": world.acme.team, "kind": "story", "title": title,
        "description": "d", "priority": "low", "evidenceIds": [world.acme.evidence],
    });
    let tool = "loopiq_create_work_item";
    let answer = world
        .engine
        .call_tool(&world.client("developer"), tool, arguments)
        .await;
    text(&answer.expect("a proposal").structured, "actionId")
}

#[tokio::test]
async fn operators_combine_conditions() {
    let world = World::new().await;
    story(&world, "k1", "Parameterize the login query", "An injection was found.").await;
    story(&world, "k2", "Escape the search page", "Markup reaches the page.").await;
    let proposed = "event:action.proposed";
    for (q, count) in [
        (format!("{proposed} (parameterize OR escape)"), 2),
        (format!("{proposed} AND parameterize"), 1),
        (format!("{proposed} parameterize escape"), 0),
        (format!("{proposed} -parameterize"), 1),
        (format!("{proposed} NOT (parameterize OR escape)"), 0),
        (format!("{proposed} \"login query\""), 1),
        (format!("{proposed} \"query login\""), 0),
        (format!("{proposed} query login"), 1),
        (format!("{proposed} -(escape -markup)"), 2),
        ("key:k1 OR key:k2".to_owned(), 2),
    ] {
        assert_eq!(events(&world, &q).await.len(), count, "{q}");
    }
    let all = page(&world, "").await.rows.len();
    let others = events(&world, "-event:action.proposed").await;
    assert_eq!(others.len(), all - 2, "a query that only excludes");
    assert!(!others.is_empty() && !others.iter().any(|event| event == "action.proposed"));
}

#[tokio::test]
async fn what_people_paste_is_found() {
    let world = World::new().await;
    let (id, digest) = world.proposed("release-7/K1 a").await;
    world.story(1).await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let reviewer = world.acme.person("reviewer").id;
    let of_action = events(&world, &format!("action:{id}")).await;
    assert!(
        of_action.len() >= 2 && of_action.contains(&"action.approved".to_owned()),
        "{of_action:?}"
    );
    for q in [
        id.clone(),
        id.to_uppercase(),
        format!("https://loopiq.example/actions/{id}"),
        format!("http://127.0.0.1:8080/actions/{id}?step=2#preview"),
        format!("/actions/{id}"),
        format!("\"{id}\""),
    ] {
        assert_eq!(events(&world, &q).await, of_action, "{q}");
    }
    for (q, event) in [
        ("reviewer@acme.example".to_owned(), "action.approved"),
        (reviewer.to_string(), "action.approved"),
        ("\"release-7/k1 a\"".to_owned(), "action.proposed"),
        ("SHOP-1".to_owned(), "action.approved"),
        ("loopiq_create_remediation_work_package".to_owned(), "action.proposed"),
        ("tool:create_work_item".to_owned(), "action.proposed"),
        ("\"login.ts:34\"".to_owned(), "action.proposed"),
        ("person:reviewer Event:action.approved".to_owned(), "action.approved"),
    ] {
        let found = events(&world, &q).await;
        assert!(found.iter().any(|found| found == event), "{q}: {found:?}");
    }
    let unquoted = error(&world, "login.ts:34").await;
    assert!(
        unquoted.starts_with("0+8 Unknown field \"login.ts\"") && unquoted.ends_with("\"login.ts:34\"."),
        "{unquoted}"
    );
    let elsewhere = error(&world, "https://loopiq.example/inbox").await;
    assert!(elsewhere.starts_with("0+5 Unknown field \"https\""), "{elsewhere}");
}

#[tokio::test]
async fn the_key_of_a_record_finds_what_its_id_finds() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let finding = world.acme.finding.to_string();
    let by_id = events(&world, &format!("record:{finding}")).await;
    assert!(by_id.contains(&"action.proposed".to_owned()), "{by_id:?}");
    for q in ["record:FND-1", "record:fnd-1", "record:FND-1 OR key:none"] {
        let by_key = events(&world, q).await;
        assert!(
            by_id.iter().all(|event| by_key.contains(event)),
            "{q}: {by_key:?} and {by_id:?}"
        );
    }
    let others = events(&world, "-record:FND-1").await;
    assert!(!others.contains(&"action.proposed".to_owned()), "{others:?}");
    assert!(!events(&world, "record:AC-3").await.is_empty(), "a control");
    assert!(!events(&world, "record:BLK-1").await.is_empty(), "a blocker");
    assert_eq!(events(&world, "record:FND-999").await.len(), 0);
    assert_eq!(events(&world, "record:WI-99999999999999999999").await.len(), 0);
    // A key of another tenant is no key here.
    let stranger = world.person_of(&world.globex, "auditor");
    let page = world
        .engine
        .search_audit(&stranger, &format!("record:{finding}"), "")
        .await;
    assert!(page.expect("a page").rows.is_empty());
}

#[tokio::test]
async fn texts_without_spaces_and_other_forms_of_letters_are_found() {
    let world = World::new().await;
    story(&world, "k1", "Rotate one", "修复登录页面的SQL注入漏洞，更换签名密钥。").await;
    story(&world, "k2", "Escape two", "東京の検索を修正する。แก้ไขช่องโหว่การค้นหา").await;
    story(
        &world,
        "k3",
        "Compile three",
        "Re\u{301}sume\u{301} of the C++ and ＳＱＬ parser, plan x.",
    )
    .await;
    for (q, key) in [
        ("签名密钥", "k1"),
        ("注入", "k1"),
        ("SQL注入", "k1"),
        ("\"登录 sql\"", ""),
        ("密", "k1"),
        ("東京の検索", "k2"),
        ("検索", "k2"),
        ("ช่องโหว่", "k2"),
        ("résumé", "k3"),
        ("RÉSUMÉ sql parser", "k3"),
        ("C++", "k3"),
        ("c++ -c#", "k3"),
        ("C#", ""),
        ("event:action.proposed \"plan x\"", "k3"),
        ("注登", ""),
    ] {
        let found = events(&world, q).await;
        let expected = if key.is_empty() {
            Vec::new()
        } else {
            events(&world, &format!("key:{key}")).await
        };
        assert_eq!(found, expected, "{q}");
        if !key.is_empty() {
            assert_eq!(
                events(&world, &format!("({q}) -key:{key}")).await.len(),
                0,
                "{q} finds others too"
            );
        }
    }
}

#[tokio::test]
async fn similar_titles_are_found_in_scripts_without_spaces_and_in_other_forms() {
    let world = World::new().await;
    let (release, team): (ReleaseId, TeamId) = (world.acme.release.clone(), world.acme.team.clone());
    let ids: [WorkItemId; 2] = std::array::from_fn(|_| world.engine.runtime().id());
    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let inserted = ids.clone();
    let written = world.engine.store().write::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move {
            for (id, title) in inserted.iter().zip(["修复登录页面的注入漏洞", "Vérifier les clés"]) {
                tx.insert_work_item(&WorkItem::new(id, &release, &team, title)).await?;
            }
            Ok(())
        })
    });
    written.await.expect("written");
    for (title, id) in [
        ("修复登录页面注入漏洞", &ids[0]),
        ("Ve\u{301}rifier les cle\u{301}s", &ids[1]),
        ("ＶÉＲＩＦＩＥＲ LES CLÉS", &ids[1]),
    ] {
        let arguments = json!({ "title": title });
        let tool = "loopiq_find_similar_work_items";
        let answer = world
            .engine
            .call_tool(&world.client("developer"), tool, arguments)
            .await;
        let items = answer.expect("items").structured["items"].clone();
        assert_eq!(items[0]["id"], json!(id), "{title}: {items}");
        assert!(
            items[0]["score"].as_f64().is_some_and(|score| score > 0.7),
            "{title}: {items}"
        );
    }
}

#[tokio::test]
async fn what_says_nothing_or_is_unknown_is_an_error_at_its_place() {
    let world = World::new().await;
    world.proposed("k1").await;
    for (q, expected) in [
        ("!!!", "0+3 \"!!!\" has no letter and no digit"),
        ("x \"\"", "2+2 There is nothing between these quotation marks."),
        ("🔑", "0+1 \"🔑\" has no letter"),
        (
            "state:pending",
            "6+7 There is no state \"pending\". Did you mean state:pending_approval?",
        ),
        (
            "event:approve",
            "6+7 There is no event \"approve\". Did you mean event:action.approved",
        ),
        (
            "tool:create_work_items",
            "5+17 There is no tool \"create_work_items\". Did you mean tool:loopiq_create_work_item",
        ),
        ("Tool:", "0+5 tool: needs a value"),
        ("a OR", "4+0 A condition is missing at the end."),
        ("((a)", "0+1 This parenthesis is never closed."),
    ] {
        let found = error(&world, q).await;
        assert!(found.starts_with(expected), "{q}: {found}");
    }
    let parentheses = error(&world, &"(".repeat(10_000)).await;
    assert!(parentheses.starts_with("4000+1 "), "{parentheses}");
    assert_eq!(events(&world, "event:Proposed").await, ["action.proposed"], "a label");
    assert_eq!(page(&world, "!!! perso:a state:x").await.errors.len(), 3);
    let hostile = error(&world, "a\u{202E}:x").await;
    assert!(
        hostile.contains("⟦U+202E⟧") && !hostile.contains('\u{202E}'),
        "{hostile}"
    );
}

#[tokio::test]
async fn days_are_inclusive_and_times_without_a_zone_are_in_utc() {
    let world = World::new().await;
    world.proposed("k1").await;
    let auditor = world.person("auditor");
    let at = page(&world, "key:k1").await.rows[0].at.exact.clone();
    let (day, minute): (String, String) = (at[..10].to_owned(), at[..16].to_owned());
    let form = |q: &str, from: &str, to: &str| AuditForm {
        q: q.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    let count = async |form: AuditForm| {
        let page = world.engine.audit_page(&auditor, &form, "").await.expect("a page");
        assert!(page.errors.is_empty(), "{form:?}: {:?}", page.errors);
        page.rows.len()
    };
    assert_eq!(count(form("key:k1", &day, &day)).await, 1);
    assert_eq!(
        count(form("key:k1 OR key:none", "", "2026-01-01")).await,
        0,
        "the days restrict the whole query"
    );
    assert!(count(form("", &day, &day)).await > 1);
    assert_eq!(count(form("", "", "2026-01-01")).await, 0);
    for (q, expected) in [
        (format!("key:k1 from:{day} to:{day}"), 1),
        (format!("key:k1 before:{day}"), 0),
        (format!("key:k1 from:{minute} to:{minute}"), 1),
        (format!("key:k1 from:{minute}Z"), 1),
        (format!("key:k1 NOT after:{day}"), 0),
        (format!("key:k1 (before:2026-01-01 OR after:{day})"), 1),
    ] {
        assert_eq!(events(&world, &q).await.len(), expected, "{q}");
    }
    for (form, field) in [
        (form("", "yesterday", ""), "from"),
        (form("", "", "2026-02-30"), "to"),
        (form("", &day, "2026-01-01"), "to"),
        (form("(", "", ""), "q"),
    ] {
        let page = world.engine.audit_page(&auditor, &form, "").await.expect("a page");
        let fields: Vec<&str> = page.errors.iter().map(|fault| fault.field).collect();
        assert_eq!((fields, page.rows.len()), (vec![field], 0), "{form:?}");
    }
}
