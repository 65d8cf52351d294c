//! Where the browser's files are: bundle, style sheet and static files, named by their content.

use anyhow::{Context, Result, bail};
use leptos::config::LeptosOptions;
use loopiq_app::Bundle;
use std::path::{Path, PathBuf};

/// The name of bundle and style sheet: `loopiq.<hash>.js`.
const NAME: &str = "loopiq";
/// Where the builder writes the hashes down.
const HASHES: &str = "hash.txt";
/// The folder of what is named by its content, in the site and in URLs.
const PKG: &str = "pkg";

/// A site that is complete.
#[derive(Debug, Clone)]
pub struct Site {
    root: PathBuf,
    bundle: Bundle,
}

impl Site {
    /// Finds the site: in `LEPTOS_SITE_ROOT`, or as `site` next to the binary or above its folder.
    ///
    /// # Errors
    /// One line that says where it was looked for.
    pub fn find() -> Result<Self> {
        if let Some(root) = std::env::var_os("LEPTOS_SITE_ROOT") {
            let root = PathBuf::from(root);
            return Self::at(&root).with_context(|| format!("the site in LEPTOS_SITE_ROOT={}", root.display()));
        }
        let binary = std::env::current_exe().context("the folder of the binary is not known")?;
        let folder = binary.parent().unwrap_or(Path::new("."));
        let candidates = [folder.join("site"), folder.join("../site")];
        match candidates.iter().find(|root| root.is_dir()) {
            Some(root) => Self::at(root).with_context(|| format!("the site in {}", root.display())),
            None => bail!(
                "the site is missing: neither {} nor {} is a folder; run `make build`, or set LEPTOS_SITE_ROOT",
                candidates[0].display(),
                candidates[1].display()
            ),
        }
    }

    /// The site in this folder, if all its parts are there.
    ///
    /// # Errors
    /// One line that names what is missing.
    pub fn at(root: &Path) -> Result<Self> {
        let root = root.canonicalize().context("the folder is missing")?;
        // The site's own builder writes hash.txt into the site; cargo-leptos puts it next to the binary.
        let beside = std::env::current_exe()
            .ok()
            .and_then(|exe| Some(exe.parent()?.join(HASHES)));
        let mut problem = None;
        for hashes in std::iter::once(root.join(HASHES)).chain(beside) {
            match complete(&root, &hashes) {
                Ok(bundle) => return Ok(Self { root, bundle }),
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        Err(problem.unwrap_or_else(|| anyhow::anyhow!("hash.txt is missing")))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files at the top of the folder that browsers may ask for: `favicon.svg`.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.root).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name != HASHES && !name.starts_with('.'))
            .collect()
    }

    /// The style sheet's path in URLs, for pages that Leptos does not render.
    pub fn stylesheet(&self) -> &str {
        &self.bundle.stylesheet
    }

    /// The paths in URLs of what every page loads.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// What Leptos must know of it.
    pub fn leptos(&self, address: std::net::SocketAddr) -> LeptosOptions {
        LeptosOptions::builder()
            .output_name(NAME)
            .site_root(self.root.to_string_lossy())
            .site_pkg_dir(PKG)
            .site_addr(address)
            .build()
    }
}

/// The paths of the files that `hash.txt` names, if every one of them is there.
fn complete(root: &Path, hashes: &Path) -> Result<Bundle> {
    let text = std::fs::read_to_string(hashes).with_context(|| format!("{} cannot be read", hashes.display()))?;
    let hash_of = |kind: &str| {
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(kind)?.strip_prefix(':'));
        line.map(str::trim)
            .with_context(|| format!("{} does not name the {kind} file", hashes.display()))
    };
    let path_of = |kind: &str| {
        let name = format!("{NAME}.{}.{kind}", hash_of(kind)?);
        let file = root.join(PKG).join(&name);
        if !file.is_file() {
            bail!("{} is missing", file.display());
        }
        Ok(format!("/{PKG}/{name}"))
    };
    Ok(Bundle {
        script: path_of("js")?,
        wasm: path_of("wasm")?,
        stylesheet: path_of("css")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_taken_when_it_is_complete() {
        let temp = tempfile::tempdir().unwrap();
        assert!(Site::at(&temp.path().join("none")).is_err());
        assert!(Site::at(temp.path()).is_err());
        std::fs::write(temp.path().join("hash.txt"), "js: a\nwasm: b\ncss: c\n").unwrap();
        std::fs::create_dir(temp.path().join("pkg")).unwrap();
        for file in ["loopiq.a.js", "loopiq.b.wasm"] {
            std::fs::write(temp.path().join("pkg").join(file), "").unwrap();
        }
        let line = Site::at(temp.path()).unwrap_err().to_string();
        assert!(line.ends_with("loopiq.c.css is missing"), "{line}");
        std::fs::write(temp.path().join("pkg/loopiq.c.css"), "").unwrap();
        let site = Site::at(temp.path()).unwrap();
        assert_eq!(site.stylesheet(), "/pkg/loopiq.c.css");
    }
}
