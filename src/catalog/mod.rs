//! The catalog: what a company declares about its teams, components, releases and people, in YAML files of this service or of Backstage.
//!
//! Pure: [`read`] parses files into a [`Catalog`], and [`plan`] compares a catalog with the stored records ([`Stored`]) and gives a [`Plan`].
//! Every mistake names file, line and field, and all mistakes are reported together. The table in `kinds.rs` is the only description of
//! the format: the reader, the JSON Schema and the comparison use it.

mod backstage;
mod describe;
mod draft;
mod kinds;
mod native;
mod plan;
mod problem;
mod record;
mod references;
mod resolve;
mod schema;
mod similar;
#[cfg(test)]
mod tests;
mod yaml;

pub use describe::Tense;
pub use draft::{draft_of, files_of};
pub use kinds::{KINDS, Kind};
pub use plan::{Effect, FieldChange, Plan, Step, plan};
pub use problem::{Problem, Problems};
pub use record::{Catalog, Declared, Ident, Skipped, Stored, StoredRecord, Value};
pub use schema::schema;

/// The largest file, in bytes (4 MiB); a larger one is refused.
pub const LARGEST_FILE: usize = 4 << 20;
/// The most bytes of all files together (16 MiB).
pub const LARGEST_SET: usize = 16 << 20;
/// The largest catalog that the page accepts, in bytes (256 KiB). The session keeps it; the command reads larger ones.
pub const LARGEST_DRAFT: usize = 256 << 10;
/// The most files of one catalog.
pub const MOST_FILES: usize = 2_000;
/// The most records that one catalog declares.
pub const MOST_RECORDS: usize = 50_000;

/// A file of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The name in messages: the path, as the operator gave it.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Reads the files of one catalog.
///
/// # Errors
/// All mistakes, up to a limit.
pub fn read(files: &[SourceFile]) -> Result<Catalog, Problems> {
    let mut problems = Problems::default();
    let total: usize = files.iter().map(|file| file.text.len()).sum();
    if files.len() > MOST_FILES || total > LARGEST_SET {
        problems.add(
            "",
            0,
            "",
            format!(
                "{} files with {total} bytes are too many: a catalog has at most {MOST_FILES} files and {LARGEST_SET} bytes. Apply it in \
                 several parts, without --prune",
                files.len()
            ),
        );
        return Err(problems);
    }
    let (mut catalog, mut entities) = (Catalog::default(), Vec::new());
    for file in files {
        for document in yaml::documents(file, &mut problems) {
            if backstage::is_entity(&document) {
                entities.extend(backstage::entity(&file.name, &document, &mut catalog, &mut problems));
            } else {
                native::read(&file.name, &document, &mut catalog, &mut problems);
            }
        }
    }
    backstage::convert(entities, &mut catalog, &mut problems);
    if catalog.records().count() > MOST_RECORDS {
        problems.add(
            "",
            0,
            "",
            format!("the catalog declares more than {MOST_RECORDS} records; apply it in several parts"),
        );
    }
    problems.into_result(catalog)
}
