//! Catalogs: previews and applies what files declare about teams, components, releases and people.
//!
//! A preview runs the same transaction as the application and rolls it back, so that the two cannot differ.

mod apply;
mod entry;
mod records;

pub use records::CatalogPart;

use crate::catalog::{self, Catalog, Effect, Kind, Plan, Problems, SourceFile, Step};
use crate::context::Ctx;
use crate::domain::text::prose;
use crate::domain::{Permission, Principal, TenantId, canonical};
use crate::engine::admin::operator_requests;
use crate::engine::admin::pauses;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error};
use crate::policy::Policy;
use crate::store::{StoreError, WriteError, WriteTx};
use serde::Serialize;
use serde_json::json;

/// What a catalog changes, or has changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CatalogReport {
    /// The tenant.
    pub tenant: TenantId,
    /// Whether it was applied; `false` for a preview.
    pub applied: bool,
    /// SHA-256 of the files and of the difference. An application can name the digest of a preview.
    pub digest: String,
    /// The difference.
    #[serde(flatten)]
    pub plan: Plan,
}

/// What an operator has seen and confirmed before an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPreview {
    /// The digest of the preview.
    pub digest: String,
    /// Whether the operator has confirmed that records are retired.
    pub confirms_retirement: bool,
}

/// The result of a preview or an application.
#[derive(Debug, Clone, PartialEq)]
pub enum CatalogOutcome {
    /// The files have mistakes. Nothing was changed.
    Wrong(Problems),
    /// The difference.
    Report(Box<CatalogReport>),
}

/// Why the transaction of a catalog ends without a commit.
enum Halt {
    /// It was a preview.
    Preview(Plan),
    Wrong(Problems),
    /// The difference is not that of the preview which the operator has seen.
    Differs,
    Error(Error),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Halt::Error(error.into())
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Halt::Error(error)
    }
}

impl WriteError for Halt {
    fn is_fault(&self) -> bool {
        matches!(self, Halt::Error(error) if error.is_fault())
    }
}

impl Engine {
    /// The difference between a catalog and the stored records. With `prune`, records that no file declares would be retired.
    pub async fn preview_catalog(&self, ctx: &Ctx, files: &[SourceFile], prune: bool) -> Result<CatalogOutcome, Error> {
        self.run_catalog(ctx, files, prune, Run::Preview).await
    }

    /// Applies a catalog in one transaction. If the operator has seen a preview, and the difference is another one now, or it retires records
    /// and the operator has not confirmed that, nothing is changed.
    pub async fn apply_catalog(
        &self,
        ctx: &Ctx,
        files: &[SourceFile],
        prune: bool,
        seen: Option<SeenPreview>,
    ) -> Result<CatalogOutcome, Error> {
        self.run_catalog(ctx, files, prune, Run::Apply(seen)).await
    }

    async fn run_catalog(
        &self,
        ctx: &Ctx,
        files: &[SourceFile],
        prune: bool,
        run: Run,
    ) -> Result<CatalogOutcome, Error> {
        self.authorize(ctx, Permission::ApplyCatalog).await?;
        let catalog = match catalog::read(files) {
            Ok(catalog) => catalog,
            Err(problems) => return Ok(CatalogOutcome::Wrong(problems)),
        };
        let sources = entry::sources(files);
        let (by, policies) = (sources.clone(), self.policies.clone());
        let done = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { transact(tx, &catalog, &by, prune, run, &policies).await })
            })
            .await;
        let (plan, applied) = match done {
            Ok(plan) => (plan, true),
            Err(Halt::Preview(plan)) => (plan, false),
            Err(Halt::Wrong(problems)) => return Ok(CatalogOutcome::Wrong(problems)),
            Err(Halt::Differs) => return Err(Error::DigestMismatch),
            Err(Halt::Error(error)) => return Err(error),
        };
        Ok(CatalogOutcome::Report(Box::new(CatalogReport {
            tenant: ctx.tenant().clone(),
            applied,
            digest: digest(ctx.tenant(), &sources, prune, &plan)?,
            plan,
        })))
    }
}

/// How the transaction ends.
enum Run {
    Preview,
    /// With what the operator has seen, if it was a preview.
    Apply(Option<SeenPreview>),
}

async fn transact(
    tx: &mut WriteTx,
    catalog: &Catalog,
    sources: &[entry::Source],
    prune: bool,
    run: Run,
    policies: &PolicyCache,
) -> Result<Plan, Halt> {
    if let Run::Apply(_) = run {
        pauses::refuse_paused_program(tx).await.map_err(Halt::Error)?;
    }
    // A program's token was created by one operator, so that the program may do what that operator may do in the browser.
    let from_console = match tx.ctx().principal {
        Principal::Program { .. } => false,
        _ => operator_requests::operator(tx, policies).await?.is_none(),
    };
    let stored = tx.stored_catalog(&catalog.releases()).await?;
    let mut plan = catalog::plan(catalog, &stored, prune).map_err(Halt::Wrong)?;
    if !from_console {
        // Roles that a text in the browser leaves out stay, because it could not declare them.
        let is_left_out = |step: &Step| step.ident.kind == Kind::Person && step.effect == Effect::Retire;
        plan.steps.retain(|step| !is_left_out(step));
    }
    if !from_console && plan.steps.iter().any(|step| step.ident.kind == Kind::Person) {
        return Err(Halt::Error(Error::Setting {
            message: "the catalog changes roles of people. One operator alone cannot give roles in the browser or with a token: an operator with access to the machine \
                      applies it with `loopiq catalog apply`."
                .to_owned(),
        }));
    }
    if !from_console {
        let policy = policies.today(tx).await.map_err(Halt::Error)?;
        if let Some(team) = plan.steps.iter().find(|step| changes_who_approves(step, &policy)) {
            return Err(Halt::Error(Error::Setting {
                message: format!(
                    "the catalog changes who belongs to the team {}, whose approval the policy requires. One operator alone cannot change that in the \
                     browser or with a token: an operator with access to the machine applies it with `loopiq catalog apply`.",
                    team.ident.key
                ),
            }));
        }
    }
    if let Run::Apply(Some(seen)) = &run {
        if seen.digest != digest(tx.ctx().tenant(), sources, prune, &plan)? {
            return Err(Halt::Differs);
        }
        let retired = plan.with(Effect::Retire).count();
        if retired > 0 && !seen.confirms_retirement {
            return Err(Halt::Error(Error::Setting {
                message: format!(
                    "the catalog retires {0}. Tick \"Retire {0}\" if that is right, and apply it again.",
                    prose::counted(retired, "record")
                ),
            }));
        }
    }
    let operators = tx.count_operators().await?;
    let ids = apply::apply(tx, &plan, &stored).await?;
    if operators > 0 && tx.count_operators().await? == 0 {
        let mut problems = Problems::default();
        problems.add(
            "",
            0,
            "people",
            "no person who has signed in would be an operator any more; declare another one, let that person sign in, and remove the last one \
             then",
        );
        return Err(Halt::Wrong(problems));
    }
    match run {
        Run::Preview => Err(Halt::Preview(plan)),
        Run::Apply(_) => {
            if !plan.steps.is_empty() {
                entry::record(tx, &plan, &ids, sources, prune);
            }
            Ok(plan)
        }
    }
}

/// Whether the step changes the members of a team that a rule of the policy names.
fn changes_who_approves(step: &Step, policy: &Policy) -> bool {
    step.ident.kind == Kind::Team
        && policy.names_team(&step.ident.key)
        && (matches!(step.effect, Effect::Retire | Effect::Restore)
            || step.value("members").is_some()
            || step.value("groups").is_some())
}

/// The digest that binds an application to a preview.
fn digest(tenant: &TenantId, sources: &[entry::Source], prune: bool, plan: &Plan) -> Result<String, Error> {
    let value = json!({ "tenant": tenant, "files": sources, "prune": prune, "steps": plan.steps });
    let text = serde_json::to_string(&value).map_err(Error::internal)?;
    Ok(canonical::sha256_hex(text.as_bytes()))
}
