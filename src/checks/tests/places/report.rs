//! Long lists, and the order of results.

use super::*;
use crate::checks::report::CheckReport;

#[test]
fn a_long_list_is_cut_and_its_whole_is_part_of_the_mark() {
    let check = |count: usize, last: &str| {
        let mut verdicts = CheckReport::new();
        let pointers = (1..count)
            .map(|n| format!("/{n}"))
            .chain([last.to_owned(), last.to_owned()]);
        verdicts.add(CheckCode::GenericTitle, Verdict::Warn, "m", None, pointers);
        verdicts.finish().remove(0)
    };
    let (fits, more) = (check(60, "/x"), check(61, "/x"));
    assert_eq!((fits.pointers.len(), fits.unlisted), (60, None), "each place once");
    assert_eq!((more.pointers.len(), more.unlisted.is_some()), (60, true));
    assert_ne!(check(61, "/y").mark(), more.mark());
    let facts = |count: u128| {
        let mut verdicts = CheckReport::new();
        let fact = |n| FactRef {
            kind: RecordKind::Finding,
            id: finding_id(n),
            key: None,
        };
        verdicts.add(
            CheckCode::GenericTitle,
            Verdict::Warn,
            "m",
            (0..count).chain([count - 1]).map(fact),
            None,
        );
        verdicts.finish().remove(0)
    };
    assert_eq!((facts(60).facts.len(), facts(60).unlisted), (60, None));
    assert_eq!((facts(61).facts.len(), facts(61).unlisted.is_some()), (60, true));
}

#[test]
fn the_worst_verdict_comes_first_and_a_pass_only_alone() {
    let mut verdicts = CheckReport::new();
    for verdict in [Verdict::Warn, Verdict::Block, Verdict::Unknown] {
        verdicts.add(CheckCode::GenericTitle, verdict, "m", None, None);
    }
    let ended: Vec<Verdict> = verdicts
        .or_pass(CheckCode::TitlesPassed, "p", None)
        .finish()
        .iter()
        .map(|one| one.verdict)
        .collect();
    assert_eq!(ended, [Verdict::Block, Verdict::Warn, Verdict::Unknown]);
}
