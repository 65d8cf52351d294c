//! Derives a severity from a word, a score or a CVSS vector.

use super::Severity;
use cvss::Cvss;

/// The most bytes of a word, a number or a vector; a longer text gives no severity and is not parsed. A vector has
/// about 40 characters, with all optional metrics about 150.
const LONGEST: usize = 500;

/// The severity for a word of an advisory.
pub(super) fn word(text: &str) -> Option<Severity> {
    if text.len() > LONGEST {
        return None;
    }
    match text.trim().to_ascii_lowercase().as_str() {
        "critical" => Some(Severity::Critical),
        "high" | "important" => Some(Severity::High),
        "medium" | "moderate" => Some(Severity::Medium),
        "low" | "negligible" => Some(Severity::Low),
        "none" | "info" | "informational" => Some(Severity::None),
        _ => None,
    }
}

/// The severity for a score from 0 to 10, by the bands of CVSS 3 as GitHub states them: "over 9.0 is critical, 7.0 to
/// 8.9 is high, 4.0 to 6.9 is medium and 3.9 or less is low". As in CVSS, 9.0 is critical and 0 is none.
pub(super) fn score(score: f64) -> Option<Severity> {
    if !score.is_finite() || score < 0.0 {
        return None;
    }
    Some(match score {
        9.0.. => Severity::Critical,
        7.0.. => Severity::High,
        4.0.. => Severity::Medium,
        score if score > 0.0 => Severity::Low,
        _ => Severity::None,
    })
}

/// The severity for a CVSS vector of version 2, 3 or 4, by its base score. CycloneDX omits the prefix, which `version`
/// (`3.1`) replaces.
pub(super) fn vector(text: &str, version: Option<&str>) -> Option<Severity> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    if let Ok(vector) = text.parse::<Cvss>() {
        return score(vector.score());
    }
    let bare = text.trim_start_matches('(').trim_end_matches(')');
    if let Ok(vector) = bare.parse::<cvss::v2::Vector>() {
        return score(vector.score().value());
    }
    let whole = format!("CVSS:{}/{bare}", version?);
    score(whole.parse::<Cvss>().ok()?.score())
}

/// The severity for a score as text.
pub(super) fn number(text: &str) -> Option<Severity> {
    (text.len() <= LONGEST)
        .then(|| text.trim().parse().ok())
        .flatten()
        .and_then(score)
}

/// The severity for a score as text, a vector or a word, whichever parses first.
pub(super) fn any(text: &str) -> Option<Severity> {
    number(text).or_else(|| vector(text, None)).or_else(|| word(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_all_versions_are_scored() {
        for (text, version, expected) in [
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                None,
                Some(Severity::Critical),
            ),
            (
                "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
                None,
                Some(Severity::High),
            ),
            (
                "AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
                Some("3.1"),
                Some(Severity::Medium),
            ),
            (
                "CVSS:3.1/AV:A/AC:H/PR:H/UI:N/S:U/C:L/I:N/A:N",
                None,
                Some(Severity::Low),
            ),
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N",
                None,
                Some(Severity::None),
            ),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", None, Some(Severity::Critical)),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                None,
                Some(Severity::Critical),
            ),
            ("CVSS:9.9/AV:N", None, None),
            ("AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", None, None),
            ("", Some("3.1"), None),
        ] {
            assert_eq!(vector(text, version), expected, "{text}");
        }
    }

    #[test]
    fn scores_and_words() {
        assert_eq!(score(9.0), Some(Severity::Critical));
        assert_eq!(score(8.9), Some(Severity::High));
        assert_eq!(score(0.0), Some(Severity::None));
        assert_eq!(score(-1.0), None);
        assert_eq!(score(f64::NAN), None);
        assert_eq!(any("7.5"), Some(Severity::High));
        assert_eq!(any("MODERATE"), Some(Severity::Medium));
        assert_eq!(any("unheard of"), None);
    }
}
