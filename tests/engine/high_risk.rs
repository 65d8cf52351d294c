//! Approvals of high risk: the reviewer types a confirmation word and opens every section of the page.

use crate::world::{World, refused};
use loopiq::engine::{ApprovalRequest, Visit};

#[tokio::test]
async fn an_approval_of_high_risk_needs_a_typed_word() {
    let world = World::new().await;
    world
        .policy("[[risk]]\ntool = \"loopiq_create_remediation_work_package\"\nclass = \"high\"")
        .await;
    let (id, digest) = world.proposed("k1").await;
    let good = world.consent(&id, &digest).await;
    let unseen = refused(world.engine.approve(&world.person("reviewer"), &id, good.clone()).await);
    assert!(unseen.contains("open the action's page"), "{unseen}");
    world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Opened)
        .await
        .expect("opened");
    for typed in ["", "SHOP", "yes"] {
        let consent = ApprovalRequest {
            typed: typed.to_owned(),
            ..good.clone()
        };
        let why = refused(world.consent_as(&world.person("reviewer"), &id, consent).await);
        assert!(why.contains("typing SHOP-1"), "{why}");
    }
    world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Opened)
        .await
        .expect("opened");
    // A reviewer who typed the word may not have opened all sections. The refusal names the first closed section by its title.
    let page = world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Unrecorded)
        .await;
    let title = page.expect("a page").sections[0].title.to_string();
    assert!(
        good.opened.iter().any(|id| id.starts_with("record:fnd_")),
        "{:?}",
        good.opened
    );
    let unread = ApprovalRequest {
        opened: good.opened[1..].to_vec(),
        ..good.clone()
    };
    let why = refused(world.consent_as(&world.person("reviewer"), &id, unread).await);
    assert!(why.contains(&format!("still closed: {title}")), "{why}");
    let mut opened = vec!["a section that the page does not have".to_owned(); 400];
    opened.extend(good.opened.clone());
    let consent = ApprovalRequest {
        typed: " shop-1 ".to_owned(),
        opened,
        ..good
    };
    assert!(
        world
            .consent_as(&world.person("reviewer"), &id, consent)
            .await
            .expect("approved")
            .done
    );
    let entries = world
        .engine
        .search_audit(&world.person("auditor"), "event:action.approved", "")
        .await;
    let seq = entries.expect("entries").rows[0].seq;
    let entry = world
        .engine
        .audit_entry(&world.person("auditor"), seq)
        .await
        .expect("an entry");
    for part in [
        "\"typed\": \"SHOP-1\"",
        "\"openedSections\": [\n",
        "\"openedAt\": \"2026",
    ] {
        assert!(entry.content.contains(part), "{part} in {}", entry.content);
    }
    assert!(!entry.content.contains("does not have"), "{}", entry.content);
}

#[tokio::test]
async fn a_page_opened_before_a_stricter_policy_does_not_count_as_read() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    world
        .engine
        .action_page(&reviewer, &id, Visit::Opened)
        .await
        .expect("opened");
    world
        .policy("[[risk]]\ntool = \"loopiq_create_remediation_work_package\"\nclass = \"high\"")
        .await;
    let read = world.consent(&id, &digest).await;
    let guessed = ApprovalRequest {
        opened: Vec::new(),
        ..read.clone()
    };
    let why = refused(world.consent_as(&reviewer, &id, guessed).await);
    assert!(why.contains("still closed"), "{why}");
    assert!(world.consent_as(&reviewer, &id, read).await.expect("approved").done);
}
