//! The difference that a catalog makes, as text.

use loopiq::catalog::Tense;
use loopiq::domain::PlainText;
use loopiq::engine::CatalogReport;
use serde::Serialize;
use std::fmt;

/// The most entries that were not read and are named.
const MOST_SKIPPED: usize = 20;

#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Report(pub(super) CatalogReport);

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CatalogReport { applied, plan, .. } = &self.0;
        for step in &plan.steps {
            writeln!(f, "{}", PlainText::from(step.to_string()))?;
        }
        for one in plan.skipped.iter().take(MOST_SKIPPED) {
            writeln!(
                f,
                "not read: {}",
                PlainText::from(format!("{} ({}:{}): {}", one.what, one.file, one.line, one.why))
            )?;
        }
        if plan.skipped.len() > MOST_SKIPPED {
            writeln!(f, "not read: {} more entries", plan.skipped.len() - MOST_SKIPPED)?;
        }
        let tense = if *applied { Tense::Past } else { Tense::Present };
        write!(f, "{}. Left as they are: {}.", plan.summary(tense), plan.left)?;
        match applied {
            true => Ok(()),
            false => f.write_str(" Nothing was changed: this was a dry run."),
        }
    }
}
