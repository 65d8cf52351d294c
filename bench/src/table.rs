//! The table that is printed: each figure, its floor, and what it is to be.

use std::fmt;

/// A figure with its floor.
pub(crate) struct Row {
    /// Which database.
    pub(crate) database: &'static str,
    /// What was measured.
    pub(crate) what: String,
    /// The figure, with its spread.
    pub(crate) figure: String,
    /// The same without what the service does.
    pub(crate) floor: String,
    /// Figure against floor.
    pub(crate) ratio: f64,
    /// What it is to be.
    pub(crate) target: &'static str,
}

/// All figures.
#[derive(Default)]
pub(crate) struct Table(pub(crate) Vec<Row>);

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
            let ratio = if ratio.is_nan() {
                String::new()
            } else {
                format!("{ratio:.1}")
            };
            writeln!(f, "| {database} | {what} | {figure} | {target} | {floor} | {ratio} |")?;
        }
        Ok(())
    }
}
