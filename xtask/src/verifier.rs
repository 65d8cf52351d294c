//! The verifier of the audit log: WASM and modules of its own, in a folder that is named by its content.

use crate::files::{self, Key};
use crate::site::{Options, Paths, timed};
use crate::wasm;
use anyhow::{Result, bail};
use std::path::Path;

/// The name of the part, of its files and of its folders.
pub(crate) const NAME: &str = "verifier";
/// The modules that load the verifier and show its reports.
const PAGE: &str = "verifier/page";
/// The most bytes of the compressed WASM in a release. Auditors load it with the first page of the audit trail.
const MAX_WASM: usize = 40_000;

/// Makes `verifier-<hash>/` with the WASM, its JavaScript and the modules of the pages. Returns the step's key.
pub(crate) fn build(paths: &Paths, options: &Options) -> Result<(String, bool)> {
    wasm::compile_verifier(options)?;
    let wasm_opt = wasm::optimizer(paths, options)?;
    let bytes = wasm::compiled(paths, options, "loopiq_verifier")?;
    let key = Key::new(NAME)
        .with(include_bytes!("verifier.rs"))
        .with(include_bytes!("wasm.rs"))
        .with(&bytes)
        .with_tree(Path::new(PAGE))?
        .with(format!("{options:?}").as_bytes())
        .with(wasm_opt.as_ref().map_or(&[][..], |(_, version)| version))
        .finish();
    let done = files::folder(&paths.part(NAME), &paths.stamp(NAME), &key, |new| {
        let raw = wasm::bound(paths, NAME, &bytes, wasm_opt.as_ref())?;
        // Modules import each other by relative path, so one hash in the folder's name covers all of them.
        let hash = Key::new(NAME).with_tree(&raw)?.with_tree(Path::new(PAGE))?.finish();
        let folder = new.join(format!("{NAME}-{}", &hash[..16]));
        files::copy_tree(&raw, &folder)?;
        files::copy_tree(Path::new(PAGE), &folder)?;
        timed("compression", || files::precompress(new, options.brotli_quality()))?;
        let packed = files::with_suffix(&folder.join(format!("{NAME}_bg.wasm")), "br");
        fits(files::read(&packed)?.len(), options)
    })?;
    Ok((key, done))
}

/// Reports the size, and refuses a release whose verifier is too large.
fn fits(packed: usize, options: &Options) -> Result<()> {
    eprintln!("site:   the verifier has {packed} bytes brotli, of {MAX_WASM} in a release");
    if options.release && packed > MAX_WASM {
        bail!("the verifier has {packed} bytes brotli, and at most {MAX_WASM} are allowed");
    }
    Ok(())
}

/// The hash in the name of the folder.
pub(crate) fn hash(part: &Path) -> Result<String> {
    let found = files::tree(part)?.into_iter().find_map(|path| {
        let folder = path.iter().next()?.to_str()?;
        Some(folder.strip_prefix(NAME)?.strip_prefix('-')?.to_owned())
    });
    found.ok_or_else(|| anyhow::anyhow!("no {NAME} folder in {}", part.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_with_a_large_verifier_is_refused() {
        let options = |release| Options {
            release,
            optimize: release,
        };
        assert!(fits(MAX_WASM, &options(true)).is_ok());
        assert!(fits(MAX_WASM + 1, &options(true)).is_err());
        assert!(fits(MAX_WASM + 1, &options(false)).is_ok());
    }

    #[test]
    fn the_hash_is_in_the_name_of_the_folder() {
        let temp = tempfile::tempdir().unwrap();
        assert!(hash(temp.path()).is_err());
        files::write(&temp.path().join("verifier-0123/main.js"), b"x").unwrap();
        assert_eq!(hash(temp.path()).unwrap(), "0123");
    }
}
