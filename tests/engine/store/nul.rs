//! No use case stores the character U+0000 in either database: the engine refuses it as an error of the caller, and stored records stay
//! unchanged.

use crate::world::{World, text};
use loopiq::context::Ctx;
use loopiq::domain::{InstallationKind, ReasonCode, Role, TenantId, Timestamp};
use loopiq::engine::{ApprovalRequest, Error, Visit};
use loopiq::store::Asserted;
use loopiq::views::InboxQuery;
use loopiq_testing::fixtures::{browser_session, new_session};
use serde_json::{Value, json};

const NUL: &str = "a\u{0}b";

/// The outcome must not be a fault of the service: the engine refuses the call, or answers without the character.
fn sound<T: std::fmt::Debug>(what: &str, answer: Result<T, Error>) -> Option<T> {
    match answer {
        Err(error @ (Error::Internal { .. } | Error::Unavailable { .. })) => panic!("{what}: {error:?}"),
        Err(_) => None,
        Ok(answer) => Some(answer),
    }
}

/// The engine must refuse the call, because it would store the character.
fn refused<T: std::fmt::Debug>(what: &str, answer: Result<T, Error>) {
    if let Some(answer) = sound(what, answer) {
        panic!("{what} was let in: {answer:?}");
    }
}

/// Whether a row as text contains the character, directly or escaped in JSON.
fn holds(row: &str) -> bool {
    row.contains('\0')
        || row.match_indices("\\u0000").any(|(at, _)| {
            let before = row.as_bytes()[..at].iter().rev();
            before.take_while(|byte| **byte == b'\\').count() % 2 == 0
        })
}

/// Copies of a value, each with another string replaced.
fn poisoned(value: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    collect(value, String::new(), &mut places);
    let mut all = Vec::new();
    for place in places {
        let mut changed = value.clone();
        if let Some(text) = changed.pointer_mut(&place) {
            *text = json!(NUL);
        }
        all.push((place, changed));
    }
    let mut unknown = value.clone();
    unknown[NUL] = json!(1);
    all.push(("a name".to_owned(), unknown));
    all
}

fn collect(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::String(_) => places.push(place),
        Value::Array(items) => (0..)
            .zip(items)
            .for_each(|(n, item)| collect(item, format!("{place}/{n}"), places)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, item)| collect(item, format!("{place}/{name}"), places)),
        _ => {}
    }
}

/// Arguments for every tool that writes, with every string field of the tool.
fn calls(world: &World, pending: &str, question: &str) -> Vec<(&'static str, Value)> {
    let acme = &world.acme;
    let mut package = world.package("nul");
    package["module"] = json!("m");
    package["repository"] = json!("r");
    package["service"] = json!("s");
    package["supersedesActionId"] = json!(pending);
    let with = |more: Value| {
        let mut arguments = json!({ "idempotencyKey": "nul", "reason": "A reason.", "workflow": "w" });
        if let (Some(all), Value::Object(more)) = (arguments.as_object_mut(), more) {
            all.extend(more);
        }
        arguments
    };
    vec![
        ("loopiq_create_remediation_work_package", package),
        (
            "loopiq_create_work_item",
            with(
                json!({ "releaseId": acme.release, "teamId": acme.team, "kind": "story", "title": "A title of its own",
                "description": "d", "owner": "developer@acme.example", "priority": "low", "evidenceIds": [acme.evidence] }),
            ),
        ),
        (
            "loopiq_update_work_item",
            with(json!({ "workItemId": acme.story, "expectedVersion": 1,
                "changes": { "title": "t", "description": "d", "owner": "developer@acme.example" } })),
        ),
        (
            "loopiq_link_evidence",
            with(json!({ "evidenceId": acme.evidence, "controlId": acme.control })),
        ),
        (
            "loopiq_refresh_release_evidence",
            with(json!({ "releaseId": acme.release, "provider": "probe", "kind": "sarif" })),
        ),
        (
            "loopiq_update_finding_status",
            with(
                json!({ "findingId": acme.finding, "expectedVersion": 1, "status": "accepted", "justification": "j",
                "expiresAt": "2026-12-24T00:00:00Z" }),
            ),
        ),
        (
            "loopiq_accept_risk",
            with(
                json!({ "releaseId": acme.release, "findingIds": [acme.finding], "controlIds": [acme.control],
                "justification": "j", "compensatingControls": ["c"], "owner": "lead@acme.example", "expiresAt": "2026-12-24T00:00:00Z" }),
            ),
        ),
        (
            "loopiq_request_certification",
            with(json!({ "certificationId": acme.certification, "statement": "s" })),
        ),
        (
            "loopiq_add_audit_note",
            with(json!({ "actionId": pending, "text": "t" })),
        ),
        ("loopiq_withdraw_action", json!({ "actionId": pending, "reason": "r" })),
        (
            "loopiq_answer_question",
            json!({ "actionId": pending, "questionId": question, "answer": "a" }),
        ),
        ("loopiq_list_releases", json!({ "text": "t", "cursor": "c" })),
        (
            "loopiq_list_findings",
            json!({ "releaseId": acme.release, "text": "t", "cursor": "c" }),
        ),
        ("loopiq_search_evidence", json!({ "text": "t" })),
        ("loopiq_list_work_items", json!({ "text": "t" })),
        ("loopiq_find_similar_work_items", json!({ "title": "t" })),
        ("loopiq_get_action", json!({ "actionId": pending })),
    ]
}

#[tokio::test]
async fn no_use_case_stores_a_null_character() {
    let world = World::new().await;
    let engine = &world.engine;
    let (agent, reviewer, operator) = (
        world.client("developer"),
        world.person("reviewer"),
        world.person("operator"),
    );
    let (pending, digest) = world.proposed("k").await;
    engine.ask(&reviewer, &pending, "Why?").await.expect("asked");
    let question = text(&world.get(&pending).await["questions"][0], "id");

    // Agents.
    for (tool, arguments) in calls(&world, &pending, &question) {
        for (place, arguments) in poisoned(&arguments) {
            refused(
                &format!("{tool} {place}"),
                engine.call_tool(&agent, tool, arguments).await,
            );
        }
    }
    refused("a tool's name", engine.call_tool(&agent, NUL, json!({})).await);
    let mut traced = agent.clone();
    (traced.request_id, traced.trace_id) = (NUL.to_owned(), NUL.to_owned());
    refused(
        "a trace",
        engine
            .call_tool(&traced, "loopiq_create_remediation_work_package", world.package("t"))
            .await,
    );

    // People.
    let nuls = [NUL.to_owned()];
    refused("ask", engine.ask(&reviewer, &pending, NUL).await);
    refused(
        "reject",
        engine
            .reject(&reviewer, &pending, &digest, &[ReasonCode::Declined], NUL, "")
            .await,
    );
    refused(
        "reject's digest",
        engine
            .reject(&reviewer, &pending, NUL, &[ReasonCode::Declined], "no", "")
            .await,
    );
    refused(
        "prune",
        engine
            .prune(&reviewer, &pending, &digest, &["one".to_owned()], NUL, "")
            .await,
    );
    refused(
        "prune's parts",
        engine.prune(&reviewer, &pending, &digest, &nuls, "less", "").await,
    );
    let view = world.opened(&reviewer, &pending).await;
    for (what, consent) in [
        (
            "digest",
            ApprovalRequest {
                digest: NUL.to_owned(),
                ..world.consent(&pending, &digest).await
            },
        ),
        (
            "acknowledged",
            ApprovalRequest {
                acknowledged: nuls.to_vec(),
                view: view.clone(),
                ..world.consent(&pending, &digest).await
            },
        ),
        (
            "view",
            ApprovalRequest {
                view: NUL.to_owned(),
                ..world.consent(&pending, &digest).await
            },
        ),
    ] {
        refused(what, engine.approve(&reviewer, &pending, consent).await);
    }
    for consent in [
        ApprovalRequest {
            typed: NUL.to_owned(),
            view: view.clone(),
            ..world.consent(&pending, &digest).await
        },
        ApprovalRequest {
            opened: nuls.to_vec(),
            view: view.clone(),
            ..world.consent(&pending, &digest).await
        },
    ] {
        sound("consent", engine.approve(&reviewer, &pending, consent).await);
    }
    refused("execute", engine.execute(&reviewer, NUL, &view).await);
    refused(
        "view",
        engine
            .action_page(&reviewer, NUL, Visit::Opened)
            .await
            .map(|page| page.digest),
    );
    let (approved, digest) = world.story(7).await;
    world.approve("reviewer", &approved, &digest).await.expect("approved");
    refused("revoke", engine.revoke(&reviewer, &approved, NUL, "").await);
    let query = InboxQuery {
        text: NUL.into(),
        team: NUL.into(),
        ..InboxQuery::default()
    };
    sound("inbox", engine.inbox(&reviewer, &query).await.map(drop));
    sound(
        "search",
        engine.search_audit(&world.person("auditor"), NUL, NUL).await.map(drop),
    );

    // Operators.
    let base = engine.policy_page(&operator, None, None).await.expect("a page").today;
    for source in [
        "# a\u{0}b\n[evidence]\nmax_age_days = 7",
        "[evidence]\nmax_age_days = 7\n\n[[decide]]\nname = \"a\\u0000b\"\ngroups = [{ name = \"G\", roles = [\"lead\"] }]",
    ] {
        refused(source, engine.switch_policy(&operator, source, "", base).await);
    }
    let noted = engine
        .switch_policy(&operator, "[evidence]\nmax_age_days = 7", NUL, base)
        .await;
    refused("a policy's note", noted);
    let system = Ctx::system(world.acme.tenant.clone(), engine.runtime());
    refused("words", engine.change_generic_words(&operator, &nuls, &[]).await);
    refused("words", engine.change_generic_words(&system, &nuls, &[]).await);
    let small = || loopiq_testing::junit(1, "small");
    refused("a release", engine.import(&system, NUL, "f", small(), None, None).await);
    refused(
        "a file's name",
        engine.import(&system, "SHOP-1", NUL, small(), None, None).await,
    );

    // Sign-ins and tokens.
    engine
        .store()
        .decide_installation(InstallationKind::Demo, Timestamp(1))
        .await
        .expect("decided");
    let asserted = |n: usize| {
        let text = |at: usize, sound: &str| if at == n { NUL.to_owned() } else { sound.to_owned() };
        Asserted {
            issuer: if n == 0 {
                format!("{NUL}/demo-idp")
            } else {
                "http://h/demo-idp".to_owned()
            },
            subject: text(1, "s"),
            email: text(2, "s@acme.example").into(),
            name: text(3, "S"),
            roles: Some(vec![Role::Developer]),
            groups: Vec::new(),
        }
    };
    for n in 0..4 {
        refused(
            "a claim",
            engine
                .sign_in("acme", asserted(n), &loopiq::engine::RequestOrigin::default())
                .await,
        );
    }
    refused(
        "a tenant",
        engine
            .sign_in(NUL, asserted(9), &loopiq::engine::RequestOrigin::default())
            .await,
    );
    let tenant: TenantId = world.acme.tenant.clone();
    for (email, client, audience) in [
        (NUL, "Helix", "a"),
        ("developer@acme.example", NUL, "a"),
        ("developer@acme.example", "Helix", NUL),
    ] {
        refused("a token", engine.issue_token(&tenant, email, client, audience).await);
    }
    sound("a bearer", engine.authenticate(NUL, NUL).await.map(drop));

    // Sessions contain JSON, and no input can make a session unreadable.
    let store = engine.store();
    let data = json!({ "flash": NUL }).to_string();
    let (session, end) = (browser_session(1, None), Timestamp(i64::MAX));
    let kept = store.create_session(new_session("digest", &session, end), &data).await;
    assert!(kept.expect_err("refused").is_unstorable_text());
    store
        .create_session(new_session("digest", &session, end), "{}")
        .await
        .expect("a session");
    let kept = store.save_session("digest", &data).await;
    assert!(kept.expect_err("refused").is_unstorable_text());
    let session = store.session("digest", Timestamp(0)).await.expect("it is still read");
    assert_eq!(session.expect("a session").data, "{}");
    // A literal backslash with digits is ordinary text.
    let data = json!({ "flash": "\\u0000" }).to_string();
    store.save_session("digest", &data).await.expect("kept");

    engine.flush_reads().await.expect("kept");
    engine.index_audit_logs().await.expect("indexed");
    let held: Vec<String> = world.dump().await.into_iter().filter(|row| holds(row)).collect();
    assert_eq!(held, Vec::<String>::new());
    for tenant in [&world.acme.tenant, &world.globex.tenant] {
        let report = engine.verify_audit(tenant, &[]).await.expect("a report");
        assert!(report.bad.is_none(), "{report:?}");
    }
}

/// Scanners quote the files that they scan, and these may contain any character. A finding shows the character as a word, and the import reads a
/// file with the character in names the same way, or refuses the whole file. The stored records do not contain the character; the file's bytes
/// are stored unchanged.
#[tokio::test]
async fn a_file_with_null_characters_is_refused_or_read_without_them() {
    let files = [
        json!({ "version": "2.1.0", "runs": [{
            "tool": { "driver": { "name": "probe", "version": "1", "rules": [{ "id": "r", "shortDescription": { "text": "t" } }] } },
            "automationDetails": { "id": "category/" },
            "versionControlProvenance": [{ "repositoryUri": "https://h/r", "revisionId": "abc", "branch": "main" }],
            "invocations": [{ "executionSuccessful": true, "endTimeUtc": "2026-11-20T10:00:00Z" }],
            "results": [{ "ruleId": "r", "level": "error", "message": { "text": "m" }, "partialFingerprints": { "a": "b" },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": "f" },
                    "region": { "startLine": 1, "snippet": { "text": "s" } } }, "logicalLocations": [{ "fullyQualifiedName": "n" }] }] }],
        }] }),
        json!({ "id": "OSV-1", "modified": "2026-11-01T00:00:00Z", "summary": "s", "details": "d", "aliases": ["CVE-1"],
            "affected": [{ "package": { "name": "p", "ecosystem": "npm" }, "versions": ["1"] }] }),
        json!({ "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": { "timestamp": "2026-11-01T00:00:00Z", "component": { "name": "app", "type": "application", "version": "1" } },
            "components": [{ "bom-ref": "c", "name": "lib", "version": "2", "type": "library" }],
            "vulnerabilities": [{ "id": "CVE-2", "source": { "name": "NVD" }, "description": "d", "detail": "x",
                "ratings": [{ "severity": "high" }], "affects": [{ "ref": "c" }], "analysis": { "state": "exploitable", "detail": "y" } }] }),
        json!({ "catalog": { "metadata": { "title": "T", "version": "1", "oscal-version": "1.1.2", "last-modified": "2026-11-01T00:00:00Z" },
            "controls": [{ "id": "nul-1", "title": "t" }] } }),
        json!({ "assessment-results": {
            "metadata": { "title": "T", "version": "1", "oscal-version": "1.1.2", "last-modified": "2026-11-01T00:00:00Z" },
            "results": [{ "title": "r", "description": "d", "start": "2026-11-01T00:00:00Z",
                "findings": [{ "title": "f", "description": "d", "target": { "target-id": "ac-3", "status": { "state": "not-satisfied" } } }],
                "risks": [{ "uuid": "u", "title": "k", "description": "d", "statement": "s", "status": "open" }] }],
        } }),
    ];
    let world = World::new().await;
    let system = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let (mut read, mut files_read) = (0, 0);
    for file in &files {
        let whole = file.to_string().into_bytes();
        let report = world.engine.import(&system, "SHOP-1", "f", whole, None, None).await;
        files_read += usize::from(!report.expect("a sound file").unchanged);
        for (place, file) in poisoned(file) {
            let bytes = file.to_string().into_bytes();
            let answer = world.engine.import(&system, "SHOP-1", "f", bytes, None, None).await;
            read += usize::from(sound(&place, answer).is_some());
        }
    }
    assert_eq!(files_read, files.len());
    assert!(
        read > 20,
        "a scanner's text is no reason to refuse its findings: {read}"
    );
    for bytes in [
        b"<testsuite><testcase name=\"a\0b\"><failure/></testcase></testsuite>".to_vec(),
        b"<testsuite><testcase name=\"a&#0;b\"><failure/></testcase></testsuite>".to_vec(),
    ] {
        sound(
            "XML",
            world.engine.import(&system, "SHOP-1", "f", bytes, None, None).await,
        );
    }
    world.engine.index_audit_logs().await.expect("indexed");
    let held: Vec<String> = world
        .dump()
        .await
        .into_iter()
        .filter(|row| holds(row) && !row.starts_with("evidence_files|"))
        .collect();
    assert_eq!(held, Vec::<String>::new());
}
