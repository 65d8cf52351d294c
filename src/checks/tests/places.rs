//! The records and pointers of each result, and the names in its message.

use crate::checks::tests::*;

mod duplicates;
mod evidence;
mod report;
mod work;

/// The one verdict of a check that is no pass.
fn found(case: &Case, id: CheckId) -> Check {
    let checks = case.checks();
    let mut of = checks.iter().filter(|one| one.id == id && one.verdict != Verdict::Pass);
    match (of.next(), of.next()) {
        (Some(one), None) => one.clone(),
        _ => panic!("not one verdict: {checks:#?}"),
    }
}

/// Records and places of that verdict; its message holds these words.
fn names(case: &Case, id: CheckId, records: &[String], places: &[&str], words: &[&str]) {
    let check = found(case, id);
    let ids: Vec<&String> = check.facts.iter().map(|fact| &fact.id).collect();
    assert_eq!(ids, records.iter().collect::<Vec<_>>(), "{check:#?}");
    assert_eq!(check.pointers, places, "{check:#?}");
    for part in words {
        assert!(check.message.contains(part), "{part}: {check:#?}");
    }
    let listed = check
        .facts
        .iter()
        .all(|fact| RecordKind::of(&fact.id) == Some(fact.kind));
    assert!(listed && check.unlisted.is_none(), "{check:#?}");
}

/// What a passing check says.
fn passes(case: &Case, id: CheckId, words: &str) {
    let checks = case.checks();
    let of: Vec<_> = checks.iter().filter(|one| one.id == id).collect();
    assert!(
        of.len() == 1 && of[0].verdict == Verdict::Pass && of[0].message.contains(words),
        "{of:#?}"
    );
}

fn finding_id(n: u128) -> String {
    FindingId::from_bits(n).to_string()
}

#[test]
fn scope() {
    let (team, release) = (TeamId::from_bits(2).to_string(), ReleaseId::from_bits(1).to_string());
    let other = package(|c| c.payload["certificationId"] = json!(CertificationId::from_bits(2)));
    let certification = CertificationId::from_bits(2).to_string();
    names(
        &other,
        CheckId::Context,
        &[certification],
        &["/certificationId"],
        &["SOC2-2", "SHOP-1"],
    );
    let elsewhere = package(|c| {
        c.payload["teamId"] = json!(TeamId::from_bits(2));
        c.context
            .members
            .insert((team.clone(), PersonId::from_bits(1).to_string()));
        c.payload["application"] = json!("kiosk");
    });
    names(
        &elsewhere,
        CheckId::Context,
        &[team],
        &["/teamId"],
        &["Ledger", "SHOP-1"],
    );
    let kiosk = package(|c| c.payload["application"] = json!("kiosk"));
    let component = ComponentId::from_bits(3).to_string();
    names(
        &kiosk,
        CheckId::Context,
        &[component],
        &["/application"],
        &["kiosk", "Checkout"],
    );
    let out = |case: Case| {
        case.with(|c| {
            let mut release = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
            release.status = ReleaseStatus::Released;
            c.facts.insert(release);
        })
    };
    names(
        &out(Case::package()),
        CheckId::Context,
        std::slice::from_ref(&release),
        &["/releaseId"],
        &["SHOP-1"],
    );
    names(&out(Case::update()), CheckId::Context, &[release], &[], &[]);
    passes(
        &Case::package(),
        CheckId::Context,
        "Release SHOP-1, certification SOC2-1 and team Checkout",
    );
    passes(&Case::task(), CheckId::Context, "Release SHOP-1 and team Checkout");
}

#[test]
fn foreign_references() {
    let foreign = package(|c| {
        c.payload["children"][0]["findingIds"] = json!([finding_id(1), finding_id(2)]);
        c.payload["children"][0]["controlIds"] = json!([ControlId::from_bits(2)]);
    });
    names(
        &foreign,
        CheckId::Unrelated,
        &[finding_id(2), ControlId::from_bits(2).to_string()],
        &["/children/0/findingIds/1", "/children/0/controlIds/0"],
        &["finding FND-2 and control AC-2", "SHOP-1"],
    );
    let blocker = package(|c| c.payload["blockerIds"] = json!([BlockerId::from_bits(2)]));
    let id = BlockerId::from_bits(2).to_string();
    names(
        &blocker,
        CheckId::Unrelated,
        &[id],
        &["/blockerIds/0"],
        &["blocker BLK-2"],
    );
    let fixed = package(|c| {
        let mut finding = c.facts.finding(&finding_id(1)).unwrap().clone();
        finding.status = FindingStatus::Fixed;
        c.facts.insert(finding);
    });
    names(
        &fixed,
        CheckId::Unrelated,
        &[finding_id(1)],
        &["/children/0/findingIds/0"],
        &["No longer open", "finding FND-1"],
    );
    let resolved = package(|c| {
        let mut blocker = c.facts.blocker(&BlockerId::from_bits(1)).unwrap().clone();
        blocker.status = BlockerStatus::Resolved;
        c.facts.insert(blocker);
    });
    let id = BlockerId::from_bits(1).to_string();
    names(
        &resolved,
        CheckId::Unrelated,
        &[id],
        &["/blockerIds/0"],
        &["blocker BLK-1"],
    );
    passes(&Case::package(), CheckId::Unrelated, "SHOP-1");
    let task = Case::task().checks();
    assert!(
        task.iter().all(|one| one.id != CheckId::Unrelated),
        "it refers to nothing that can be foreign"
    );
}

#[test]
fn citations() {
    let unknown = finding_id(99);
    let unread = package(|c| c.unread = vec![finding_id(1), unknown.clone()]);
    names(
        &unread,
        CheckId::Grounding,
        &[finding_id(1), unknown.clone()],
        &["/children/0/findingIds/0"],
        &[&format!("FND-1 and {unknown}")],
    );
    let cites = |reason: &str| package(|c| c.payload["reason"] = json!(reason));
    for reason in ["FND-1", "WI-12: x", "(BLK-7)", "AC-1", "see SOC2-1."] {
        passes(&cites(reason), CheckId::Grounding, "the reason names a record");
    }
    for reason in [
        "", "FND-", "FND-x", "ABC-1", "XAC-1", "AC-1x", "AC-12", "-AC-1", "AC-1_",
    ] {
        names(
            &cites(reason),
            CheckId::Grounding,
            &[],
            &["/reason"],
            &["names no record"],
        );
    }
}

#[test]
fn text_safety() {
    let text = |field: &str, text: &str| package(|c| c.payload["children"][0][field] = json!(text));
    for (written, example) in [
        ("See HTTPS://Evil.example/x now", "(https://evil.example/x)"),
        ("see www.evil.example and http://b", "(www.evil.example)"),
        ("An <IMG src=x>", "(<img)"),
        ("An <!--x-->", "(<!--)"),
        ("An <a href=x>", "(<a)"),
        ("A [x](y)", "(]()"),
        ("It was already  Approved", "(already approved)"),
        ("don\u{2019}t reject it", "(don't reject)"),
    ] {
        let case = text("description", written);
        names(
            &case,
            CheckId::TextSafety,
            &[],
            &["/children/0/description"],
            &[example],
        );
    }
    for harmless in ["An <abbr> and a <inputs>", "a <b", "unapprove this", "x]y(z)"] {
        passes(
            &text("description", harmless),
            CheckId::TextSafety,
            "No hidden or misleading characters.",
        );
    }
    let both = package(|c| {
        c.payload["reason"] = json!("BLK-1: see https://a.example");
        c.payload["parent"]["description"] = json!("https://b.example");
    });
    names(
        &both,
        CheckId::TextSafety,
        &[],
        &["/parent/description", "/reason"],
        &["(https://b.example)"],
    );
    let half = text("description", "\u{0441}\u{043E}\u{0440}\u{0435} copy");
    names(
        &half,
        CheckId::TextSafety,
        &[],
        &["/children/0/description"],
        &["\u{0441}\u{043E}\u{0440}\u{0435}"],
    );
    passes(
        &text("description", "\u{0441}\u{043E}\u{0440}\u{0435} cop"),
        CheckId::TextSafety,
        "No hidden or misleading characters.",
    );
    passes(
        &text("description", "copy \u{0441} copy"),
        CheckId::TextSafety,
        "No hidden or misleading characters.",
    );
}
