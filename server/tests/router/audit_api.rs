//! The API of the audit log: proofs, checkpoints and keys, and who gets them.

use crate::support::Service;
use loopiq::domain::TenantId;
use loopiq_audit_log::{Checkpoint, ConsistencyProof, InclusionProof, Note, PublicKey};
use reqwest::Method;
use serde_json::Value;

async fn signed(service: &Service) -> u64 {
    let tenant = TenantId::parse("acme").unwrap();
    let signed = service.state.engine.sign_checkpoint(&tenant).await.unwrap();
    match signed {
        loopiq::engine::Signed::New(checkpoint) => checkpoint.size,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_auditor_verifies_an_entry_with_what_the_api_says() {
    let service = Service::start().await;
    let mut auditor = service.signed_in("auditor@acme.example").await;
    let old = signed(&service).await;
    service.signed_in("reviewer@acme.example").await;
    let size = signed(&service).await;
    assert!(old < size);

    let keys = service.browser().get("/api/v1/audit/keys").await;
    assert_eq!(
        (keys.status, keys.header("content-type")),
        (200, "text/plain; charset=utf-8")
    );
    let keys: Vec<PublicKey> = keys.text.lines().map(|line| line.parse().unwrap()).collect();
    let note = |text: &str| -> Checkpoint {
        let note: Note = text.parse().unwrap();
        note.verify(&keys).unwrap();
        note.text.parse().unwrap()
    };
    let latest = note(&auditor.get("/api/v1/audit/checkpoint").await.text);
    let older = note(&auditor.get(&format!("/api/v1/audit/checkpoint?size={old}")).await.text);
    assert_eq!(
        (latest.size, older.size, latest.origin.as_str()),
        (size, old, "loopiq.test/audit/acme")
    );

    let proof = auditor.get("/api/v1/audit/1/proof").await;
    let proof: Value = serde_json::from_str(&proof.text).unwrap();
    let inclusion: InclusionProof = serde_json::from_value(proof["inclusion"].clone()).unwrap();
    let leaf = proof["leaf"].as_str().unwrap();
    assert_eq!(inclusion.verify(leaf.as_bytes(), &latest.root), Ok(()));
    let content = loopiq_audit_log::content_hash(proof["salt"].as_str().unwrap(), proof["content"].as_str().unwrap());
    assert!(leaf.contains(&content.to_string()));
    assert_eq!(note(proof["checkpoint"].as_str().unwrap()), latest);

    let growth = auditor
        .get(&format!("/api/v1/audit/consistency?from={old}&to={size}"))
        .await;
    let growth: ConsistencyProof = serde_json::from_str(&growth.text).unwrap();
    assert_eq!(growth.verify(&older.root, &latest.root), Ok(()));
}

#[tokio::test]
async fn the_api_answers_bad_requests_with_problem_details() {
    let service = Service::start().await;
    let mut auditor = service.signed_in("auditor@acme.example").await;
    let none = auditor.get("/api/v1/audit/checkpoint").await;
    assert_eq!(none.status, 404);
    signed(&service).await;
    let cases = [
        ("/api/v1/audit/x/proof", 400),
        ("/api/v1/audit/0/proof", 404),
        ("/api/v1/audit/-1/proof", 404),
        ("/api/v1/audit/99999/proof", 404),
        ("/api/v1/audit/99999999999999999999/proof", 400),
        ("/api/v1/audit/checkpoint?size=x", 400),
        ("/api/v1/audit/checkpoint?size=-1", 400),
        ("/api/v1/audit/checkpoint?size=18446744073709551615", 404),
        ("/api/v1/audit/consistency", 400),
        ("/api/v1/audit/consistency?from=1", 400),
        ("/api/v1/audit/consistency?from=0&to=1", 404),
        ("/api/v1/audit/consistency?from=2&to=1", 404),
        ("/api/v1/audit/consistency?from=1&to=18446744073709551615", 404),
        ("/api/v1/audit/consistency?from=1&to=99999", 404),
    ];
    for (path, status) in cases {
        let answer = auditor.get(path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, "application/problem+json"),
            "{path}: {}",
            answer.text
        );
    }
    // A program without a session gets no redirect to a page, and a person without the role learns nothing.
    let paths = [
        "/api/v1/audit/1/proof",
        "/api/v1/audit/checkpoint",
        "/api/v1/audit/consistency?from=1&to=1",
        "/api/v1/audit/key-rotations",
    ];
    let mut reviewer = service.signed_in("reviewer@acme.example").await;
    for path in paths {
        let mut nobody = service.browser();
        let request = nobody.request(Method::GET, path);
        let answer = nobody.send(request).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (401, "application/problem+json"),
            "{path}"
        );
        let answer = reviewer.get(path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (403, "application/problem+json"),
            "{path}"
        );
    }
}
