//! The page of a release.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::pages::record_names::RecordNames;
use crate::engine::{Engine, Error};
use crate::store::{ListFilter, ReadTx};
use crate::views::{Label, Listed, Part, ReleaseBlocker, ReleaseEvidence, ReleaseFinding, ReleasePage, When};

/// The records of a list on the page.
const SHOWN: usize = 50;
/// The longest text of the search, in characters.
const LONGEST_TEXT: usize = 200;

/// Which list a page continues.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Blockers,
    Findings,
    Evidence,
}

impl Engine {
    /// A release with its open blockers, findings and evidence. `text`: what titles and names contain. `after`: the ID of the last record of the list that
    /// the page continues; empty for the beginning of all lists.
    pub async fn release_page(&self, ctx: &Ctx, key: &str, text: &str, after: &str) -> Result<ReleasePage, Error> {
        self.authorize(ctx, Permission::ReadCatalog).await?;
        let text = text.trim();
        if text.contains('\0') || text.chars().count() > LONGEST_TEXT {
            return Err(Error::field("/text", "must be at most 200 characters, without U+0000"));
        }
        let continued = match after {
            "" => None,
            id if BlockerId::parse(id).is_ok() => Some(List::Blockers),
            id if FindingId::parse(id).is_ok() => Some(List::Findings),
            id if EvidenceId::parse(id).is_ok() => Some(List::Evidence),
            _ => {
                return Err(Error::field(
                    "/after",
                    "must be the ID of a blocker, a finding or a file of evidence",
                ));
            }
        };
        let shows = |list: List| continued.is_none_or(|one| one == list);
        let tx = &mut self.store.read(ctx).await?;
        let release = find(tx, key).await?;
        let filter = ListFilter {
            release: Some(release.id.to_string()),
            text: Some(text.to_owned()),
            after: Some(after.to_owned()).filter(|after| !after.is_empty()),
            limit: SHOWN as i64 + 1,
            ..ListFilter::default()
        };
        let certifications = tx.certifications_of(&[release.id.as_str()]).await?;
        let blockers = match shows(List::Blockers) {
            true => blockers(tx, &filter).await?,
            false => Part::default(),
        };
        let findings = match shows(List::Findings) {
            true => part(
                tx.list_findings(&filter).await?,
                |one| one.id.to_string(),
                |one| finding(one, &release.id),
            ),
            false => Part::default(),
        };
        let evidence = match shows(List::Evidence) {
            true => part(
                tx.list_evidence(&filter).await?,
                |one| one.id.to_string(),
                |one| evidence(one, ctx.now()),
            ),
            false => Part::default(),
        };
        let certification = |one: &Certification| (one.key.as_str().into(), one.status.label().to_lowercase());
        Ok(ReleasePage {
            key: (&release.key).into(),
            name: (&release.name).into(),
            status: release.status,
            certifications: Listed {
                shown: certifications.iter().map(certification).collect(),
                total: certifications.len(),
            },
            text: text.into(),
            is_continued: continued.is_some(),
            blockers,
            findings,
            evidence,
            may_search: allows(&ctx.principal, Permission::SearchAudit),
        })
    }
}

async fn find(tx: &mut ReadTx, key: &str) -> Result<Release, Error> {
    let filter = ListFilter {
        release: Some(key.to_owned()).filter(|key| !key.is_empty()),
        limit: 1,
        ..ListFilter::default()
    };
    let found = match filter.release {
        Some(_) => tx.list_releases(&filter).await?.pop(),
        None => None,
    };
    found.ok_or_else(|| Error::NotFound {
        kind: RecordKind::Release,
        id: text::visible(key),
    })
}

/// The first records, and where the next ones begin.
fn part<R, T>(mut records: Vec<R>, id: impl Fn(&R) -> String, view: impl Fn(R) -> T) -> Part<T> {
    let has_more = records.len() > SHOWN;
    records.truncate(SHOWN);
    Part {
        next: records.last().filter(|_| has_more).map(id),
        shown: records.into_iter().map(view).collect(),
    }
}

async fn blockers(tx: &mut ReadTx, filter: &ListFilter) -> Result<Part<ReleaseBlocker>, Error> {
    let open = ListFilter {
        status: Some(BlockerStatus::Open.as_str().to_owned()),
        ..filter.clone()
    };
    let blockers = tx.list_blockers(&open).await?;
    let subject = |one: &Blocker| {
        let finding = one.finding_id.as_ref().map(ToString::to_string);
        finding.or_else(|| one.control_id.as_ref().map(ToString::to_string))
    };
    let names = RecordNames::load(tx, blockers.iter().filter_map(subject)).await?;
    Ok(part(
        blockers,
        |one| one.id.to_string(),
        |one| ReleaseBlocker {
            of: subject(&one).and_then(|id| names.named(&id).key).unwrap_or_default(),
            key: one.key.into(),
            title: one.title.into(),
            severity: one.severity.label().to_owned(),
        },
    ))
}

fn finding(one: Finding, release: &ReleaseId) -> ReleaseFinding {
    let status = status_in(&one, release);
    let place = match (one.location, one.line) {
        (Some(location), Some(line)) => format!("{location}:{line}"),
        (location, _) => location.or(one.component).unwrap_or_default(),
    };
    ReleaseFinding {
        key: one.key.into(),
        title: one.title.into(),
        source: format!("{}, {}", one.provider, one.rule).into(),
        place: place.into(),
        severity: one.severity.label().to_owned(),
        status,
    }
}

/// The status in the release, until when its risk is accepted there, and since when the release's scans do not show the finding.
fn status_in(one: &Finding, release: &ReleaseId) -> String {
    let mut status = one.status_in(release).label().to_owned();
    if let Some(here) = one.releases.iter().find(|here| here.release_id == *release) {
        if let Some(until) = here.accepted_until {
            status.push_str(&format!(" until {}", until.day()));
        }
        if let Some(since) = here.not_seen_since {
            status.push_str(&format!(", not seen since {}", since.day()));
        }
    }
    if one.seen_again {
        status.push_str(", seen again");
    }
    status
}

fn evidence(one: Evidence, now: Timestamp) -> ReleaseEvidence {
    ReleaseEvidence {
        key: one.key.into(),
        name: one.name.into(),
        source: format!("{}, {}", one.provider, one.kind).into(),
        collected: When::new(one.collected_at, now),
        sha256: one.sha256,
    }
}
