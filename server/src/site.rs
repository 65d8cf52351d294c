//! The site's files on disk: script, WASM, style sheet, the verifier of the audit log, and static files.

use anyhow::{Context, Result, bail};
use leptos::config::LeptosOptions;
use loopiq_app::Bundle;
use std::path::{Path, PathBuf};

/// The first part of the names of script, WASM and style sheet: `loopiq.<hash>.js`.
const NAME: &str = "loopiq";
/// The file into which the build writes the hashes.
const HASHES: &str = "hash.txt";
/// The folder of the files with a hash in their names, in the site and in URLs.
const PKG: &str = "pkg";

/// A site whose files are all present.
#[derive(Debug, Clone)]
pub struct Site {
    root: PathBuf,
    bundle: Bundle,
}

impl Site {
    /// Finds the site: in `LEPTOS_SITE_ROOT`, or as `site` next to the binary or above its folder.
    ///
    /// # Errors
    /// One line that names the folders searched.
    pub fn find() -> Result<Self> {
        if let Some(root) = std::env::var_os("LEPTOS_SITE_ROOT") {
            let root = PathBuf::from(root);
            return Self::at(&root).with_context(|| format!("the site in LEPTOS_SITE_ROOT={}", root.display()));
        }
        let binary = std::env::current_exe().context("the binary's own folder cannot be determined")?;
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

    /// The site in this folder.
    ///
    /// # Errors
    /// One line that names the missing file.
    pub fn at(root: &Path) -> Result<Self> {
        let root = root.canonicalize().context("the folder is missing")?;
        // `xtask site` writes hash.txt into the site, cargo-leptos next to the binary.
        let next_to_binary = std::env::current_exe()
            .ok()
            .and_then(|exe| Some(exe.parent()?.join(HASHES)));
        let mut problem = None;
        for hashes in std::iter::once(root.join(HASHES)).chain(next_to_binary) {
            match bundle(&root, &hashes) {
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

    /// The names of the public files at the top of the folder, such as `favicon.svg`.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.root).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name != HASHES && !name.starts_with('.'))
            .collect()
    }

    /// The URL path of the style sheet, for pages that Leptos does not render.
    pub fn stylesheet(&self) -> &str {
        &self.bundle.stylesheet
    }

    /// The URL paths of the files that every page loads.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Leptos' settings for this site.
    pub fn leptos_options(&self, address: std::net::SocketAddr) -> LeptosOptions {
        LeptosOptions::builder()
            .output_name(NAME)
            .site_root(self.root.to_string_lossy())
            .site_pkg_dir(PKG)
            .site_addr(address)
            .build()
    }
}

/// The URL paths of the files that `hash.txt` names. Fails if one of the files is missing.
fn bundle(root: &Path, hashes: &Path) -> Result<Bundle> {
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
    // cargo-leptos, which `make dev` uses, does not build the verifier.
    let verifier = hash_of("verifier").ok().map(|hash| format!("verifier-{hash}/main.js"));
    if let Some(file) = verifier.as_ref().map(|name| root.join(PKG).join(name))
        && !file.is_file()
    {
        bail!("{} is missing", file.display());
    }
    let verifier = verifier.map(|name| format!("/{PKG}/{name}"));
    Ok(Bundle::new(&path_of("js")?, &path_of("wasm")?, &path_of("css")?).with_verifier(verifier.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_with_a_missing_file_is_refused() {
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
        assert_eq!(site.bundle().verifier, None);

        std::fs::write(temp.path().join("hash.txt"), "js: a\nwasm: b\ncss: c\nverifier: d\n").unwrap();
        let line = Site::at(temp.path()).unwrap_err().to_string();
        assert!(line.ends_with("verifier-d/main.js is missing"), "{line}");
        std::fs::create_dir(temp.path().join("pkg/verifier-d")).unwrap();
        std::fs::write(temp.path().join("pkg/verifier-d/main.js"), "").unwrap();
        let site = Site::at(temp.path()).unwrap();
        assert_eq!(site.bundle().verifier.as_deref(), Some("/pkg/verifier-d/main.js"));
    }
}
