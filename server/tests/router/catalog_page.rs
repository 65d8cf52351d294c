//! The catalog page and its forms, as plain forms of a browser without a script.

use crate::support::{Answer, Browser, Service};
use loopiq::domain::{Role, Timestamp};
use reqwest::Method;

const PAGE: &str = "/settings/catalog";
const GOOD: &str = "teams: [{ key: payments, name: \"<b>Payments</b>\", members: [lead@acme.example] }]
services: [{ key: refunds, team: payments }]
releases:
  - key: PAY-1
    teams: [payments]
    services: [refunds]
    certifications: [{ key: PCI-1, name: PCI DSS }]
    controls: [{ key: AC-3, status: failing }]
";

async fn page(browser: &mut Browser) -> String {
    let answer = browser.get(PAGE).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for inline in [" style=", "<style", " onclick=", "javascript:", "<b>Pay"] {
        assert!(!answer.text.contains(inline), "{inline}");
    }
    answer.text
}

/// Sends a form as a browser does, which redirects to the page, and returns the page.
async fn send(browser: &mut Browser, function: &str, form: &[(&str, &str)]) -> String {
    let answer = browser.post(&format!("/do/{function}"), form).await;
    // The outcome of a form of a release leads to its card.
    let path = answer.location().split('#').next().unwrap_or_default();
    assert_eq!((answer.status, path), (303, PAGE), "{function}: {}", answer.text);
    page(browser).await
}

fn digest(page: &str) -> String {
    let form = page.split("name=\"digest\"").nth(1).expect("a form");
    form.split('"').nth(1).expect("a value").to_owned()
}

#[tokio::test]
async fn an_operator_previews_and_applies_a_catalog() {
    let service = Service::start().await;
    let mut browser = service.signed_in("operator@acme.example").await;
    let first = page(&mut browser).await;
    assert!(
        first.contains("action=\"/do/preview-catalog\"") && digest(&first).is_empty(),
        "{first}"
    );

    // A mistake is shown with its line and field, and the text is kept.
    let bad = "teams:\r\n  - { key: a, nmae: \"<i>A</i>\" }\r\n";
    let shown = send(&mut browser, "preview-catalog", &[("source", bad)]).await;
    for part in [
        "catalog:2: teams[0].nmae: there is no such key; did you mean name?",
        "&lt;i&gt;A&lt;/i&gt;",
        "role=\"alert\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(digest(&shown).is_empty(), "nothing can be applied");

    let shown = send(&mut browser, "preview-catalog", &[("source", GOOD)]).await;
    assert!(
        shown.contains("The draft changes 5 records") && shown.contains("team payments"),
        "{shown}"
    );
    assert!(!service.entries("catalog.applied").await.iter().any(|_| true));
    let seen = digest(&shown);

    // Another text than the one of the preview is not applied, and is kept.
    let other = GOOD.replace("refunds", "payouts");
    let shown = send(&mut browser, "apply-catalog", &[("source", &other), ("digest", &seen)]).await;
    assert!(
        shown.contains("Nothing was changed: the text or the records are not those of the preview"),
        "{shown}"
    );
    assert!(shown.contains("payouts"), "the text is kept");

    let shown = send(&mut browser, "apply-catalog", &[("source", GOOD), ("digest", &seen)]).await;
    assert!(
        shown.contains("The catalog was applied. Created 1 team, 1 service, 1 release, 1 certification, 1 control."),
        "{shown}"
    );
    assert!(
        shown.contains("&lt;b>Payments&lt;/b>") || shown.contains("&lt;b&gt;Payments&lt;/b&gt;"),
        "{shown}"
    );
    assert!(digest(&shown).is_empty(), "the draft is gone");
    let entries = service.entries("catalog.applied").await;
    assert_eq!(entries.len(), 1);

    // Roles change only with the command.
    let people = "people: [{ email: operator@acme.example, roles: [lead] }]";
    let shown = send(&mut browser, "preview-catalog", &[("source", people)]).await;
    let why = "One operator alone cannot give roles in the browser";
    assert_eq!(shown.matches(why).count(), 1, "{shown}");
    let shown = send(&mut browser, "discard-catalog-draft", &[]).await;
    assert!(
        shown.contains("Draft discarded.") && !shown.contains("roles: [lead]"),
        "{shown}"
    );

    let large = format!("# {}\n", "x".repeat(300 << 10));
    let shown = send(&mut browser, "preview-catalog", &[("source", &large)]).await;
    assert!(
        shown.contains("the catalog has more than 256 KiB"),
        "{}",
        &shown[..2000]
    );
    let filtered = browser.get(&format!("{PAGE}?text=refunds")).await.text;
    assert!(
        filtered.contains("refunds") && !filtered.contains("PAY-1"),
        "{filtered}"
    );
}

#[tokio::test]
async fn people_without_the_role_see_the_catalog_and_change_nothing() {
    let service = Service::start().await;
    for email in ["reviewer@acme.example", "auditor@acme.example"] {
        let mut browser = service.signed_in(email).await;
        let shown = page(&mut browser).await;
        for form in ["preview-catalog", "set-release-status", "decide-certification"] {
            assert!(!shown.contains(form), "{email}: {form}");
        }
        for (function, form) in [
            ("preview-catalog", vec![("source", GOOD)]),
            ("apply-catalog", vec![("source", GOOD), ("digest", "x")]),
            ("set-release-status", vec![("release", "PAY-1"), ("status", "released")]),
            (
                "decide-certification",
                vec![("certification", "PCI-1"), ("decision", "grant"), ("reason", "r")],
            ),
        ] {
            let answer = browser.post(&format!("/do/{function}"), &form).await;
            assert_eq!(answer.status, 403, "{email} {function}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_lead_decides_about_a_release_on_the_page() {
    let service = Service::start().await;
    let mut operator = service.signed_in("operator@acme.example").await;
    let shown = send(&mut operator, "preview-catalog", &[("source", GOOD)]).await;
    send(
        &mut operator,
        "apply-catalog",
        &[("source", GOOD), ("digest", &digest(&shown))],
    )
    .await;
    assert!(
        !page(&mut operator).await.contains("decide-certification"),
        "an operator certifies nothing"
    );

    let mut lead = service.signed_in("lead@acme.example").await;
    let shown = page(&mut lead).await;
    assert!(shown.contains("action=\"/do/decide-certification\""));
    // The form names the record by its ID, so that one that was opened in another tenant decides nothing here.
    let pci = shown.split("name=\"certification\" value=\"").nth(1).unwrap();
    let pci = pci.split('"').next().unwrap();
    assert!(pci.starts_with("crt_"), "{pci}");
    let grant = |reason| [("certification", pci), ("decision", "grant"), ("reason", reason)];
    let shown = send(&mut lead, "decide-certification", &grant("All done.")).await;
    assert!(shown.contains("open blockers of PAY-1 prevent PCI-1: BLK-"), "{shown}");
    assert!(shown.contains("value=\"All done.\""), "the reason is kept: {shown}");
    let shown = send(
        &mut lead,
        "set-release-status",
        &[("release", "PAY-1"), ("status", "certified")],
    )
    .await;
    assert!(
        shown.contains("PAY-1 is certified when these are granted: PCI-1."),
        "{shown}"
    );
    let shown = send(&mut lead, "decide-certification", &grant(" ")).await;
    assert!(shown.contains("a reason has 1 to 500 characters"), "{shown}");
    let refuse = [
        ("certification", "PCI-1"),
        ("decision", "refuse"),
        ("reason", "AC-3 <fails>."),
    ];
    let shown = send(&mut lead, "decide-certification", &refuse).await;
    assert!(shown.contains("PCI-1 is refused now."), "{shown}");
    let decision = shown
        .split("class=\"catalog-certification\"")
        .nth(1)
        .expect("a certification");
    let decision = decision.split("</p>").next().unwrap();
    for part in ["refused", "by ", "<time ", "AC-3 "] {
        assert!(decision.contains(part), "{part}: {decision}");
    }
    assert!(!page(&mut lead).await.contains("fails>.\""), "the reason was used");
    let shown = send(
        &mut lead,
        "set-release-status",
        &[("release", "PAY-1"), ("status", "in_progress")],
    )
    .await;
    assert!(shown.contains("PAY-1 is in progress now."), "{shown}");
    for (function, form, says) in [
        (
            "set-release-status",
            vec![("release", "PAY-1"), ("status", "begun")],
            "is not a status",
        ),
        (
            "decide-certification",
            vec![("certification", "PCI-1"), ("decision", "maybe"), ("reason", "r")],
            "neither grant nor refuse",
        ),
    ] {
        let shown = send(&mut lead, function, &form).await;
        assert!(shown.contains(says), "{shown}");
    }
    for (function, form) in [
        ("set-release-status", vec![("release", "PAY-9"), ("status", "released")]),
        ("set-release-status", vec![("release", ""), ("status", "released")]),
        (
            "decide-certification",
            vec![("certification", "PCI-9"), ("decision", "grant"), ("reason", "r")],
        ),
    ] {
        let answer = lead.post(&format!("/do/{function}"), &form).await;
        assert_eq!(answer.status, 404, "{}", answer.text);
    }
    assert_eq!(service.entries("certification.refused").await.len(), 1);
    assert_eq!(service.entries("release.status_set").await.len(), 1);
}

#[tokio::test]
async fn a_decision_leads_to_the_card_of_its_release_in_the_same_list() {
    let service = Service::start().await;
    let mut operator = service.signed_in("operator@acme.example").await;
    let shown = send(&mut operator, "preview-catalog", &[("source", GOOD)]).await;
    let seen = digest(&shown);
    send(&mut operator, "apply-catalog", &[("source", GOOD), ("digest", &seen)]).await;
    let mut lead = service.signed_in("lead@acme.example").await;
    let shown = lead.get(&format!("{PAGE}?text=PAY-1")).await.text;
    let release = shown
        .split("name=\"release\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert!(shown.contains("name=\"text\" value=\"PAY-1\""), "{shown}");
    let form = [
        ("release", release.as_str()),
        ("status", "in_progress"),
        ("text", "a b&c"),
    ];
    let answer = lead.post("/do/set-release-status", &form).await;
    assert_eq!(answer.location(), format!("{PAGE}?text=a%20b%26c#release-{release}"));
    let shown = page(&mut lead).await;
    let card = shown
        .split(&format!("id=\"release-{release}\""))
        .nth(1)
        .expect("a card");
    assert!(
        card.split("</article>")
            .next()
            .unwrap()
            .contains("PAY-1 is in progress now."),
        "{card}"
    );
    assert_eq!(shown.matches("PAY-1 is in progress now.").count(), 1);
    assert!(
        !page(&mut lead).await.contains("PAY-1 is in progress now."),
        "the message is shown once"
    );
    // What is not an ID does not become part of the address.
    let form = [("release", "PAY-1"), ("status", "planned"), ("text", "")];
    assert_eq!(lead.post("/do/set-release-status", &form).await.location(), PAGE);
}

#[tokio::test]
async fn a_person_who_cannot_decide_now_is_told_why_and_keeps_the_text() {
    let service = Service::start().await;
    let mut operator = service.signed_in("operator@acme.example").await;
    let shown = send(&mut operator, "preview-catalog", &[("source", GOOD)]).await;
    let seen = digest(&shown);
    send(&mut operator, "apply-catalog", &[("source", GOOD), ("digest", &seen)]).await;
    let mut lead = service.signed_in("lead@acme.example").await;
    let shown = page(&mut lead).await;
    assert!(!shown.contains("You cannot decide about releases now."), "{shown}");
    let pci = shown
        .split("name=\"certification\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();

    service
        .assert_roles("lead@acme.example", &[Role::Lead, Role::Operator])
        .await;
    let form = [
        ("certification", pci.as_str()),
        ("decision", "refuse"),
        ("reason", "My long reason."),
    ];
    let denied = lead.post("/do/decide-certification", &form).await;
    assert_eq!(denied.status, 403, "{}", denied.text);
    let shown = page(&mut lead).await;
    assert!(shown.contains("You cannot decide about releases now. "), "{shown}");
    assert!(
        shown.contains("which this policy excludes from deciding together"),
        "{shown}"
    );
    assert!(
        !shown.contains("decide-certification") && !shown.contains("set-release-status"),
        "{shown}"
    );

    service.assert_roles("lead@acme.example", &[Role::Lead]).await;
    let shown = page(&mut lead).await;
    assert!(shown.contains("value=\"My long reason.\""), "the text is kept: {shown}");
    service.advance_clock(31 * Timestamp::DAY);
    let mut tired = service.signed_in("operator@acme.example").await;
    let shown = page(&mut tired).await;
    assert!(
        !shown.contains("You cannot decide about releases now."),
        "an operator never decides: {shown}"
    );
}

/// Sends the draft's form as a browser does, with these fields and these files.
async fn send_files(browser: &mut Browser, function: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    for (name, bytes) in files {
        let head = format!(
            "--x\r\ncontent-disposition: form-data; name=\"files\"; filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
        );
        body.extend(head.bytes().chain(bytes.iter().copied()).chain(*b"\r\n"));
    }
    body.extend(b"--x--\r\n");
    let request = browser
        .request(Method::POST, &format!("/do/{function}"))
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "multipart/form-data; boundary=x");
    browser.send(request.body(body)).await
}

#[tokio::test]
async fn uploaded_files_are_read_as_the_command_reads_them() {
    let service = Service::start().await;
    let mut browser = service.signed_in("operator@acme.example").await;
    let mut names: Vec<String> = (0..12).map(|n| format!("{n}.yaml")).collect();
    names.push("directive.yaml".to_owned());
    names.push("mark.yaml".to_owned());
    names.push("empty.yaml".to_owned());
    let texts: Vec<Vec<u8>> = (0..12)
        .map(|n| format!("teams:\n  - {{ key: t{n} }}").into_bytes())
        .chain([
            b"%YAML 1.2\n---\nteams: [{ key: directive }]\n".to_vec(),
            b"\xef\xbb\xbfteams: [{ key: mark }]\r\n".to_vec(),
            Vec::new(),
        ])
        .collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .zip(&texts)
        .map(|(name, text)| (name.as_str(), text.as_slice()))
        .collect();
    send_files(&mut browser, "preview-catalog", &[], &files).await;
    let shown = page(&mut browser).await;
    assert!(shown.contains("Creates 14 teams."), "{shown}");
    // The draft is sent again as the text that the page shows.
    let digest = digest(&shown);
    let mut draft = String::new();
    for (name, text) in names.iter().zip(&texts) {
        let text = String::from_utf8(text.clone()).unwrap();
        let text = text.trim_start_matches('\u{feff}').trim_end();
        draft.push_str(&format!(
            "--- # file: {name}\r\n{text}{}",
            if text.is_empty() { "" } else { "\r\n" }
        ));
    }
    let shown = send(
        &mut browser,
        "apply-catalog",
        &[("source", &draft), ("digest", &digest)],
    )
    .await;
    assert!(shown.contains("Created 14 teams."), "{shown}");

    // Mistakes are named with the files' own names and lines, and a tab in one file hides no mistake of another.
    let bad: [(&str, &[u8]); 3] = [
        ("tab.yaml", b"teams:\n\t- { key: a }\n"),
        ("late.yaml", b"teams: []\n\nteam: []\n"),
        ("last.yaml", b"sevices: []\n"),
    ];
    send_files(&mut browser, "preview-catalog", &[], &bad).await;
    let shown = page(&mut browser).await;
    for says in ["tab.yaml:2: ", "late.yaml:3: team: ", "last.yaml:1: sevices: "] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    let unreadable: [(&str, &[u8]); 3] = [("one.yaml", b"\xff"), ("good.yaml", b"teams: []"), ("two.yaml", b"\0")];
    send_files(&mut browser, "preview-catalog", &[], &unreadable).await;
    let shown = page(&mut browser).await;
    assert!(
        shown.contains("one.yaml and two.yaml are not texts in UTF-8"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_retirement_is_counted_listed_first_and_confirmed() {
    let service = Service::start().await;
    let mut browser = service.signed_in("operator@acme.example").await;
    let many: String = (0..300)
        .map(|n| format!("  - {{ key: a{n:03}, team: payments }}\n"))
        .collect();
    let stored = format!("teams: [{{ key: payments }}, {{ key: zeta }}, {{ key: zulu }}]\nmodules:\n{many}");
    let shown = send(&mut browser, "preview-catalog", &[("source", &stored)]).await;
    assert!(!shown.contains("name=\"retire\""), "nothing is retired");
    send(
        &mut browser,
        "apply-catalog",
        &[("source", &stored), ("digest", &digest(&shown))],
    )
    .await;

    let next = format!(
        "teams: [{{ key: payments }}]\nservices:\n{}",
        many.replace("key: a", "key: b")
    );
    let drafted = [("source", next.as_str()), ("prune", "on")];
    let shown = send(&mut browser, "preview-catalog", &drafted).await;
    assert!(shown.contains("Retires 300 modules, "), "{shown}");
    assert!(shown.contains("; creates 300 services."), "{shown}");
    assert!(
        shown.contains("team zulu") && !shown.contains("service b000"),
        "retirements come first"
    );
    let box_ = shown.split("name=\"retire\"").nth(1).expect("a check box");
    assert!(
        box_.split('>').next().is_some_and(|tag| tag.contains("required")),
        "{shown}"
    );
    let seen = digest(&shown);
    let unconfirmed = [drafted[0], drafted[1], ("digest", &seen)];
    let shown = send(&mut browser, "apply-catalog", &unconfirmed).await;
    assert!(shown.contains("Nothing was changed: the catalog retires "), "{shown}");
    let confirmed = [drafted[0], drafted[1], ("digest", &seen), ("retire", "on")];
    let shown = send(&mut browser, "apply-catalog", &confirmed).await;
    assert!(
        shown.contains("The catalog was applied. Retired 300 modules, "),
        "{shown}"
    );
}

#[tokio::test]
async fn uploaded_files_become_the_draft_and_are_applied_after_their_preview() {
    let service = Service::start().await;
    let mut browser = service.signed_in("operator@acme.example").await;
    let teams: (&str, &[u8]) = ("teams.yaml", b"teams: [{ key: uploaded }]\n");
    let group: (&str, &[u8]) = (
        "a&b.yaml",
        b"apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: { name: crew }\nspec: { type: team, children: [] }\n",
    );
    let answer = send_files(
        &mut browser,
        "preview-catalog",
        &[("source", "teams: [{ key: typed }]")],
        &[teams, group],
    )
    .await;
    assert_eq!((answer.status, answer.location()), (303, PAGE), "{}", answer.text);
    let shown = page(&mut browser).await;
    for says in [
        "The draft changes 2 records",
        "uploaded",
        "crew",
        "--- # file: teams.yaml",
        "--- # file: a&amp;b.yaml",
        "Creates 2 teams.",
    ] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    assert!(!shown.contains("typed"), "the files replace the text");
    // A browser sends an empty file if none is chosen. The text is the same as in the preview.
    let digest = digest(&shown);
    let source = "--- # file: teams.yaml\r\nteams: [{ key: uploaded }]\r\n--- # file: a&b.yaml\r\n";
    let unseen = send_files(
        &mut browser,
        "apply-catalog",
        &[("source", source), ("digest", &digest)],
        &[teams],
    )
    .await;
    assert_eq!(unseen.status, 303, "{}", unseen.text);
    let shown = page(&mut browser).await;
    assert!(
        shown.contains("Nothing was changed: the text or the records are not those of the preview"),
        "{shown}"
    );
    let digest = self::digest(&shown);
    let text = "--- # file: teams.yaml\r\nteams: [{ key: uploaded }]\r\n";
    let applied = send_files(
        &mut browser,
        "apply-catalog",
        &[("source", text), ("digest", &digest)],
        &[("", b"")],
    )
    .await;
    assert_eq!(applied.status, 303, "{}", applied.text);
    assert!(page(&mut browser).await.contains("Created 1 team."), "applied");

    // Files that are no text keep the text; other bodies are no form.
    for bytes in [b"a\0b".as_slice(), b"\xff\xfe"] {
        let answer = send_files(
            &mut browser,
            "preview-catalog",
            &[("source", "teams: [{ key: typed }]")],
            &[teams, ("x<y.yaml", bytes)],
        )
        .await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let shown = page(&mut browser).await;
        assert!(
            shown.contains("x&lt;y.yaml is not a text in UTF-8, so no file was read"),
            "{shown}"
        );
        assert!(shown.contains("typed"), "the text is kept: {shown}");
    }
    for fields in [[("prune[x]", "on")], [("a\0", "b")], [("", "b")]] {
        let answer = send_files(&mut browser, "preview-catalog", &fields, &[]).await;
        assert_eq!(answer.status, 400, "{fields:?}: {}", answer.text);
    }
    let large = vec![b'#'; 2 << 20];
    let answer = send_files(&mut browser, "preview-catalog", &[], &[("large.yaml", &large)]).await;
    assert_eq!(answer.status, 413, "{}", answer.text);
    let mut reviewer = service.signed_in("reviewer@acme.example").await;
    assert_eq!(
        send_files(&mut reviewer, "preview-catalog", &[], &[teams]).await.status,
        403
    );
}
