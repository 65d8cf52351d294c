//! The stored records of a catalog, in pages.

use crate::catalog::StoredRecord;
use crate::context::Ctx;
use crate::domain::Permission;
use crate::engine::{Engine, Error};

/// Records on one page.
const PAGE: usize = 500;

/// A page of the stored records that catalogs declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogPart {
    /// The records, in the order of kind, release and key.
    pub records: Vec<StoredRecord>,
    /// Where the next page starts, if there is one.
    pub next: Option<String>,
}

impl Engine {
    /// A page of the teams, components, releases, certifications and declared roles of the tenant. `after` is the number of records on earlier
    /// pages: a record that is added meanwhile may move another one to a later page.
    pub async fn catalog_records(&self, ctx: &Ctx, after: Option<usize>) -> Result<CatalogPart, Error> {
        self.authorize(ctx, Permission::ReadCatalog).await?;
        let stored = {
            let tx = &mut self.store.read(ctx).await?;
            tx.stored_catalog(&[]).await?
        };
        let skipped = after.unwrap_or_default();
        let mut records: Vec<StoredRecord> = stored.records().skip(skipped).take(PAGE + 1).cloned().collect();
        let more = records.len() > PAGE;
        records.truncate(PAGE);
        Ok(CatalogPart {
            records,
            next: more.then(|| skipped.saturating_add(PAGE).to_string()),
        })
    }
}
