//! `duplicates`: work items and open actions about the same work.

use super::*;

/// A work item that rests on the finding that the package is about.
fn resting(status: WorkItemStatus) -> Case {
    package(|case| {
        let shop = case.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
        let mut known = item(381, &shop, WorkItemKind::Task, "Use prepared statements");
        known.status = status;
        known.finding_ids = vec![FindingId::from_bits(1).to_string()];
        let finding = FindingId::from_bits(1).to_string();
        case.context
            .work_items_by_finding
            .insert(finding, [known.id.to_string()].into());
        case.context.work_items.insert(known.id.to_string(), known);
    })
}

/// A work item of this title, in this release.
fn called(title: &str, release_of: u128, status: WorkItemStatus) -> Case {
    package(|case| {
        let release = case.facts.release(&ReleaseId::from_bits(release_of)).unwrap().clone();
        let mut known = item(382, &release, WorkItemKind::Task, title);
        known.status = status;
        case.context.work_items.insert(known.id.to_string(), known);
    })
}

#[test]
fn work_that_exists() {
    let open = |state| {
        package(|c| {
            c.context.open_actions.push(OpenAction {
                id: ActionId::from_bits(7),
                headline: "Create work package".into(),
                state,
                shared_targets: [FindingId::from_bits(1).to_string()].into(),
            });
        })
    };
    check_all(vec![
        (
            "the same finding in an open item",
            resting(WorkItemStatus::Open),
            &["duplicates.same_findings block"],
        ),
        (
            "in one that is being worked on",
            resting(WorkItemStatus::InProgress),
            &["duplicates.same_findings block"],
        ),
        (
            "in one that is done",
            resting(WorkItemStatus::Done),
            &["duplicates.same_findings block"],
        ),
        (
            "in one that was cancelled",
            resting(WorkItemStatus::Cancelled),
            &["duplicates.same_findings warn"],
        ),
        (
            "the same title",
            called("Parameterize query in routes/login.ts:34", 1, WorkItemStatus::Open),
            &["duplicates.same_title block"],
        ),
        (
            "reworded",
            called("Parameterise that query of routes/login.ts", 1, WorkItemStatus::Done),
            &["duplicates.similar_title warn"],
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
            &["duplicates.open_actions warn"],
        ),
        (
            "another action is approved",
            open(State::Approved),
            &["duplicates.open_actions warn"],
        ),
    ]);
}

#[test]
fn results_about_open_actions_are_told_by_their_code() {
    let open = |count: u128| {
        package(|c| {
            c.context.open_actions.extend((1..=count).map(|n| OpenAction {
                id: ActionId::from_bits(n),
                headline: "Create work package".into(),
                state: State::PendingApproval,
                shared_targets: [FindingId::from_bits(1).to_string()].into(),
            }));
        })
    };
    let results = |case: &Case| -> Vec<Check> {
        let of_open_actions = |check: &Check| crate::checks::is_of_open_actions(check);
        case.checks().into_iter().filter(of_open_actions).collect()
    };
    assert_eq!(results(&open(10)).len(), 10, "each by itself");
    let many = results(&open(11));
    assert_eq!(many.len(), 1);
    assert!(
        many[0].facts.is_empty() && many[0].pointers == ["/children/0/findingIds/0"],
        "{many:?}"
    );
    assert_eq!(
        many[0].mark(),
        results(&open(12))[0].mark(),
        "the number of actions does not count"
    );
    let repeats = package(|c| c.context.repeats = Some(ActionId::from_bits(1)));
    assert_eq!(results(&repeats)[0].code, CheckCode::RepeatsPendingAction);
    assert!(results(&resting(WorkItemStatus::Cancelled)).is_empty());
}

#[test]
fn more_work_items_than_are_named_are_counted() {
    let case = package(|c| {
        let shop = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
        let finding = FindingId::from_bits(1).to_string();
        for n in 400..412 {
            let mut known = item(n, &shop, WorkItemKind::Task, &format!("Work {n}"));
            known.status = WorkItemStatus::Cancelled;
            let ids = c.context.work_items_by_finding.entry(finding.clone()).or_default();
            ids.insert(known.id.to_string());
            c.context.work_items.insert(known.id.to_string(), known);
        }
    });
    let rest = case.result(CheckCode::MoreWithSameFindings);
    assert_eq!(
        (rest.verdict, rest.message.as_str()),
        (Verdict::Warn, "2 more work items are about the same findings.")
    );
}

#[test]
fn a_similar_item_that_has_changed_is_acknowledged_again() {
    let mark = |title: &str, status| {
        let case = called(title, 1, status);
        let similar = case
            .checks()
            .into_iter()
            .find(|check| check.code == CheckCode::SimilarTitle);
        similar.expect("a similar title").mark()
    };
    let (title, other) = (
        "Parameterise that query of routes/login.ts",
        "Parameterise those queries of routes/login.ts",
    );
    let acknowledged = mark(title, WorkItemStatus::Cancelled);
    assert_eq!(mark(title, WorkItemStatus::Cancelled), acknowledged);
    assert_ne!(mark(title, WorkItemStatus::InProgress), acknowledged);
    assert_ne!(mark(other, WorkItemStatus::Cancelled), acknowledged);
}
