//! Folders and files: the data directory, the site, and the folders of witnesses.

use super::report::Report;
use crate::commands::serve::ServeArgs;
use crate::file_permissions::{Exposure, exposure, writable};
use crate::http_client;
use crate::installation::OWN_FOLDERS;
use crate::site::Site;
use crate::witnesses::Witness;
use std::io::ErrorKind;
use std::path::Path;

/// What to do if the service cannot write.
const OWN: &str = "make the service's account its owner, and run commands as that account";

/// Checks them. Returns whether the data directory is or can be a folder, so that it is useful to check what is in it.
pub(super) fn check(serve: &ServeArgs, report: &mut Report) -> bool {
    let mut ancestors = serve.installation.data_dir.ancestors();
    let file = ancestors.find(|path| path.exists()).filter(|path| !path.is_dir());
    match file {
        None => data_dir(serve, report),
        Some(file) => report.problem(
            "data directory",
            format!(
                "{} is not a folder, so secret key, database and audit key were not checked",
                file.display()
            ),
            "let LOOPIQ_DATA_DIR name a folder, or remove the file",
        ),
    }
    match Site::find() {
        Ok(site) => report.ok("site", site.root().display().to_string()),
        Err(error) => report.error(
            "site",
            &error,
            "install the folder `site` of the release next to the binary, or set LEPTOS_SITE_ROOT",
        ),
    }
    for witness in serve.checkpoints.settings().witnesses {
        match &witness {
            Witness::Folder(folder) => folder_of_witness(folder, report),
            // `provider` and the log of the running service say whether the network works; a checkpoint must not be sent here.
            Witness::Endpoint(_) | Witness::Cosigner { .. } => match http_client::builder() {
                Ok(_) => report.ok("witness", witness.name()),
                Err(error) => report.problem("witness", format!("{}: {error}", witness.name()), ""),
            },
        }
    }
    file.is_none()
}

fn data_dir(serve: &ServeArgs, report: &mut Report) {
    let dir = &serve.installation.data_dir;
    let shown = dir.display();
    if !creatable("data directory", dir, report) {
        return;
    }
    match exposure(dir, &OWN_FOLDERS) {
        Ok(None) => report.ok("data directory", format!("{shown} can be written")),
        Ok(Some(Exposure::Corrected(mode))) => report.warning(
            "data directory",
            format!("other accounts can use {shown} (mode {mode:04o}); the next start of the service removes these permissions"),
            format!("chmod 700 {shown}"),
        ),
        Ok(Some(Exposure::Shared(mode))) => report.warning(
            "data directory",
            format!("other accounts can use {shown} (mode {mode:04o}), and it contains folders of other programs"),
            "give the service a directory of its own: LOOPIQ_DATA_DIR",
        ),
        Err(error) => report.problem("data directory", format!("{shown}: {error}"), OWN),
    }
    // A command that another account ran leaves files that the service cannot write.
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if let Err(error) = writable(&path)
            && error.kind() != ErrorKind::NotFound
        {
            report.problem(
                "data directory",
                format!("{} cannot be written: {error}", path.display()),
                OWN,
            );
        }
    }
}

/// Whether the service can write to a folder, or create it. Reports a problem if it cannot.
fn creatable(check: &'static str, folder: &Path, report: &mut Report) -> bool {
    let Some(existing) = folder
        .ancestors()
        .find(|path| path.as_os_str().is_empty() || path.exists())
    else {
        return true;
    };
    let existing = if existing.as_os_str().is_empty() {
        Path::new(".")
    } else {
        existing
    };
    let missing = if existing == folder {
        ""
    } else {
        ", in which the folder has to be created"
    };
    let problem = if !existing.is_dir() {
        format!("{} is not a folder", existing.display())
    } else if let Err(error) = writable(existing) {
        format!("{} cannot be written{missing}: {error}", existing.display())
    } else {
        return true;
    };
    report.problem(check, problem, OWN);
    false
}

fn folder_of_witness(folder: &Path, report: &mut Report) {
    if creatable("witness", folder, report) {
        report.ok("witness", format!("{} can be written", folder.display()));
    }
}
