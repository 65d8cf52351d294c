//! Hostile text in every field.

use super::*;

#[test]
fn hostile_text_is_refused_or_shown_as_plain_text() {
    for (text, says) in [
        ("teams: [{ key: \"pay\\u202Ements\" }]", "U+202E"),
        ("teams: [{ key: payments, name: \"a\\u200Bb\" }]", "U+200B"),
        ("teams: [{ key: payments, name: \"a&#x202E;b\" }]", "as an entity"),
        ("teams: [{ key: payments, name: \"a\\nb\" }]", "must be one line"),
        ("teams: [{ key: payments, groups: [\"g\\u2066\"] }]", "U+2066"),
        (
            "releases: [{ key: R, controls: [{ key: A, title: \"\\u061C\" }] }]",
            "U+061C",
        ),
        (
            "teams: [{ key: team_00000000000000000000000001 }]",
            "cannot look like an ID",
        ),
        ("releases: [{ key: R, teams: [\"x\\u202Ey\"] }]", "U+202E"),
        ("\"te\\u202Eams\": []", "te⟦U+202E⟧ams"),
    ] {
        let found = mistakes(text).join("\n");
        assert!(found.contains(says) && !found.contains('\u{202E}'), "{text}: {found}");
    }
    let markup = "teams: [{ key: payments, name: \"<script>alert(1)</script>\" }]";
    assert_eq!(
        planned(markup, &Stored::default(), false),
        ["Create team payments"],
        "text without hidden characters is text"
    );
}
