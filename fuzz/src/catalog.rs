//! Catalogs: mistakes are bounded and point to a line of the file; a catalog that was applied changes nothing when it is applied again.

use loopiq::catalog::{self, Problems, SourceFile, Stored, StoredRecord};
use loopiq::domain::text::hides;

/// The most mistakes in one report.
const MOST_MISTAKES: usize = 100;

pub(crate) fn hold(source: &str) {
    let files = [SourceFile {
        name: "catalog.yaml".to_owned(),
        text: source.to_owned(),
    }];
    let catalog = match catalog::read(&files) {
        Ok(catalog) => catalog,
        Err(problems) => return reported(source, &problems),
    };
    assert_eq!(
        catalog::read(&files).as_ref(),
        Ok(&catalog),
        "it reads otherwise a second time"
    );
    let mut stored = Stored::default();
    let plan = match catalog::plan(&catalog, &stored, false) {
        Ok(plan) => plan,
        Err(problems) => return reported(source, &problems),
    };
    for step in plan.steps {
        assert!(!step.to_string().contains('\n'), "{step}");
        stored.insert(StoredRecord {
            id: step.ident.key.clone(),
            ident: step.ident,
            fields: step
                .fields
                .into_iter()
                .map(|change| (change.field, change.after))
                .collect(),
            is_retired: false,
        });
    }
    let again = catalog::plan(&catalog, &stored, true).expect("what was applied can be applied again");
    assert!(again.steps.is_empty(), "{:?}", again.steps);
}

fn reported(source: &str, problems: &Problems) {
    assert!(!problems.is_empty(), "refused for nothing");
    assert!(
        problems.first.len() <= MOST_MISTAKES,
        "{} mistakes",
        problems.first.len()
    );
    // YAML has more line breaks than \n; a mistake at the end is on the line after the last one.
    let lines = source.chars().filter(|c| matches!(c, '\n' | '\r')).count() + 2;
    for problem in &problems.first {
        assert!(problem.line as usize <= lines, "line {} of {lines}", problem.line);
        assert!(!problem.message.is_empty());
        let text = problem.to_string();
        assert!(!text.contains(['\n', '\r']) && !hides(&text), "{text:?}");
        assert!(text.chars().count() <= 2_000, "{} characters", text.chars().count());
    }
}
