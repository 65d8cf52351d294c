//! The catalog page: the stored records, and the preview of an operator's draft.

use crate::catalog::{Effect, Kind, LARGEST_DRAFT, SourceFile, StoredRecord, Tense, Value, files_of};
use crate::context::Ctx;
use crate::domain::text::{folded, prose};
use crate::domain::*;
use crate::engine::admin::releases::why_not_certify;
use crate::engine::{CatalogOutcome, CatalogReport, Engine, Error, SeenPreview};
use crate::views::{
    CatalogCertification, CatalogComponent, CatalogDecision, CatalogPage, CatalogPerson, CatalogPreview,
    CatalogRelease, CatalogTeam, Label, Listed, When,
};
use std::collections::BTreeMap;

/// The most records of a list on the page.
const SHOWN: usize = 200;
/// The most items of a list in a line.
const ITEMS: usize = 20;

impl Engine {
    /// The catalog, or the records whose key or name contain this text.
    pub async fn catalog_page(&self, ctx: &Ctx, text: &str) -> Result<CatalogPage, Error> {
        self.authorize(ctx, Permission::ReadCatalog).await?;
        let wanted = folded(text.trim());
        let tx = &mut self.store.read(ctx).await?;
        let stored = tx.stored_catalog(&[]).await?;
        let counts = tx.catalog_counts().await?;
        let why_not_certify = match (allows(&ctx.principal, Permission::Certify), ctx.principal.person()) {
            (true, person) => why_not_certify(tx, &self.policies, person, ctx.now()).await?,
            (false, _) => None,
        };
        let decision = |id: &str| {
            let decision = counts.decisions.get(id)?;
            Some(CatalogDecision {
                by: decision.by.as_deref().unwrap_or_default().into(),
                when: When::new(decision.at, ctx.now()),
                because: decision.because.as_deref().unwrap_or_default().into(),
            })
        };
        let fits = |record: &&StoredRecord| {
            let name = record.fields.get("name").and_then(Value::text).unwrap_or_default();
            wanted.is_empty() || folded(&record.ident.key).contains(&wanted) || folded(name).contains(&wanted)
        };
        let of = |kinds: &[Kind]| {
            let mut records: Vec<&StoredRecord> = stored
                .records()
                .filter(|record| kinds.contains(&record.ident.kind))
                .filter(fits)
                .collect();
            records.sort_by_key(|record| record.is_retired);
            records
        };
        let mut certifications: BTreeMap<&str, Vec<CatalogCertification>> = BTreeMap::new();
        for record in stored
            .records()
            .filter(|record| record.ident.kind == Kind::Certification)
        {
            let release = field(record, "release");
            let status = counts
                .certifications
                .get(&record.id)
                .copied()
                .unwrap_or(CertificationStatus::Open);
            certifications.entry(release).or_default().push(CatalogCertification {
                id: record.id.clone(),
                key: (&record.ident.key).into(),
                name: field(record, "name").into(),
                status,
                decision: decision(&record.id),
            });
        }
        let release = |record: &StoredRecord| CatalogRelease {
            id: record.id.clone(),
            key: (&record.ident.key).into(),
            name: field(record, "name").into(),
            status: ReleaseStatus::parse(field(record, "status")).unwrap_or(ReleaseStatus::Planned),
            decision: decision(&record.id),
            lines: lines(record),
            certifications: certifications
                .get(record.ident.key.as_str())
                .cloned()
                .unwrap_or_default(),
            controls: controls(counts.controls.get(&record.id)),
            blockers: counts.blockers.get(&record.id).copied().unwrap_or_default(),
            is_retired: record.is_retired,
        };
        let team = |record: &StoredRecord| CatalogTeam {
            key: (&record.ident.key).into(),
            name: field(record, "name").into(),
            members: items(record, "members"),
            groups: items(record, "groups"),
            people: counts.members.get(&record.id).copied().unwrap_or_default(),
            is_retired: record.is_retired,
        };
        let component = |record: &StoredRecord| CatalogComponent {
            kind: record.ident.kind.noun().to_owned(),
            key: (&record.ident.key).into(),
            name: field(record, "name").into(),
            team: field(record, "team").into(),
            is_retired: record.is_retired,
        };
        let person = |record: &StoredRecord| CatalogPerson {
            address: (&record.ident.key).into(),
            roles: record
                .fields
                .get("roles")
                .map(Value::items)
                .unwrap_or_default()
                .join(", "),
        };
        Ok(CatalogPage {
            text: text.trim().into(),
            releases: listed(of(&[Kind::Release]), release),
            teams: listed(of(&[Kind::Team]), team),
            components: listed(of(&Kind::COMPONENTS), component),
            people: listed(of(&[Kind::Person]), person),
            may_change: allows(&ctx.principal, Permission::Configure),
            may_certify: allows(&ctx.principal, Permission::Certify) && why_not_certify.is_none(),
            why_not_certify: why_not_certify.unwrap_or_default().into(),
        })
    }

    /// What an operator's draft would change.
    pub async fn preview_catalog_draft(&self, ctx: &Ctx, source: &str, prune: bool) -> Result<CatalogPreview, Error> {
        let files = draft(source)?;
        Ok(match self.preview_catalog(ctx, &files, prune).await? {
            CatalogOutcome::Report(report) => preview(&report),
            CatalogOutcome::Wrong(problems) => {
                let mut mistakes: Vec<PlainText> = problems
                    .first
                    .iter()
                    .map(|problem| problem.to_string().into())
                    .collect();
                if problems.more > 0 {
                    mistakes.push(format!("{} more mistakes", problems.more).into());
                }
                CatalogPreview {
                    mistakes,
                    ..CatalogPreview::default()
                }
            }
        })
    }

    /// Applies an operator's draft, if it still changes what the preview has shown. Returns the outcome in a sentence.
    pub async fn apply_catalog_draft(
        &self,
        ctx: &Ctx,
        source: &str,
        prune: bool,
        seen: SeenPreview,
    ) -> Result<String, Error> {
        let files = draft(source)?;
        match self.apply_catalog(ctx, &files, prune, Some(seen)).await? {
            CatalogOutcome::Report(report) => Ok(format!(
                "The catalog was applied. {}.",
                report.plan.summary(Tense::Past)
            )),
            CatalogOutcome::Wrong(_) => Err(Error::Setting {
                message: "the catalog has mistakes, which are listed below.".to_owned(),
            }),
        }
    }
}

/// The files of a draft.
fn draft(source: &str) -> Result<Vec<SourceFile>, Error> {
    if source.len() > LARGEST_DRAFT {
        return Err(Error::Setting {
            message: format!(
                "the catalog has more than {} KiB. Apply it with `loopiq catalog apply`, or in several parts.",
                LARGEST_DRAFT >> 10
            ),
        });
    }
    Ok(files_of(source))
}

fn preview(report: &CatalogReport) -> CatalogPreview {
    let plan = &report.plan;
    let word = |effect| match effect {
        Effect::Create => "Create",
        Effect::Change => "Change",
        Effect::Restore => "Restore",
        Effect::Retire => "Retire",
    };
    // Retirements first, because the list is cut off, and nobody may miss them.
    let others = plan.steps.iter().filter(|step| step.effect != Effect::Retire);
    let steps = plan.with(Effect::Retire).chain(others).take(SHOWN).map(|step| {
        let fields = step.field_lines().into_iter().map(Into::into).collect();
        (word(step.effect).to_owned(), step.ident.to_string().into(), fields)
    });
    let skipped = plan
        .skipped
        .iter()
        .take(SHOWN)
        .map(|one| format!("{} ({}:{}): {}", one.what, one.file, one.line, one.why).into());
    let not_named = plan.skipped.len().saturating_sub(SHOWN);
    let not_named = (not_named > 0).then(|| format!("{} more", prose::grouped(not_named)).into());
    CatalogPreview {
        mistakes: Vec::new(),
        summary: plan.summary(Tense::Present),
        retires: plan.with(Effect::Retire).count(),
        steps: steps.collect(),
        more: plan.steps.len().saturating_sub(SHOWN),
        left: plan.left,
        skipped: skipped.chain(not_named).collect(),
        digest: if plan.steps.is_empty() {
            String::new()
        } else {
            report.digest.clone()
        },
    }
}

fn listed<T>(records: Vec<&StoredRecord>, view: impl Fn(&StoredRecord) -> T) -> Listed<T> {
    Listed {
        total: records.len(),
        shown: records.into_iter().take(SHOWN).map(view).collect(),
    }
}

fn field<'r>(record: &'r StoredRecord, name: &str) -> &'r str {
    record.fields.get(name).and_then(Value::text).unwrap_or_default()
}

fn items(record: &StoredRecord, name: &str) -> Vec<PlainText> {
    let all = record.fields.get(name).map(Value::items).unwrap_or_default();
    let mut items: Vec<PlainText> = all.iter().take(ITEMS).map(Into::into).collect();
    if all.len() > ITEMS {
        items.push(format!("and {} more", all.len() - ITEMS).into());
    }
    items
}

/// Commit, threshold, teams and components of a release, if it has them.
fn lines(record: &StoredRecord) -> Vec<(String, PlainText)> {
    let mut lines = Vec::new();
    if let Some(commit) = record.fields.get("commit").and_then(Value::text) {
        lines.push(("Commit".to_owned(), commit.into()));
    }
    if let Some(threshold) = Severity::parse(field(record, "severityThreshold")) {
        lines.push(("Threshold".to_owned(), threshold.label().to_lowercase().into()));
    }
    for (label, name) in [
        ("Teams", "teams"),
        ("Applications", "applications"),
        ("Modules", "modules"),
        ("Repositories", "repositories"),
        ("Services", "services"),
    ] {
        let items = items(record, name);
        if !items.is_empty() {
            let names: Vec<&str> = items.iter().map(PlainText::as_str).collect();
            lines.push((label.to_owned(), names.join(", ").into()));
        }
    }
    lines
}

fn controls(counts: Option<&BTreeMap<ControlStatus, i64>>) -> String {
    let Some(counts) = counts else {
        return "none".to_owned();
    };
    let parts: Vec<String> = counts
        .iter()
        .map(|(status, count)| format!("{count} {}", status.label().to_lowercase()))
        .collect();
    parts.join(", ")
}
