//! Names for records, from the database, in one batch.

use crate::domain::{Facts, FactsQuery, PlainText, RecordKind};
use crate::engine::Error;
use crate::store::ReadTx;
use crate::views::RecordLabel;

/// The names of many records.
pub(crate) struct RecordNames(Facts);

impl RecordNames {
    /// Loads the names of these records.
    pub(crate) async fn load<T: AsRef<str>>(tx: &mut ReadTx, ids: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        Ok(Self(tx.facts(&FactsQuery::default().with(ids)).await?))
    }

    /// The facts behind the names.
    pub(crate) fn facts(&self) -> &Facts {
        &self.0
    }

    /// A record with the names people use for it. One that is not there is named by its ID alone.
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
                // Links, notes and the like have no name of their own.
                name: match kind {
                    RecordKind::EvidenceLink
                    | RecordKind::RiskAcceptance
                    | RecordKind::AuditNote
                    | RecordKind::CurrentEvidence => kind.word().to_owned().into(),
                    _ => format!("unknown {}", kind.word()).into(),
                },
            },
        }
    }
}
