//! The pages and the command that list and end sessions.

use crate::command_line::loopiq;
use crate::support::{Answer, Browser, Service};
use reqwest::Method;

const REVIEWER: &str = "reviewer@acme.example";
const OPERATOR: &str = "operator@acme.example";

/// A page that must open.
async fn page(browser: &mut Browser, path: &str) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

/// The IDs after this prefix in a page, each once.
fn ids(page: &str, prefix: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for part in page.split(prefix).skip(1) {
        let id: String = part.chars().take(26).collect();
        let known = format!("{prefix}{id}");
        if id.chars().all(|c| c.is_ascii_alphanumeric()) && !ids.contains(&known) {
            ids.push(known);
        }
    }
    ids
}

fn redirect(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.location())
}

#[tokio::test]
async fn a_person_ends_another_session_without_javascript() {
    let service = Service::start().await;
    let mut here = service.signed_in(REVIEWER).await;
    let mut phone = service.signed_in(REVIEWER).await;
    let first = page(&mut here, "/settings/sessions").await;
    let [one, two] = ids(&first, "ses_").try_into().unwrap();
    assert_eq!(first.matches("(this session)").count(), 1, "{first}");
    assert_eq!(first.matches("action=\"/do/end-session\"").count(), 1, "{first}");
    let form = first.split("action=\"/do/end-session\"").nth(1).unwrap();
    let other = ids(form, "ses_").remove(0);
    assert!(other == one || other == two);
    assert_eq!(phone.get("/").await.status, 200);
    let ended = here.post("/do/end-session", &[("id", &other)]).await;
    assert_eq!(redirect(&ended), (303, "/settings/sessions"));
    let shown = page(&mut here, "/settings/sessions").await;
    assert!(
        shown.contains("1 session was ended.") && !shown.contains(&other),
        "{shown}"
    );
    assert_eq!(redirect(&phone.get("/").await), (303, "/login"));
    assert_eq!(phone.post("/do/end-session", &[("id", &one)]).await.status, 401);

    // A second time, and text that is no ID: the same page as for a session of another person.
    let again = here.post("/do/end-session", &[("id", &other)]).await;
    let absent = here
        .post(
            "/do/end-session",
            &[("id", "x\r\nSet-Cookie: a=b"), ("person", "//evil.example")],
        )
        .await;
    assert_eq!((again.status, absent.status), (404, 404), "{}", absent.text);
    assert_eq!(absent.location(), "");
}

#[tokio::test]
async fn signing_out_everywhere_leads_to_the_sign_out_page() {
    let service = Service::start().await;
    let mut here = service.signed_in(REVIEWER).await;
    let mut phone = service.signed_in(REVIEWER).await;
    let mut other = service.signed_in("lead@acme.example").await;
    let out = here.post("/do/sign-out-everywhere", &[]).await;
    assert_eq!(redirect(&out), (303, "/logout"));
    assert!(page(&mut here, "/logout").await.contains("You&#39;re signed out"));
    for browser in [&mut here, &mut phone] {
        assert_eq!(browser.get("/").await.status, 303);
    }
    assert_eq!(other.get("/").await.status, 200);
    assert_eq!(service.entries("session.ended").await.len(), 2);
}

#[tokio::test]
async fn an_operator_finds_a_person_and_ends_the_sessions() {
    let service = Service::start().await;
    let mut reviewer = service.signed_in(REVIEWER).await;
    let mut operator = service.signed_in(OPERATOR).await;
    let list = page(&mut operator, "/settings/access?q=reviewer").await;
    let [person] = ids(&list, "per_").try_into().unwrap();
    for says in [
        REVIEWER,
        "reviewer",
        "href=\"/settings/access\"",
        "People",
        "Who may do what",
    ] {
        assert!(list.contains(says), "{says}: {list}");
    }
    assert_eq!(operator.get("/settings/access?after=x").await.status, 400);
    let path = format!("/settings/access/{person}");
    let shown = page(&mut operator, &path).await;
    let [session] = ids(&shown, "ses_").try_into().unwrap();
    let ended = operator
        .post("/do/end-session", &[("id", &session), ("person", &person)])
        .await;
    assert_eq!(redirect(&ended), (303, path.as_str()));
    assert!(page(&mut operator, &path).await.contains("No open sessions."));
    assert_eq!(reviewer.get("/").await.status, 303);

    let mut reviewer = service.signed_in(REVIEWER).await;
    let ended = operator.post("/do/end-sessions", &[("person", &person)]).await;
    assert_eq!(redirect(&ended), (303, path.as_str()));
    assert!(page(&mut operator, &path).await.contains("1 session was ended."));
    assert_eq!(reviewer.get("/").await.status, 303);

    // Without the role.
    let mut lead = service.signed_in("lead@acme.example").await;
    assert_eq!(lead.get(&path).await.status, 403);
    let table = page(&mut lead, "/settings/access?q=reviewer").await;
    assert!(
        !table.contains(REVIEWER) && !table.contains("role=\"search\""),
        "{table}"
    );
    for says in [
        "Approve an action",
        "<th scope=\"col\" role=\"columnheader\">Lead</th>",
        "audit (lead, auditor or operator)",
    ] {
        assert!(table.contains(says), "{says}: {table}");
    }
    let refused = lead.post("/do/end-sessions", &[("person", &person)]).await;
    assert!(
        refused.status == 403 && refused.text.contains("You need the role operator"),
        "{}",
        refused.text
    );
    let request = lead
        .program(Method::POST, "/do/end-sessions")
        .form(&[("person", &person)]);
    assert_eq!(lead.send(request).await.status, 403);
}

#[tokio::test]
async fn the_command_lists_and_ends_sessions_beside_a_running_service() {
    let service = Service::start().await;
    let mut reviewer = service.signed_in(REVIEWER).await;
    // The command has the system's clock, by which the session of this test ended.
    sqlx::query("UPDATE sessions SET expires_at = 4102444800000000")
        .execute(&mut service.database.connect().await)
        .await
        .unwrap();
    let temp = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let mut command = loopiq(temp.path());
        command.args(line.split_whitespace());
        command.env("LOOPIQ_DATABASE_URL", &service.database.url);
        command.env("LOOPIQ_AUDIT_KEY", loopiq::log_keys::LogKeys::not_secret().to_secret());
        let output = command.output().unwrap();
        let (out, error) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        (output.status.code(), out, error)
    };
    let (code, listed, error) = run("sessions list --tenant acme --person reviewer@acme.example");
    assert_eq!(code, Some(0), "{error}");
    let [session] = ids(&listed, "ses_").try_into().unwrap();
    assert!(listed.contains("reviewer") && listed.contains("127.0.0.1"), "{listed}");
    for (wrong, says) in [
        (
            "sessions list --tenant acme --person nobody@acme.example",
            "nobody@acme.example",
        ),
        (
            "sessions end --tenant acme --person reviewer@acme.example --session ses_x",
            "has no session ses_x",
        ),
        (
            "sessions list --tenant globex --person reviewer@acme.example",
            "there is no tenant globex",
        ),
    ] {
        let (code, out, error) = run(wrong);
        assert!(
            code == Some(1) && out.is_empty() && error.contains(says),
            "{wrong}: {error}"
        );
    }
    assert_eq!(reviewer.get("/").await.status, 200);
    let line = format!("sessions end --tenant acme --person reviewer@acme.example --session {session} --json");
    let (code, out, error) = run(&line);
    assert!(code == Some(0) && out.contains("1 session was ended."), "{out} {error}");
    assert_eq!(reviewer.get("/").await.status, 303);
    let [entry] = service.entries("session.ended").await.try_into().unwrap();
    assert_eq!(
        (&entry["source"]["kind"], &entry["details"]["by"]),
        (&"command".into(), &"operator".into())
    );
    let (code, out, _) = run("sessions end --tenant acme --person reviewer@acme.example");
    assert!(code == Some(0) && out.contains("There was no session to end."), "{out}");
}
