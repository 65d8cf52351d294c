//! The printed table: each figure with its floor and its target.

use std::fmt;

/// A figure with its floor.
#[derive(Clone, Default)]
pub(crate) struct Row {
    /// The database.
    pub(crate) database: &'static str,
    /// The measured operation.
    pub(crate) what: String,
    /// The figure, with its spread.
    pub(crate) figure: String,
    /// The figure of the same operation without the service.
    pub(crate) floor: String,
    /// The figure divided by the floor.
    pub(crate) ratio: Option<f64>,
    /// The intended figure.
    pub(crate) target: &'static str,
}

/// All figures.
#[derive(Default)]
pub(crate) struct Table(pub(crate) Vec<Row>);

impl Table {
    /// Adds a figure, and shows it while the measurement goes on.
    pub(crate) fn add(&mut self, row: Row) {
        let ratio = row.ratio.map(|ratio| format!(", ratio {ratio:.1}")).unwrap_or_default();
        eprintln!(
            "{}: {}: {} (floor {}{ratio})",
            row.database, row.what, row.figure, row.floor
        );
        self.0.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| database | what | measured | target | floor | ratio |")?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for row in &self.0 {
            let Row {
                database,
                what,
                figure,
                floor,
                ratio,
                target,
            } = row;
            let ratio = ratio.map(|ratio| format!("{ratio:.1}")).unwrap_or_default();
            writeln!(f, "| {database} | {what} | {figure} | {target} | {floor} | {ratio} |")?;
        }
        Ok(())
    }
}
