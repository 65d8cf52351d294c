//! Errors of the search index.

use tantivy::TantivyError;
use tantivy::directory::error::OpenReadError;

/// The search index cannot be read or written. The log itself is not affected.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The folder of the index cannot be used.
    #[error("the folder of the search index cannot be used: {0}")]
    Folder(#[from] std::io::Error),
    /// A file of the index cannot be used.
    #[error("the search index: {0}")]
    Index(#[from] TantivyError),
    /// The files are not a sound index of this version.
    #[error("the search index cannot be used: {0}")]
    Unsound(String),
}

impl From<OpenReadError> for SearchError {
    fn from(error: OpenReadError) -> Self {
        SearchError::Index(error.into())
    }
}
