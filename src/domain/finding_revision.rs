//! What a scan changes about a finding that the tenant has already: newer evidence revises older statements.
//!
//! The order of scans is the order in which they were made, not the order of their imports.

use super::string_enum::string_enum;
use super::{FindingStatus, Severity, Timestamp};

string_enum! {
    /// Why a finding is open again.
    ReopenCause {
        /// A scan that is newer than the decision shows a finding that a person had set to fixed.
        SeenAgain = "seen_again";
        /// A newer scan does not suppress it any more.
        SuppressionLifted = "suppression_lifted";
        /// A scan shows it in a release in which its risk is not accepted and nothing sets it aside.
        SeenInOtherRelease = "seen_in_other_release";
        /// The acceptance of its risk has ended.
        AcceptanceEnded = "acceptance_ended";
        /// The status was given until a date, which has passed.
        StatusEnded = "status_ended";
    }
}

/// A finding before a scan is considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFinding {
    /// Its severity.
    pub severity: Severity,
    /// Its status.
    pub status: FindingStatus,
    /// When the newest scan that shows it was made.
    pub last_seen_at: Timestamp,
    /// When a person's decision set the status; `None` if a scan did.
    pub decided_at: Option<Timestamp>,
}

/// Where a finding is set aside: the newest scan of the release suppresses it, or a statement on the vulnerability (VEX) says that it is no
/// problem there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetAside {
    /// Not in the release of the scan.
    No,
    /// In the release of the scan, and not in another one that shows the finding.
    Here,
    /// In every release that shows the finding.
    Everywhere,
}

/// What a scan says about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// The severity in the scan.
    pub severity: Severity,
    /// When the scan was made.
    pub at: Timestamp,
    /// When the newest scan of the same release that shows it was made; `None` if none has shown it there.
    pub last_seen_here: Option<Timestamp>,
    /// Whether its risk is accepted in the release of the scan.
    pub accepted_here: bool,
    /// Where it is set aside, if the scan counts.
    pub set_aside: SetAside,
}

/// How a scan changes a finding's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusChange {
    /// The finding is open again.
    Reopened(ReopenCause),
    /// The finding is set aside in every release that shows it.
    Suppressed,
}

/// A finding after a scan was considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Its severity.
    pub severity: Severity,
    /// How the status changes; `None` if it stays.
    pub change: Option<StatusChange>,
    /// Whether a person's decision that the finding is no problem stays although a newer scan shows the finding.
    pub seen_again: bool,
    /// Whether an open finding is set aside in the release of the scan alone.
    pub set_aside_here: bool,
    /// Whether the severity is higher than before.
    pub is_worse: bool,
}

impl KnownFinding {
    /// What a scan changes.
    pub fn revise(&self, seen: &Sighting) -> Revision {
        let is_newest = seen.at >= self.last_seen_at;
        // What holds in a release follows from the scans of this release.
        let is_newest_here = seen.last_seen_here.is_none_or(|last| seen.at >= last);
        let is_after_decision = seen.at > self.decided_at.unwrap_or(self.last_seen_at);
        let is_hidden = seen.set_aside == SetAside::Everywhere;
        let is_shown = seen.set_aside == SetAside::No;
        let change = match self.status {
            FindingStatus::Fixed if is_after_decision && is_hidden => Some(StatusChange::Suppressed),
            FindingStatus::Fixed if is_after_decision && is_shown => {
                Some(StatusChange::Reopened(ReopenCause::SeenAgain))
            }
            FindingStatus::Open if self.decided_at.is_none() && is_newest_here && is_hidden => {
                Some(StatusChange::Suppressed)
            }
            FindingStatus::Suppressed if self.decided_at.is_none() && is_newest_here && is_shown => {
                Some(StatusChange::Reopened(match seen.last_seen_here {
                    Some(_) => ReopenCause::SuppressionLifted,
                    None => ReopenCause::SeenInOtherRelease,
                }))
            }
            FindingStatus::Accepted if !seen.accepted_here && is_shown => {
                Some(StatusChange::Reopened(ReopenCause::SeenInOtherRelease))
            }
            _ => None,
        };
        let is_kept = matches!(self.status, FindingStatus::FalsePositive | FindingStatus::Accepted);
        Revision {
            severity: if is_newest { seen.severity } else { self.severity },
            change,
            seen_again: is_kept && change.is_none() && is_after_decision,
            is_worse: is_newest && seen.severity > self.severity,
            set_aside_here: self.status == FindingStatus::Open
                && self.decided_at.is_none()
                && is_newest_here
                && seen.set_aside == SetAside::Here,
        }
    }
}

impl StatusChange {
    /// The status that follows.
    pub fn status(self) -> FindingStatus {
        match self {
            StatusChange::Reopened(_) => FindingStatus::Open,
            StatusChange::Suppressed => FindingStatus::Suppressed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = Timestamp::DAY;

    fn known(status: FindingStatus, decided: Option<i64>) -> KnownFinding {
        KnownFinding {
            severity: Severity::High,
            status,
            last_seen_at: Timestamp(10 * DAY),
            decided_at: decided.map(|day| Timestamp(day * DAY)),
        }
    }

    fn seen(day: i64) -> Sighting {
        Sighting {
            severity: Severity::Low,
            at: Timestamp(day * DAY),
            last_seen_here: Some(Timestamp(10 * DAY)),
            accepted_here: false,
            set_aside: SetAside::No,
        }
    }

    fn suppressed(day: i64) -> Sighting {
        Sighting {
            set_aside: SetAside::Everywhere,
            ..seen(day)
        }
    }

    fn change(known: KnownFinding, seen: Sighting) -> Option<StatusChange> {
        known.revise(&seen).change
    }

    #[test]
    fn an_older_scan_changes_no_severity() {
        let open = known(FindingStatus::Open, None);
        assert_eq!(open.revise(&seen(9)).severity, Severity::High);
        assert_eq!(
            open.revise(&seen(10)).severity,
            Severity::Low,
            "a scan that is not older"
        );
        assert_eq!(open.revise(&seen(11)).severity, Severity::Low);
    }

    #[test]
    fn a_fixed_finding_is_open_again_if_a_scan_after_the_decision_shows_it() {
        let fixed = known(FindingStatus::Fixed, Some(12));
        let again = Some(StatusChange::Reopened(ReopenCause::SeenAgain));
        assert_eq!(change(fixed, seen(13)), again);
        assert_eq!(change(fixed, seen(12)), None, "a scan of the same moment");
        assert_eq!(change(fixed, seen(11)), None, "a scan from before the fix");
        assert_eq!(change(fixed, suppressed(13)), Some(StatusChange::Suppressed));
    }

    #[test]
    fn the_newest_scan_says_whether_a_finding_is_suppressed() {
        let (open, hidden) = (known(FindingStatus::Open, None), known(FindingStatus::Suppressed, None));
        let lifted = Some(StatusChange::Reopened(ReopenCause::SuppressionLifted));
        assert_eq!(change(open, suppressed(11)), Some(StatusChange::Suppressed));
        assert_eq!(change(open, suppressed(9)), None);
        assert_eq!(change(hidden, seen(11)), lifted);
        assert_eq!(change(hidden, seen(9)), None);
        assert_eq!(change(hidden, suppressed(11)), None);
    }

    #[test]
    fn a_scan_of_another_release_shows_what_is_suppressed_elsewhere() {
        let first_here = Sighting {
            last_seen_here: None,
            ..seen(1)
        };
        let other = Some(StatusChange::Reopened(ReopenCause::SeenInOtherRelease));
        let revision = known(FindingStatus::Suppressed, None).revise(&first_here);
        assert_eq!(
            (revision.change, revision.severity),
            (other, Severity::High),
            "an older scan"
        );
    }

    #[test]
    fn a_persons_decision_outweighs_suppressions() {
        assert_eq!(change(known(FindingStatus::Open, Some(10)), suppressed(11)), None);
        assert_eq!(change(known(FindingStatus::Suppressed, Some(10)), seen(11)), None);
    }

    #[test]
    fn a_statement_sets_a_finding_aside_where_it_holds() {
        let (open, hidden) = (known(FindingStatus::Open, None), known(FindingStatus::Suppressed, None));
        let aside = |set_aside| Sighting { set_aside, ..seen(11) };
        assert_eq!(
            change(open, aside(SetAside::Everywhere)),
            Some(StatusChange::Suppressed)
        );
        assert_eq!(change(open, aside(SetAside::Here)), None, "another release shows it");
        assert_eq!(change(hidden, aside(SetAside::Here)), None);
        let lifted = Some(StatusChange::Reopened(ReopenCause::SuppressionLifted));
        assert_eq!(change(hidden, aside(SetAside::No)), lifted);
    }

    #[test]
    fn a_false_positive_stays_and_is_said_to_be_seen_again() {
        let judged = known(FindingStatus::FalsePositive, Some(12));
        let after = judged.revise(&seen(13));
        assert_eq!((after.change, after.seen_again), (None, true));
        assert!(!judged.revise(&seen(11)).seen_again);
    }

    #[test]
    fn a_risk_is_accepted_for_its_release_alone() {
        let accepted = known(FindingStatus::Accepted, Some(12));
        let here = Sighting {
            accepted_here: true,
            ..seen(13)
        };
        assert_eq!(accepted.revise(&here).change, None);
        assert!(accepted.revise(&here).seen_again);
        let other = Some(StatusChange::Reopened(ReopenCause::SeenInOtherRelease));
        assert_eq!(change(accepted, seen(13)), other);
        assert_eq!(change(accepted, seen(1)), other, "an older scan of another release");
        assert_eq!(change(accepted, suppressed(13)), None);
    }
}
