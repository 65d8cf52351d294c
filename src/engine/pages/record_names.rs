//! The names of records, loaded in one batch.

use crate::domain::{Facts, FactsQuery, PlainText, RecordKind};
use crate::engine::Error;
use crate::store::ReadTx;
use crate::views::{Label, RecordLabel};

/// The names of many records.
pub(crate) struct RecordNames(Facts);

impl RecordNames {
    /// Loads the names of these records.
    pub(crate) async fn load<T: AsRef<str>>(tx: &mut ReadTx, ids: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        Ok(Self(tx.facts(&FactsQuery::default().with(ids)).await?))
    }

    /// The loaded records.
    pub(crate) fn facts(&self) -> &Facts {
        &self.0
    }

    /// A record with key and name. An unknown record has only its ID.
    pub(crate) fn named(&self, id: &str) -> RecordLabel {
        let kind = RecordKind::of(id).unwrap_or(RecordKind::Action);
        match self.0.name_of(id) {
            Some((key, name)) => RecordLabel {
                kind,
                id: id.to_owned(),
                key: key.map(PlainText::from),
                name: PlainText::from(name),
            },
            None => RecordLabel {
                kind,
                id: id.to_owned(),
                key: None,
                // Records of these kinds have no name.
                name: match kind {
                    RecordKind::EvidenceLink
                    | RecordKind::RiskAcceptance
                    | RecordKind::AuditNote
                    | RecordKind::CurrentEvidence
                    | RecordKind::Session => kind.label().to_owned().into(),
                    _ => format!("unknown {}", kind.label()).into(),
                },
            },
        }
    }
}
