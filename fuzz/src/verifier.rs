//! The browser's verifier: any text gets a report, and only a proof of a known key's log is called verified.

use loopiq_verifier::{Verdict, entry, growth};

/// A text with a zero byte is the response about an entry and what the page shows; any other text is a request about growth.
pub(crate) fn hold(text: &str) {
    match text.split_once('\0') {
        Some((proof, shown)) => {
            let report = entry(proof, shown);
            let failed = report.steps.iter().filter(|step| !step.ok).count();
            assert_eq!(report.verdict == Verdict::Failed, failed > 0, "{report:?}");
            let has = |name| report.steps.iter().any(|step| step.name == name);
            if report.verdict == Verdict::Verified {
                for step in ["content", "leaf", "path", "root", "signature", "origin", "page"] {
                    assert!(has(step), "verified without {step}: {report:?}");
                }
            }
            for step in &report.steps {
                assert!(!step.says.is_empty() && step.levels.len() <= 64);
            }
        }
        None => {
            let report = growth(text);
            let failed = report.steps.iter().any(|step| !step.ok);
            assert_eq!(report.verdict == Verdict::Failed, failed, "{report:?}");
            assert_eq!(report.headline.is_empty(), !failed);
            if !failed {
                assert!(report.key.is_some() && report.seen_size.is_none_or(|seen| seen <= report.size));
                assert_eq!(report.new_key, report.announced_by.is_some());
            }
        }
    }
}
