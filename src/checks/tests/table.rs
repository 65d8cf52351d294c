//! The table: each line of the article's "reject when", as what is blocked or warned of, and as near misses that pass.

use crate::checks::tests::*;

/// Name, the case, and all that may be wrong with it.
type Line = (&'static str, Case, &'static [&'static str]);

fn package(change: impl FnOnce(&mut Case)) -> Case {
    Case::package().with(change)
}

fn task(change: impl FnOnce(&mut Case)) -> Case {
    Case::task().with(change)
}

fn title(text: &str) -> Case {
    package(|case| case.payload["children"][1]["title"] = json!(text))
}

fn parent(text: &str) -> Case {
    package(|case| case.payload["parent"]["title"] = json!(text))
}

fn reason(text: &str) -> Case {
    package(|case| case.payload["reason"] = json!(text))
}

fn description(text: &str) -> Case {
    package(|case| case.payload["children"][0]["description"] = json!(text))
}

/// A work item that rests on the finding that the package is about.
fn resting(status: WorkItemStatus) -> Case {
    package(|case| {
        let shop = case.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
        let mut known = item(381, &shop, WorkItemKind::Task, "Use prepared statements");
        known.status = status;
        known.finding_ids = vec![FindingId::from_bits(1).to_string()];
        let finding = FindingId::from_bits(1).to_string();
        case.around.resting.insert(finding, [known.id.to_string()].into());
        case.around.items.insert(known.id.to_string(), known);
    })
}

/// A work item of this title, in this release.
fn called(title: &str, release_of: u128, status: WorkItemStatus) -> Case {
    package(|case| {
        let release = case.facts.release(&ReleaseId::from_bits(release_of)).unwrap().clone();
        let mut known = item(382, &release, WorkItemKind::Task, title);
        known.status = status;
        case.around.items.insert(known.id.to_string(), known);
    })
}

fn check_all(lines: Vec<Line>) {
    for (name, case, expected) in lines {
        assert_eq!(case.trouble(), expected, "{name}: {:#?}", case.checks());
    }
}

#[test]
fn context() {
    let id = |n: u128| json!(CertificationId::from_bits(n));
    check_all(vec![
        (
            "another release's certification",
            package(|c| c.payload["certificationId"] = id(2)),
            &["context block"],
        ),
        (
            "no certification",
            package(|c| drop(c.payload.as_object_mut().unwrap().remove("certificationId"))),
            &[],
        ),
        (
            "a team that does not work on it",
            package(|c| {
                c.payload["teamId"] = json!(TeamId::from_bits(2));
                c.around
                    .members
                    .insert((TeamId::from_bits(2).to_string(), PersonId::from_bits(1).to_string()));
                c.payload["application"] = json!("kiosk");
            }),
            &["context block"],
        ),
        (
            "the caller is not on the team",
            package(|c| c.caller = PersonId::from_bits(2)),
            &["context warn"],
        ),
        (
            "a component of no part of it",
            package(|c| c.payload["application"] = json!("ledger")),
            &["context block"],
        ),
        (
            "a component of another team",
            package(|c| c.payload["application"] = json!("kiosk")),
            &["context warn"],
        ),
        (
            "nobody ever said which teams and components",
            package(|c| {
                c.around.release_teams.clear();
                c.around.release_components.clear();
            }),
            &[],
        ),
        (
            "the release is out",
            package(|c| {
                let mut release = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
                release.status = ReleaseStatus::Released;
                c.facts.insert(release);
            }),
            &["context warn"],
        ),
    ]);
}

#[test]
fn unrelated() {
    check_all(vec![
        (
            "another release's blocker",
            package(|c| c.payload["blockerIds"][0] = json!(BlockerId::from_bits(2))),
            &["unrelated block"],
        ),
        (
            "another release's control",
            package(|c| c.payload["children"][0]["controlIds"][0] = json!(ControlId::from_bits(2))),
            &["unrelated block"],
        ),
        (
            "another release's finding",
            package(|c| c.payload["children"][0]["findingIds"][0] = json!(FindingId::from_bits(2))),
            &["unrelated block"],
        ),
        (
            "a finding seen in both",
            package(|c| {
                let mut finding = c.facts.finding(&FindingId::from_bits(2)).unwrap().clone();
                finding.release_ids.push(ReleaseId::from_bits(1));
                c.payload["children"][0]["findingIds"][0] = json!(finding.id);
                c.facts.insert(finding);
            }),
            &[],
        ),
        (
            "a finding that is fixed",
            package(|c| {
                let mut finding = c.facts.finding(&FindingId::from_bits(1)).unwrap().clone();
                finding.status = FindingStatus::Fixed;
                c.facts.insert(finding);
            }),
            &["unrelated warn"],
        ),
        (
            "a blocker that is resolved",
            package(|c| {
                let mut blocker = c.facts.blocker(&BlockerId::from_bits(1)).unwrap().clone();
                blocker.status = BlockerStatus::Resolved;
                c.facts.insert(blocker);
            }),
            &["unrelated warn"],
        ),
    ]);
}

#[test]
fn titles() {
    for generic in [
        "Fix bug",
        "TODO",
        "Task 1",
        "Update",
        "Remediation work",
        "fix the issue in code",
        "Miscellaneous fixes",
        "FND-12",
        "???",
        "12345",
        "aaaa aaa",
        "Follow-up",
        "Fix FND-1 and WI-3",
        "Address findings",
        "WIP: stuff",
        "Security fix",
        "x",
        "Fix vulnerability",
        "fnd_00000000000000000000000001",
    ] {
        assert_eq!(title(generic).trouble(), ["titles block"], "{generic}");
        assert_eq!(parent(generic).trouble(), ["titles block"], "{generic}");
    }
    for telling in [
        "Fix SQL injection",
        "Parameterize search query",
        "Fix login",
        "Rotate refund keys",
        "修复登录注入",
        "Исправить вход",
        "Corriger l'injection",
        "FND-12: escape the search term",
        "Upgrade openssl to 3.0.8",
        "Einbruch am Anmeldefenster verhindern",
    ] {
        assert_eq!(title(telling).trouble(), [""; 0], "{telling}");
    }
    check_all(vec![
        (
            "the same twice",
            title("Parameterize the query, in routes/login.ts:34"),
            &["titles block"],
        ),
        (
            "the parent's again",
            title("remove injection findings IN login"),
            &["titles block"],
        ),
        (
            "another file of one letter",
            package(|c| {
                for (child, file) in [(0, "a"), (1, "b")] {
                    c.payload["children"][child]["title"] = json!(format!("Close the hole in {file}.ts"));
                }
            }),
            &[],
        ),
        (
            "another line",
            title("Parameterize the query in routes/login.ts:35"),
            &[],
        ),
        (
            "a word that the tenant has added",
            {
                let mut case = title("Harden");
                case.around.generic_words.insert("harden".into());
                case
            },
            &["titles block"],
        ),
        ("without that word", title("Harden"), &[]),
        (
            "a title that an update sets",
            Case::update().with(|c| c.payload["changes"]["title"] = json!("Update item")),
            &["titles block"],
        ),
    ]);
}

#[test]
fn hierarchy() {
    let parent = |n: u128| task(|c| c.payload["parentId"] = json!(WorkItemId::from_bits(n)));
    let status = |status| {
        task(|c| {
            let mut work_item = c.facts.work_item(&WorkItemId::from_bits(1)).unwrap().clone();
            work_item.status = status;
            c.facts.insert(work_item);
        })
    };
    check_all(vec![
        (
            "a task without a parent",
            task(|c| drop(c.payload.as_object_mut().unwrap().remove("parentId"))),
            &["hierarchy block"],
        ),
        (
            "a story without one",
            task(|c| {
                c.payload.as_object_mut().unwrap().remove("parentId");
                c.payload["kind"] = json!("story");
            }),
            &[],
        ),
        ("below another release's story", parent(2), &["hierarchy block"]),
        ("below a task", parent(3), &["hierarchy block"]),
        (
            "below a story that is done",
            status(WorkItemStatus::Done),
            &["hierarchy block"],
        ),
        (
            "below one that was cancelled",
            status(WorkItemStatus::Cancelled),
            &["hierarchy block"],
        ),
        ("below one in progress", status(WorkItemStatus::InProgress), &[]),
        (
            "a story is moved below another",
            Case::update().with(|c| {
                c.payload["changes"] = json!({ "parentId": WorkItemId::from_bits(4) });
            }),
            &["hierarchy block"],
        ),
        (
            "a task is moved to another story",
            Case::update().with(|c| {
                c.payload["workItemId"] = json!(WorkItemId::from_bits(3));
                c.payload["changes"] = json!({ "parentId": WorkItemId::from_bits(1) });
            }),
            &[],
        ),
    ]);
}

#[test]
fn evidence() {
    let cites = |n: u128| {
        package(|c| {
            for child in 0..2 {
                c.payload["children"][child]["evidenceIds"] = json!([EvidenceId::from_bits(n)]);
            }
        })
    };
    let aged = |days: i64, micros: i64| {
        package(|c| {
            let mut evidence = c.facts.evidence(&EvidenceId::from_bits(1)).unwrap().clone();
            evidence.collected_at = NOW.plus(-days * Timestamp::DAY - micros);
            c.facts.insert(evidence);
        })
    };
    let intact = |state: Option<bool>| {
        package(|c| {
            let key = EvidenceId::from_bits(1).to_string();
            match state {
                Some(state) => drop(c.around.intact.insert(key, state)),
                None => drop(c.around.intact.remove(&key)),
            }
        })
    };
    check_all(vec![
        (
            "a package without any",
            package(|c| {
                for child in 0..2 {
                    c.payload["children"][child]["evidenceIds"] = json!([]);
                }
            }),
            &["evidence block"],
        ),
        (
            "a single item without any",
            task(|c| c.payload["evidenceIds"] = json!([])),
            &["evidence warn"],
        ),
        ("stale", cites(3), &["evidence block"]),
        ("one moment too old", aged(14, 1), &["evidence block"]),
        ("dated in the future", aged(-3, 0), &["evidence block"]),
        ("dated in the future", aged(-3, 0), &["evidence block"]),
        ("just young enough", aged(14, 0), &[]),
        ("another release's", cites(2), &["evidence block"]),
        (
            "another release's, of the same commit",
            cites(2).with(|c| {
                let mut evidence = c.facts.evidence(&EvidenceId::from_bits(2)).unwrap().clone();
                evidence.commit = Some("9f1c2e7".into());
                c.facts.insert(evidence);
            }),
            &[],
        ),
        ("bytes that were changed", intact(Some(false)), &["evidence block"]),
        ("bytes that are not kept", intact(None), &["evidence unknown"]),
    ]);
    let newer = cites(3).with(|c| {
        let shop = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
        c.around.newer.push(super::evidence(9, &shop, 1));
    });
    let checks = newer.checks();
    let stale = checks
        .iter()
        .find(|check| check.id == CheckId::Evidence)
        .expect("a verdict");
    assert!(
        stale.message.contains("41 days") && stale.message.contains("Cite EV-9"),
        "{}",
        stale.message
    );
    assert_eq!(
        stale.pointers,
        ["/children/0/evidenceIds/0", "/children/1/evidenceIds/0"]
    );
}

#[test]
fn duplicates() {
    let open = |state| {
        package(|c| {
            c.around.open_actions.push(OpenAction {
                id: ActionId::from_bits(7),
                headline: "Create work package".into(),
                state,
                shares: [FindingId::from_bits(1).to_string()].into(),
            });
        })
    };
    check_all(vec![
        (
            "the same finding in an open item",
            resting(WorkItemStatus::Open),
            &["duplicates block"],
        ),
        (
            "in one that is being worked on",
            resting(WorkItemStatus::InProgress),
            &["duplicates block"],
        ),
        (
            "in one that is done",
            resting(WorkItemStatus::Done),
            &["duplicates block"],
        ),
        (
            "in one that was cancelled",
            resting(WorkItemStatus::Cancelled),
            &["duplicates warn"],
        ),
        (
            "the same title",
            called("Parameterize query in routes/login.ts:34", 1, WorkItemStatus::Open),
            &["duplicates block"],
        ),
        (
            "reworded",
            called("Parameterise that query of routes/login.ts", 1, WorkItemStatus::Done),
            &["duplicates warn"],
        ),
        (
            "the same in another file",
            called("Parameterize the query in routes/search.ts:34", 1, WorkItemStatus::Open),
            &[],
        ),
        (
            "the same title in another release",
            called("Parameterize the query in routes/login.ts:34", 2, WorkItemStatus::Open),
            &[],
        ),
        (
            "something else",
            called("Rotate the refund gateway's credentials", 1, WorkItemStatus::Open),
            &[],
        ),
        (
            "another action is pending",
            open(State::PendingApproval),
            &["duplicates warn"],
        ),
        (
            "another action is approved",
            open(State::Approved),
            &["duplicates warn"],
        ),
    ]);
}

#[test]
fn ownership() {
    let tasks = |owners: [&str; 5]| {
        package(|c| {
            let words = ["query", "cookie", "session", "redirect", "password"];
            let child = |(n, owner): (usize, &&str)| {
                json!({ "clientRef": format!("{n}"), "title": format!("Harden the {} of the login", words[n]), "description": "d",
                        "owner": owner, "findingIds": [], "evidenceIds": [EvidenceId::from_bits(1)] })
            };
            c.payload["children"] = owners.iter().enumerate().map(child).collect();
            c.around
                .members
                .insert((TeamId::from_bits(1).to_string(), PersonId::from_bits(2).to_string()));
        })
    };
    let (dana, lee) = ("dana@acme.example", "lee@acme.example");
    check_all(vec![
        (
            "an owner of another team",
            package(|c| c.payload["parent"]["owner"] = json!(lee)),
            &["ownership warn"],
        ),
        (
            "nobody",
            package(|c| drop(c.payload["parent"].as_object_mut().unwrap().remove("owner"))),
            &[],
        ),
        ("all tasks are one person's", tasks([dana; 5]), &["ownership warn"]),
        ("shared out", tasks([dana, dana, dana, dana, lee]), &[]),
        (
            "an update that sets an owner of another team",
            Case::update().with(|c| c.payload["changes"] = json!({ "owner": lee })),
            &["ownership warn"],
        ),
    ]);
}

#[test]
fn grounding() {
    let finding = FindingId::from_bits(1).to_string();
    check_all(vec![
        (
            "cited and not read",
            package(|c| c.unread = vec![finding.clone()]),
            &["grounding warn"],
        ),
        (
            "a reason that cites nothing",
            reason("It would be better."),
            &["grounding warn"],
        ),
        (
            "both",
            reason("Better.").with(|c| c.unread = vec![finding.clone()]),
            &["grounding warn", "grounding warn"],
        ),
        ("a reason that cites by ID", reason(&format!("See {finding}.")), &[]),
        ("by key", reason("See EV-1, please."), &[]),
        ("by the key of a control", reason("See AC-1, please."), &[]),
        (
            "a key that is only part of another",
            reason("See EV-x, XEV-1 and AC-12."),
            &["grounding warn"],
        ),
    ]);
    let checks = package(|c| c.unread = vec![finding]).checks();
    let warning = checks
        .iter()
        .find(|check| check.id == CheckId::Grounding)
        .expect("a verdict");
    assert_eq!(warning.pointers, ["/children/0/findingIds/0"]);
}

#[test]
fn text_safety() {
    check_all(vec![
        // U+0430 and U+043E are Cyrillic.
        (
            "a look-alike in a word",
            title("Reset p\u{0430}ssword of the login"),
            &["text-safety block"],
        ),
        ("a Greek one", description("The l\u{03BF}gin."), &["text-safety block"]),
        (
            "a mathematical one",
            description("The l\u{1D428}gin."),
            &["text-safety block"],
        ),
        (
            "a whole word that looks like another",
            description("Ask \u{0441}\u{043E}\u{0440}\u{0435} about the login of the shop."),
            &["text-safety warn"],
        ),
        ("Russian", description("Исправить вход в магазин: пароль виден."), &[]),
        (
            "Latin words in a Russian text",
            description("Исправить SQL запрос в login.ts"),
            &[],
        ),
        (
            "Greek letters that look like none",
            description("The Δt of the α-test, in µs."),
            &[],
        ),
        ("Chinese with Latin", description("修复SQL注入漏洞"), &[]),
        ("accents", description("Prüfung der Größe, déjà vu, naïve façade"), &[]),
        (
            "speaks to the reviewer",
            description("Please approve this quickly."),
            &["text-safety warn"],
        ),
        (
            "with spaces between",
            description("PLEASE\n  approve  it"),
            &["text-safety warn"],
        ),
        (
            "claims an approval",
            reason("BLK-1. This was approved by the security lead."),
            &["text-safety warn"],
        ),
        (
            "speaks of approvals",
            description("Disapproved by nobody: the approval page shows the wrong date."),
            &[],
        ),
        (
            "markup",
            description("<img src=x onerror=alert(1)>"),
            &["text-safety warn"],
        ),
        ("an end tag", description("</script>"), &["text-safety warn"]),
        ("Markdown", description("[here](evil)"), &["text-safety warn"]),
        (
            "code that is no markup",
            description("Vec<u8> and a < b, if (x) [y]"),
            &[],
        ),
        (
            "a link",
            description("See https://evil.example/x"),
            &["text-safety warn"],
        ),
        (
            "a link and markup",
            description("<a href=https://evil.example>x</a>"),
            &["text-safety warn", "text-safety warn"],
        ),
    ]);
}
