//! Environment variables that look like settings of this service and are none, such as misspelt ones.

use clap::Command;
use loopiq::domain::suggest::nearest;
use std::collections::BTreeSet;

/// The beginning of the names of all settings.
const PREFIX: &str = "LOOPIQ_";
/// The beginning of the names that only tests and scripts of the project read.
const OF_TESTS: &str = "LOOPIQ_TEST_";

/// Further names that only tests and the Makefile read.
const OF_DEVELOPMENT: [&str; 4] = [
    "LOOPIQ_BIN",
    "LOOPIQ_CHROMIUM",
    "LOOPIQ_MODEL_CASES",
    "LOOPIQ_RACE_ROUNDS",
];

/// A variable that is no setting, and the setting whose name is the most similar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The name.
    pub name: String,
    /// The name that the operator probably meant.
    pub similar: Option<String>,
}

impl Unknown {
    /// The variables of this process that are no setting of a command.
    pub fn of_process(command: &Command) -> Vec<Self> {
        let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
        Self::among(command, names)
    }

    /// What to do about it.
    pub fn fix(&self) -> String {
        match &self.similar {
            Some(similar) => format!("did you mean {similar}?"),
            None => "remove it; `loopiq serve --help` names the settings".to_owned(),
        }
    }

    fn among(command: &Command, names: impl Iterator<Item = String>) -> Vec<Self> {
        let mut settings = BTreeSet::new();
        collect(command, &mut settings);
        let is_known =
            |name: &str| settings.contains(name) || name.starts_with(OF_TESTS) || OF_DEVELOPMENT.contains(&name);
        let is_unknown = |name: &String| name.starts_with(PREFIX) && !is_known(name);
        let mut unknown: Vec<String> = names.filter(is_unknown).collect();
        unknown.sort_unstable();
        unknown
            .into_iter()
            .map(|name| Self {
                similar: similar(&name, &settings),
                name,
            })
            .collect()
    }
}

/// Adds the variables of a command and of the commands below it.
fn collect(command: &Command, settings: &mut BTreeSet<String>) {
    let names = command.get_arguments().filter_map(|argument| argument.get_env());
    settings.extend(names.map(|name| name.to_string_lossy().into_owned()));
    for below in command.get_subcommands() {
        collect(below, settings);
    }
}

/// The setting with the most similar name, unless all names are very different. Only the part after the prefix is compared.
fn similar(name: &str, settings: &BTreeSet<String>) -> Option<String> {
    let part = |name: &'_ str| -> String { name.trim_start_matches(PREFIX).to_owned() };
    let parts: Vec<String> = settings.iter().map(|setting| part(setting)).collect();
    let near = nearest(&part(name), parts.iter().map(|part| (part.as_str(), part.as_str())));
    near.first().map(|part| format!("{PREFIX}{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn misspelt_settings_are_named_and_settings_of_every_command_are_known() {
        let of = |names: &[&str]| Unknown::among(&Cli::command(), names.iter().map(|name| (*name).to_owned()));
        let unknown = of(&[
            "LOOPIQ_OIDC_ISUER",
            "LOOPIQ_XYZ",
            "LOOPIQ_LOG",
            "PATH",
            "LOOPIQ_TEST_DATA",
        ]);
        let found: Vec<(&str, String)> = unknown.iter().map(|one| (one.name.as_str(), one.fix())).collect();
        assert_eq!(
            found,
            [
                ("LOOPIQ_OIDC_ISUER", "did you mean LOOPIQ_OIDC_ISSUER?".to_owned()),
                (
                    "LOOPIQ_XYZ",
                    "remove it; `loopiq serve --help` names the settings".to_owned()
                ),
            ]
        );
        let settings = [
            "LOOPIQ_OIDC_CLIENT_SECRET_FILE",
            "LOOPIQ_MIGRATE_TO",
            "LOOPIQ_TOKEN",
            "LOOPIQ_DATABASE_ADMIN_URL",
            "LOOPIQ_DEMO",
        ];
        assert_eq!(of(&settings), []);
        for (name, similar) in [
            ("LOOPIQ_PUBLICURL", "LOOPIQ_PUBLIC_URL"),
            ("LOOPIQ_DATA", "LOOPIQ_DATA_DIR"),
            ("LOOPIQ_ISSUER", "LOOPIQ_OIDC_ISSUER"),
        ] {
            assert_eq!(of(&[name])[0].similar.as_deref(), Some(similar), "{name}");
        }
    }
}
