//! What the page of access shows: the people of a tenant, and who may run which command.

use crate::domain::text::PlainText;
use crate::domain::{Permission, Right, Role, ScopeRight};
use crate::views::{Label, PersonRow};

/// The page of access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPage {
    /// The people of the tenant, for operators.
    pub people: Option<PeopleList>,
    /// Who may run which command.
    pub rights: Vec<RightRow>,
}

/// The people of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleList {
    /// The people, by name.
    pub people: Vec<PersonRow>,
    /// The search that selected them; empty for all.
    pub search: PlainText,
    /// The ID that the next page comes after, if there are more.
    pub next: Option<String>,
}

/// Who may run a command. A value is empty where no such caller may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightRow {
    /// What the command does.
    pub command: &'static str,
    /// For each role, whether it permits the command to a person in a browser.
    pub roles: Vec<(Role, bool)>,
    /// The scope that a client needs which acts for a person, and the roles that the person needs.
    pub client: PlainText,
    /// The scope that a program of the tenant needs.
    pub program: PlainText,
    /// Whether the service itself does it, or an operator at its console.
    pub console: bool,
}

impl RightRow {
    /// The names of the columns, before and after the roles.
    pub const COLUMNS: [&str; 4] = ["Command", "Client for a person", "Program of the tenant", "Console"];

    /// Who may run the command, for each column after the first: its name, and the text of the cell. `None`: no such caller may.
    pub fn cells(&self) -> Vec<(&'static str, Option<PlainText>)> {
        let [_, client, program, console] = Self::COLUMNS;
        let yes = |may: bool| may.then(|| PlainText::from("Yes"));
        let text = |text: &PlainText| Some(text.clone()).filter(|text| !text.is_empty());
        let roles = self.roles.iter().map(|(role, may)| (role.label(), yes(*may)));
        roles
            .chain([
                (client, text(&self.client)),
                (program, text(&self.program)),
                (console, yes(self.console)),
            ])
            .collect()
    }

    /// The names of all columns.
    pub fn columns() -> Vec<&'static str> {
        let [command, client, program, console] = Self::COLUMNS;
        let roles = Role::ALL.iter().map(|role| role.label());
        [command]
            .into_iter()
            .chain(roles)
            .chain([client, program, console])
            .collect()
    }
}

impl From<Right> for RightRow {
    fn from(right: Right) -> Self {
        let Right {
            command,
            roles,
            scopes,
            console,
        } = right;
        Self {
            command: Permission::label(command),
            roles: Role::ALL.iter().map(|role| (*role, roles.contains(role))).collect(),
            client: joined(scopes.iter().filter(|right| !right.roles.is_empty()).map(for_person)),
            program: joined(
                scopes
                    .iter()
                    .filter(|right| right.program)
                    .map(|right| right.scope.as_str().to_owned()),
            ),
            console,
        }
    }
}

/// A scope, and the roles that a person needs: `loopiq:audit (lead, auditor or operator)`.
fn for_person(right: &ScopeRight) -> String {
    let roles: Vec<String> = right.roles.iter().map(|role| role.label().to_lowercase()).collect();
    let roles = match roles.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    };
    format!("{} ({roles})", right.scope.as_str())
}

fn joined(texts: impl Iterator<Item = String>) -> PlainText {
    texts.collect::<Vec<_>>().join(", ").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{TenantId, rights};

    fn rows() -> Vec<RightRow> {
        let tenant = TenantId::parse("acme").unwrap();
        rights(&tenant).into_iter().map(RightRow::from).collect()
    }

    #[test]
    fn the_documented_table_is_the_one_of_the_page() {
        let columns = RightRow::columns();
        let mut table = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
        for row in rows() {
            let cells = row
                .cells()
                .into_iter()
                .map(|(_, cell)| cell.unwrap_or_default().to_string());
            let cells: Vec<String> = cells.map(|cell| cell.replace("Yes", "yes")).collect();
            table.push_str(&format!("| {} | {} |\n", row.command, cells.join(" | ")));
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/SECURITY.md");
        let document = std::fs::read_to_string(path).expect("SECURITY.md");
        assert!(
            document.contains(&table),
            "SECURITY.md must contain this table:\n{table}"
        );
    }

    #[test]
    fn a_client_needs_the_scope_and_a_role() {
        let rows = rows();
        let row = rows
            .iter()
            .find(|row| row.command == Permission::SearchAudit.label())
            .unwrap();
        assert_eq!(row.client.as_str(), "loopiq:audit (lead, auditor or operator)");
        assert_eq!((row.program.as_str(), row.console), ("loopiq:audit", false));
        let row = rows
            .iter()
            .find(|row| row.command == Permission::Sweep.label())
            .unwrap();
        assert_eq!(row.cells().iter().filter(|(_, cell)| cell.is_some()).count(), 1);
    }
}
