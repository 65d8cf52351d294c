//! What `duplicates` names.

use super::*;

/// A work item of this number that rests on the finding of the package.
fn resting(c: &mut Case, n: u128, status: WorkItemStatus) {
    let shop = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
    let mut known = item(n, &shop, WorkItemKind::Task, &format!("Another thing ({n})"));
    known.status = status;
    let resting = c.context.work_items_by_finding.entry(finding_id(1)).or_default();
    resting.insert(known.id.to_string());
    c.context.work_items.insert(known.id.to_string(), known);
}

#[test]
fn duplicates_of_work() {
    for (status, clears) in [
        (
            WorkItemStatus::Open,
            "WI-50 (open) \"Another thing (50)\" is already about FND-1. Update that one",
        ),
        (
            WorkItemStatus::InProgress,
            "WI-50 (in progress) \"Another thing (50)\" is already about FND-1. Update that one",
        ),
        (
            WorkItemStatus::Done,
            "WI-50 (done) \"Another thing (50)\" is already about FND-1. Reopen that one",
        ),
        (
            WorkItemStatus::Cancelled,
            "WI-50 (cancelled) \"Another thing (50)\" is already about FND-1. Check why",
        ),
    ] {
        let case = package(|c| resting(c, 50, status));
        let records = [WorkItemId::from_bits(50).to_string(), finding_id(1)];
        names(
            &case,
            CheckId::Duplicates,
            &records,
            &["/children/0/findingIds/0"],
            &[clears],
        );
    }
    let of = |count: u128, last: WorkItemStatus| {
        let case = package(|c| {
            for n in 0..count {
                resting(
                    c,
                    50 + n,
                    if n + 1 == count {
                        last
                    } else {
                        WorkItemStatus::Cancelled
                    },
                );
            }
        });
        let checks = case.checks();
        checks
            .into_iter()
            .filter(|one| one.id == CheckId::Duplicates)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(10, WorkItemStatus::Open).len(), 10, "each is named");
    let many = of(13, WorkItemStatus::Open);
    let rest: Vec<_> = many.iter().filter(|one| one.facts.is_empty()).collect();
    assert_eq!((many.len(), rest.len()), (11, 1));
    assert!(rest[0].message.starts_with("3 more work items"), "{rest:#?}");
    assert_eq!(
        (rest[0].verdict, rest[0].pointers.len()),
        (Verdict::Block, 1),
        "the worst of them counts"
    );
}

#[test]
fn duplicates_by_title() {
    let called = |title: &str, own: u128| {
        package(|c| {
            let shop = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
            let known = item(own, &shop, WorkItemKind::Task, title);
            c.context.work_items.insert(known.id.to_string(), known);
        })
    };
    let same = called("In routes/login.ts:34 parameterize the query", 60);
    let records = [WorkItemId::from_bits(60).to_string()];
    names(
        &same,
        CheckId::Duplicates,
        &records,
        &["/children/0/title"],
        &["WI-60 (open) \"In routes/login.ts:34 parameterize the query\" has the same title. Update that one"],
    );
    // Of several the likest is named, and an item is not compared with itself.
    let several = same.with(|c| {
        let shop = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
        for (n, title) in [
            (59, "Parameterize another query in routes/login.ts"),
            (61, "Parameterize that query of routes/login.ts now"),
        ] {
            c.context.work_items.insert(
                WorkItemId::from_bits(n).to_string(),
                item(n, &shop, WorkItemKind::Task, title),
            );
        }
    });
    names(
        &several,
        CheckId::Duplicates,
        &records,
        &["/children/0/title"],
        &["WI-60 (open)", "has the same title"],
    );
    let own = Case::update().with(|c| {
        let known = c.facts.work_item(&WorkItemId::from_bits(1)).unwrap().clone();
        c.context.work_items.insert(
            known.id.to_string(),
            WorkItem {
                title: "Harden the sign-in against guessing".into(),
                ..known
            },
        );
    });
    passes(&own, CheckId::Duplicates, "No duplicate found.");
    let untitled = Case::update().with(|c| c.payload["changes"] = json!({ "priority": "high" }));
    passes(&untitled, CheckId::Duplicates, "No other open action");
}

/// Open actions of these numbers that are about the finding.
fn open_actions(c: &mut Case, count: u128) {
    c.context.open_actions = (0..count)
        .map(|n| OpenAction {
            id: ActionId::from_bits(70 + n),
            headline: "Create work package.".into(),
            state: State::PendingApproval,
            shared_targets: [finding_id(1), finding_id(99)].into(),
        })
        .collect();
}

#[test]
fn duplicates_of_open_actions() {
    let one = package(|c| open_actions(c, 1));
    let id = ActionId::from_bits(70).to_string();
    names(
        &one,
        CheckId::Duplicates,
        std::slice::from_ref(&id),
        &["/children/0/findingIds/0"],
        &["is also about FND-1: Create work package. Decide"],
    );
    assert!(crate::checks::is_of_open_actions(&found(&one, CheckId::Duplicates)));
    let repeats = package(|c| {
        open_actions(c, 1);
        c.context.repeats = Some(ActionId::from_bits(70));
    });
    names(
        &repeats,
        CheckId::Duplicates,
        &[id],
        &[],
        &["The same proposal is already pending."],
    );
    let many = package(|c| open_actions(c, 11));
    names(
        &many,
        CheckId::Duplicates,
        &[],
        &["/children/0/findingIds/0"],
        &["Many other open actions"],
    );
    assert!(crate::checks::is_of_open_actions(&found(&many, CheckId::Duplicates)));
    let ten = package(|c| open_actions(c, 10)).checks();
    assert_eq!(ten.iter().filter(|one| one.id == CheckId::Duplicates).count(), 10);
    let work = found(
        &package(|c| resting(c, 50, WorkItemStatus::Cancelled)),
        CheckId::Duplicates,
    );
    assert!(!crate::checks::is_of_open_actions(&work), "{work:#?}");
    let action = found(&one, CheckId::Duplicates);
    for code in CheckCode::ALL {
        let expected = matches!(code, CheckCode::OpenActions | CheckCode::RepeatsPendingAction);
        let check = Check {
            code: *code,
            ..action.clone()
        };
        assert_eq!(crate::checks::is_of_open_actions(&check), expected, "{}", code.as_str());
    }
}
