//! `grounding`: citations that were not read, and reasons without a record.

use super::*;

#[test]
fn unread_citations_and_reasons_without_a_record() {
    let finding = FindingId::from_bits(1).to_string();
    check_all(vec![
        (
            "cited and not read",
            package(|c| c.unread = vec![finding.clone()]),
            &["grounding.unread warn"],
        ),
        (
            "a reason that cites nothing",
            reason("It would be better."),
            &["grounding.reason_without_record warn"],
        ),
        (
            "both",
            reason("Better.").with(|c| c.unread = vec![finding.clone()]),
            &["grounding.unread warn", "grounding.reason_without_record warn"],
        ),
        ("a reason that cites by ID", reason(&format!("See {finding}.")), &[]),
        ("by key", reason("See EV-1, please."), &[]),
        ("by the key of a control", reason("See AC-1, please."), &[]),
        (
            "a key that is only part of another",
            reason("See EV-x, XEV-1 and AC-12."),
            &["grounding.reason_without_record warn"],
        ),
    ]);
    let warning = package(|c| c.unread = vec![finding]).result(CheckCode::CitedUnread);
    assert_eq!(warning.pointers, ["/children/0/findingIds/0"]);
}
