//! From Rust to WASM for browsers: cargo, wasm-bindgen, wasm-opt.

use crate::files;
use crate::site::{Options, Paths, run, timed};
use anyhow::Result;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program, and the package description with its version.
pub(crate) type Tool = (PathBuf, Vec<u8>);

/// Builds the app for the browser. The features `hydrate` and `ssr` exclude each other, so this is a separate build.
pub(crate) fn compile_app(options: &Options) -> Result<()> {
    run(cargo(options).args(["--package=loopiq-app", "--features=hydrate"]))
}

/// Builds the verifier, in a build of its own: together with the app, cargo would give the crates of both the app's features. The loops of SHA-2
/// are not unrolled, which makes the file a tenth smaller.
pub(crate) fn compile_verifier(options: &Options) -> Result<()> {
    // Flags in this variable are separated by the character U+001F.
    const FLAGS: &str = "--cfg\u{1f}sha2_backend_soft=\"compact\"";
    run(cargo(options)
        .arg("--package=loopiq-verifier")
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS))
}

fn cargo(options: &Options) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args([
        "build",
        "--lib",
        "--target=wasm32-unknown-unknown",
        "--no-default-features",
        "--profile",
        options.profile(),
    ]);
    command
}

/// What cargo built of a library: `loopiq_app`.
pub(crate) fn compiled(paths: &Paths, options: &Options, library: &str) -> Result<Vec<u8>> {
    let folder = paths.target().join("wasm32-unknown-unknown").join(options.profile());
    files::read(&folder.join(format!("{library}.wasm")))
}

/// wasm-opt, if it was requested.
pub(crate) fn optimizer(paths: &Paths, options: &Options) -> Result<Option<Tool>> {
    options.optimize.then(|| paths.tool("binaryen", "wasm-opt")).transpose()
}

/// Runs wasm-bindgen and wasm-opt. Returns the folder with wasm-bindgen's own file names: `NAME.js`, `NAME_bg.wasm`.
pub(crate) fn bound(paths: &Paths, name: &str, wasm: &[u8], wasm_opt: Option<&Tool>) -> Result<PathBuf> {
    let raw = paths.part("bindgen").join(name);
    if raw.exists() {
        std::fs::remove_dir_all(&raw)?;
    }
    timed("wasm-bindgen", || bindgen(name, wasm, &raw))?;
    if let Some((program, _)) = wasm_opt {
        timed("wasm-opt -Oz", || {
            optimize(program, &raw.join(format!("{name}_bg.wasm")))
        })?;
    }
    Ok(raw)
}

/// Uses wasm-bindgen as a library, so that Cargo.lock keeps its version equal to that of the bundle.
fn bindgen(name: &str, wasm: &[u8], out: &Path) -> Result<()> {
    wasm_bindgen_cli_support::Bindgen::new()
        .input_bytes(name, wasm.to_vec())
        .web(true)?
        .typescript(false)
        // The page names the WASM file, whose final name is unknown here.
        .omit_default_module_path(true)
        // Names of functions are a third of the file, and no visitor needs them.
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(out)
}

/// Shrinks the WASM file in place. The features are rustc's defaults, which every current browser supports.
fn optimize(program: &Path, wasm: &Path) -> Result<()> {
    run(Command::new(program)
        .args([
            "-Oz",
            // The stack of a browser's WASM begins at 1 MiB, so nothing is below address 1024.
            "--low-memory-unused",
            "--strip-target-features",
            "--enable-bulk-memory",
            "--enable-nontrapping-float-to-int",
            "--enable-sign-ext",
        ])
        .args([
            "--enable-mutable-globals",
            "--enable-reference-types",
            "--enable-multivalue",
        ])
        .arg(wasm)
        .arg("-o")
        .arg(wasm))
}
