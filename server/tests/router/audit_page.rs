//! The audit search without JavaScript: a query that cannot be read, and narrowing one that has a choice.

use crate::support::Service;
use loopiq::domain::TenantId;
use loopiq::engine::Signed;

/// The attribute of the element with this ID.
fn attribute<'a>(html: &'a str, id: &str, name: &str) -> Option<&'a str> {
    let at = html.find(&format!("id=\"{id}\""))?;
    let start = html[..at].rfind('<')?;
    let tag = &html[start..start + html[start..].find('>')?];
    let value = tag.split_once(&format!(" {name}=\""))?.1;
    value.split_once('"').map(|(value, _)| value)
}

#[tokio::test]
async fn a_wrong_query_is_kept_and_its_wrong_part_is_marked() {
    let service = Service::start().await;
    let mut browser = service.signed_in("auditor@acme.example").await;
    let answer = browser.get("/audit?q=injection+perso%3Arita&from=2026-11-01").await;
    let html = answer.text;
    assert_eq!(answer.status, 200);
    assert_eq!(attribute(&html, "q", "value"), Some("injection perso:rita"), "{html}");
    assert_eq!(attribute(&html, "q", "aria-invalid"), Some("true"));
    assert_eq!(attribute(&html, "q", "aria-describedby"), Some("query-error"));
    assert_eq!(attribute(&html, "from", "value"), Some("2026-11-01"));
    assert_eq!(attribute(&html, "from", "aria-invalid"), None);
    assert_eq!(attribute(&html, "query-error", "role"), Some("alert"));
    for part in [
        "injection <mark>perso</mark>:rita",
        "Did you mean person:?",
        "character 11",
        "Nothing was searched.",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("<table"), "{html}");

    let html = browser.get("/audit?q=%3Cb%3E%3A%21%21%21+%21%21%21").await.text;
    assert!(
        html.contains("<mark>&lt;b&gt;</mark>:!!!") && !html.contains("<b>"),
        "{html}"
    );
    assert_eq!(html.matches("<mark>").count(), 2, "both mistakes: {html}");

    let html = browser.get("/audit?to=yesterday").await.text;
    assert_eq!(attribute(&html, "to", "aria-invalid"), Some("true"), "{html}");
    assert!(html.contains("<mark>yesterday</mark>"), "{html}");

    let parentheses = "(".repeat(10_000);
    let answer = browser.get(&format!("/audit?q={parentheses}")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("A query has at most 4000 characters."));
}

#[tokio::test]
async fn a_link_restricts_the_whole_query() {
    let service = Service::start().await;
    let mut browser = service.signed_in("auditor@acme.example").await;
    let html = browser
        .get("/audit?q=event%3Asession.signed_in+OR+key%3Anone")
        .await
        .text;
    assert!(html.contains("session.signed_in</code>"), "{html}");
    let link = "/audit?q=%28event%3Asession.signed_in%20OR%20key%3Anone%29%20state%3Aexecuted";
    assert!(html.contains(link), "{html}");
    let html = browser.get(link).await.text;
    assert!(html.contains("No matching entries."), "{html}");
    assert!(
        html.contains("href=\"/audit?q=event%3Asession.signed_in%20OR%20key%3Anone\""),
        "{html}"
    );
    for part in ["To (UTC, inclusive)", "How to search", "in capitals"] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[tokio::test]
async fn the_newest_entries_come_without_checkpoints_and_the_page_says_so() {
    const CELL: &str = "audit.checkpoint_signed</code>";
    let service = Service::start().await;
    let mut browser = service.signed_in("auditor@acme.example").await;
    let tenant = TenantId::parse("acme").expect("a tenant");
    let signed = service.state.engine.sign_checkpoint(&tenant).await;
    assert!(matches!(signed, Ok(Signed::New(_))), "{signed:?}");

    let html = browser.get("/audit").await.text;
    assert_eq!(
        attribute(&html, "q", "value"),
        Some("-event:audit.checkpoint_signed -event:audit.searched"),
        "{html}"
    );
    assert!(
        !html.contains(CELL) && html.contains("session.signed_in</code>"),
        "{html}"
    );
    assert!(
        html.contains("Signed checkpoints and searches are left out.") && html.contains("href=\"/audit?q=\""),
        "{html}"
    );
    // The visits are no searches: neither is in the log.
    let html = browser.get("/audit?q=").await.text;
    assert!(html.contains(CELL) && !html.contains("left out"), "{html}");
    assert!(!html.contains("audit.searched</code>"), "{html}");
}
