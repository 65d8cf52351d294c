//! Logs on stderr, as text or as one JSON object a line.

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Libraries that tell more than anybody wants to read, unless they are asked for by name.
const QUIET: &str = "tower_sessions=error,tower_sessions_core=error,sqlx=warn,hyper=warn,rmcp=warn";

/// Turns logging on. `setting` holds `text` or `json`, and levels as tracing's `EnvFilter` takes them, with commas
/// between: `json,info,loopiq=debug`.
///
/// # Errors
/// One line that says what in the setting cannot be read.
pub fn start(setting: &str) -> Result<()> {
    let (json, levels) = parse(setting);
    let filter = EnvFilter::builder()
        .parse(format!("{QUIET},{levels}"))
        .with_context(|| format!("LOOPIQ_LOG={setting} cannot be read"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr);
    // A second start in one process (tests) changes nothing.
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
    fn format_and_levels_share_one_setting() {
        assert_eq!(parse("json"), (true, "info".to_owned()));
        assert_eq!(parse("text, debug"), (false, "debug".to_owned()));
        assert_eq!(parse("warn,loopiq=debug,json"), (true, "warn,loopiq=debug".to_owned()));
        assert_eq!(parse(""), (false, "info".to_owned()));
    }
}
