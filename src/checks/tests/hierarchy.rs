//! `hierarchy`: parents of tasks and stories.

use super::*;

#[test]
fn parents_that_do_not_fit() {
    let parent = |n: u128| task(|c| c.payload["parentId"] = json!(WorkItemId::from_bits(n)));
    let status = |status| {
        task(|c| {
            let mut changed = c.facts.work_item(&WorkItemId::from_bits(1)).unwrap().clone();
            changed.status = status;
            c.facts.insert(changed);
        })
    };
    check_all(vec![
        (
            "a task without a parent",
            task(|c| drop(c.payload.as_object_mut().unwrap().remove("parentId"))),
            &["hierarchy.task_without_parent block"],
        ),
        (
            "a story without one",
            task(|c| {
                c.payload.as_object_mut().unwrap().remove("parentId");
                c.payload["kind"] = json!("story");
            }),
            &[],
        ),
        (
            "below another release's story",
            parent(2),
            &["hierarchy.parent_of_other_release block"],
        ),
        ("below a task", parent(3), &["hierarchy.parent_is_task block"]),
        (
            "below a story that is done",
            status(WorkItemStatus::Done),
            &["hierarchy.parent_done block"],
        ),
        (
            "below one that was cancelled",
            status(WorkItemStatus::Cancelled),
            &["hierarchy.parent_cancelled block"],
        ),
        ("below one in progress", status(WorkItemStatus::InProgress), &[]),
        (
            "a story is moved below another",
            Case::update().with(|c| {
                c.payload["changes"] = json!({ "parentId": WorkItemId::from_bits(4) });
            }),
            &["hierarchy.story_with_parent block"],
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
