//! Logs on stderr, as text or as one JSON object a line.

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Levels of libraries that log too much. A setting that names the library overrides them.
const QUIET: &str = "tower_sessions=error,tower_sessions_core=error,sqlx=warn,hyper=warn,rmcp=warn,tantivy=warn";

/// Starts logging. `setting` contains `text` or `json`, and levels in the format of tracing's `EnvFilter`, separated by commas:
/// `json,info,loopiq=debug`.
///
/// # Errors
/// One line that says which part of the setting is invalid.
pub fn start(setting: &str) -> Result<()> {
    let (json, levels) = parse(setting);
    let filter = EnvFilter::builder()
        .parse(format!("{QUIET},{levels}"))
        .with_context(|| format!("LOOPIQ_LOG={setting} is invalid"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr);
    // A second start in one process, as in tests, has no effect.
    let _ = if json {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init()
    } else {
        lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init()
    };
    Ok(())
}

fn parse(setting: &str) -> (bool, String) {
    let mut json = false;
    let mut levels = Vec::new();
    for part in setting.split(',').map(str::trim) {
        match part {
            "json" => json = true,
            "text" => json = false,
            "" => {}
            level => levels.push(level),
        }
    }
    let levels = if levels.is_empty() {
        "info".to_owned()
    } else {
        levels.join(",")
    };
    (json, levels)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn one_setting_contains_format_and_levels() {
        assert_eq!(parse("json"), (true, "info".to_owned()));
        assert_eq!(parse("text, debug"), (false, "debug".to_owned()));
        assert_eq!(parse("warn,loopiq=debug,json"), (true, "warn,loopiq=debug".to_owned()));
        assert_eq!(parse(""), (false, "info".to_owned()));
    }
}
