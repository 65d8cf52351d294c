//! Drafts of several files.

use super::*;

#[test]
fn a_draft_keeps_files_with_their_names_and_lines() {
    let files = [
        file("a.yaml", "%YAML 1.2\n---\nteams: []"),
        file("b: c.yaml", "\u{feff}teams: []\r\n"),
        file("empty.yaml", ""),
        file("nested.yaml", "teams: []\n--- # file: other\nservices: []\n---\n"),
    ];
    let draft = draft_of(&files);
    let read: Vec<(String, String)> = files_of(&draft).into_iter().map(|one| (one.name, one.text)).collect();
    let expected = [
        ("a.yaml", "%YAML 1.2\n---\nteams: []\n"),
        ("b: c.yaml", "teams: []\n"),
        ("empty.yaml", ""),
        ("nested.yaml", "teams: []\n---  # file: other\nservices: []\n---\n"),
    ];
    assert_eq!(read, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert_eq!(draft_of(&files_of(&draft)), draft, "the split loses nothing");

    let typed = files_of("teams: []\n--- # file: b.yaml\nservices: []\n");
    assert_eq!(
        typed,
        [file("catalog", "teams: []\n"), file("b.yaml", "services: []\n")]
    );
    assert_eq!(
        files_of("--- # a comment\nteams: []"),
        [file("catalog", "--- # a comment\nteams: []")]
    );
    assert_eq!(files_of(""), [file("catalog", "")]);
    let hidden = draft_of(&[file("a\nb\u{202E}.yaml", "")]);
    assert_eq!(hidden, "--- # file: a b⟦U+202E⟧.yaml\n");
}

#[test]
fn a_mistake_in_one_file_hides_none_of_the_next() {
    let draft = draft_of(&[
        file("tab.yaml", "teams:\n\t- a\n"),
        file("next.yaml", "\nsevices: []\n"),
    ]);
    let problems = read(&files_of(&draft)).unwrap_err().to_string();
    assert!(
        problems.contains("tab.yaml:2: ") && problems.contains("next.yaml:2: sevices"),
        "{problems}"
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_key() {
    assert_eq!(
        planned("\u{feff}teams: [{ key: a }]", &Stored::default(), false),
        ["Create team a"]
    );
}
