//! Builds the site that the server delivers: `xtask site --profile wasm-dev|wasm-release [--optimize]`.
//!
//! Replaces `cargo leptos build` for the browser's half, because installing cargo-leptos takes long. The result has the
//! form that Leptos expects: `site/hash.txt` and `site/pkg/loopiq.<hash>.{js,wasm,css}`, precompressed. The verifier of the audit
//! log is in `site/pkg/verifier-<hash>/`. Steps with unchanged inputs are skipped, and the old site remains in place until the new site is
//! complete.

mod files;
mod site;
mod verifier;
mod wasm;

use anyhow::{Context, Result, bail};

const USAGE: &str = "usage: xtask site --profile wasm-dev|wasm-release [--optimize]";

fn main() -> Result<()> {
    let options = parse(std::env::args().skip(1))?;
    site::build(&options)
}

/// Parses the command line. Unknown arguments are refused, so that a typing error does not build something else.
fn parse(mut args: impl Iterator<Item = String>) -> Result<site::Options> {
    if args.next().as_deref() != Some("site") {
        bail!(USAGE);
    }
    let mut profile = None;
    let mut optimize = false;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--profile" => profile = Some(args.next().context(USAGE)?),
            "--optimize" => optimize = true,
            other => bail!("{other}: unknown argument; {USAGE}"),
        }
    }
    let release = match profile.as_deref() {
        Some("wasm-dev") => false,
        Some("wasm-release") => true,
        _ => bail!(USAGE),
    };
    Ok(site::Options { release, optimize })
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn run(line: &str) -> anyhow::Result<crate::site::Options> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_profile_and_optimize() {
        let options = run("site --profile wasm-release --optimize").unwrap();
        assert!(options.release && options.optimize);
        let options = run("site --profile wasm-dev").unwrap();
        assert!(!options.release && !options.optimize);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for line in [
            "",
            "sites",
            "site",
            "site --profile",
            "site --profile debug",
            "site --profile wasm-dev --fast",
        ] {
            assert!(run(line).is_err(), "{line}");
        }
    }
}
