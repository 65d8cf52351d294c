//! `titles`: generic and repeated titles.

use super::*;

fn parent(text: &str) -> Case {
    package(|case| case.payload["parent"]["title"] = json!(text))
}

#[test]
fn generic_and_repeated_titles() {
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
        assert_eq!(title(generic).trouble(), ["titles.generic block"], "{generic}");
        assert_eq!(parent(generic).trouble(), ["titles.generic block"], "{generic}");
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
            &["titles.repeated block"],
        ),
        (
            "the parent's again",
            title("remove injection findings IN login"),
            &["titles.repeated block"],
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
                case.context.generic_words.insert("harden".into());
                case
            },
            &["titles.generic block"],
        ),
        ("without that word", title("Harden"), &[]),
        (
            "a title that an update sets",
            Case::update().with(|c| c.payload["changes"]["title"] = json!("Update item")),
            &["titles.generic block"],
        ),
    ]);
}
