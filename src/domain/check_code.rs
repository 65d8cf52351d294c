//! Check codes: the stable name of each kind of trouble that a check can find, and of a pass. Programs compare codes; messages are for
//! people and may change at any time.

use super::CheckId;
use serde::{Deserialize, Serialize};

/// Declares the codes of each check: variant, stable name, what it means, what an agent can do.
macro_rules! check_codes {
    ($($check:ident { $($variant:ident = $code:literal, $meaning:literal, $remedy:literal;)* })*) => {
        /// The kind of trouble that a check found, or that it found none. The names are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum CheckCode {
            $($(#[doc = $meaning] #[serde(rename = $code)] $variant,)*)*
        }

        impl CheckCode {
            /// Every code, in the order of [`CheckId::ALL`].
            pub const ALL: &[CheckCode] = &[$($(CheckCode::$variant,)*)*];

            /// The stable name: `<check ID>.<snake_case>`.
            pub fn as_str(self) -> &'static str {
                match self { $($(CheckCode::$variant => $code,)*)* }
            }

            /// The check that uses the code.
            pub fn check(self) -> CheckId {
                match self { $($(CheckCode::$variant => CheckId::$check,)*)* }
            }

            /// What the code means.
            pub fn meaning(self) -> &'static str {
                match self { $($(CheckCode::$variant => $meaning,)*)* }
            }

            /// What an agent can do about it.
            pub fn remedy(self) -> &'static str {
                match self { $($(CheckCode::$variant => $remedy,)*)* }
            }
        }
    };
}

check_codes! {
    Context {
        ContextPassed = "context.passed",
            "Release, certification, team and components belong together.",
            "Nothing.";
        CertificationOfOtherRelease = "context.certification_of_other_release",
            "The certification belongs to another release.",
            "Name the certification of this release, or the release of this certification.";
        TeamNotOnRelease = "context.team_not_on_release",
            "The team does not work on the release.",
            "Name one of the release's teams.";
        ComponentNotInRelease = "context.component_not_in_release",
            "The application, module, repository or service is not part of the release.",
            "Name a component of the release.";
        ReleaseAlreadyReleased = "context.release_already_released",
            "The release is out already.",
            "Check that the work belongs to this release; name the next release if it does not.";
        CallerNotOnTeam = "context.caller_not_on_team",
            "The person that the agent acts for is not on the team.",
            "Check that the team is the right one. A reviewer can acknowledge the warning.";
        ComponentOfOtherTeam = "context.component_of_other_team",
            "The component belongs to another team than the one that is named.",
            "Name the team that owns the component, or say in the reason why another team does the work.";
    }
    Unrelated {
        UnrelatedPassed = "unrelated.passed",
            "Every record that the payload refers to belongs to the release.",
            "Nothing.";
        RecordOfOtherRelease = "unrelated.other_release",
            "Findings, blockers or controls belong to another release.",
            "Leave these records out, or propose the work for their release.";
        RecordNotOpen = "unrelated.not_open",
            "Findings or blockers are no longer open.",
            "Read the records again, and leave out what needs no work.";
        FindingNotSeen = "unrelated.not_seen",
            "The newest complete scan of the release does not show findings any more.",
            "Read the findings again (`notSeenSince`), and leave out what needs no work.";
        FindingInOtherReleases = "unrelated.other_releases",
            "The finding was seen in several releases, and the new status holds in all of them.",
            "Say in the justification why the status is right in each release. A reviewer can acknowledge the warning.";
    }
    Titles {
        TitlesPassed = "titles.passed",
            "The titles are specific and distinct.",
            "Nothing.";
        GenericTitle = "titles.generic",
            "A title says nothing about the work: it has generic words, numbers and record names only.",
            "Write what will change, and where.";
        RepeatedTitle = "titles.repeated",
            "Several items of the package have the same title.",
            "Write what is different about each item, or make one item of them.";
    }
    Hierarchy {
        HierarchyPassed = "hierarchy.passed",
            "Tasks have a suitable parent story, and stories have no parent.",
            "Nothing.";
        TaskWithoutParent = "hierarchy.task_without_parent",
            "A task has no parent.",
            "Name the parent story, or propose a work package.";
        StoryWithParent = "hierarchy.story_with_parent",
            "A story has a parent.",
            "Leave the parent out, or propose a task.";
        ParentIsTask = "hierarchy.parent_is_task",
            "The parent is a task, and tasks have no children.",
            "Name a story as parent.";
        ParentOfOtherRelease = "hierarchy.parent_of_other_release",
            "The parent belongs to another release.",
            "Name a story of the same release.";
        ParentDone = "hierarchy.parent_done",
            "The parent is done.",
            "Name an open story, or propose a new one.";
        ParentCancelled = "hierarchy.parent_cancelled",
            "The parent was cancelled.",
            "Name an open story, or propose a new one.";
    }
    Blockers {
        BlockersPassed = "blockers.passed",
            "The release that is to be certified has no open blocker.",
            "Nothing.";
        OpenBlockers = "blockers.open",
            "The release that is to be certified has open blockers.",
            "Propose work that resolves them, or propose to accept their risk, and request the certification afterwards.";
    }
    Evidence {
        EvidencePassed = "evidence.passed",
            "The cited evidence is unchanged, recent enough and about the release.",
            "Nothing.";
        EvidenceMissing = "evidence.missing",
            "New work items cite no evidence. This blocks a work package, and is a warning for a single work item.",
            "Cite the evidence that shows the findings.";
        EvidenceChanged = "evidence.changed",
            "The stored bytes do not have the SHA-256 that was recorded at the import.",
            "Tell an operator. Cite other evidence once the file is imported again.";
        EvidenceStale = "evidence.stale",
            "The evidence is older than the policy allows.",
            "Cite the newer evidence that the check names, or have the scan run again and cite its result.";
        EvidenceInFuture = "evidence.future",
            "The evidence is dated more than a day in the future.",
            "Have the scan run again on a machine whose clock is right.";
        EvidenceOfOtherRelease = "evidence.other_release",
            "The evidence is about another release and another commit.",
            "Cite evidence of this release.";
        EvidenceNotStored = "evidence.not_stored",
            "The bytes are not stored here, so the service cannot compare them with the recorded SHA-256.",
            "Cite evidence whose file was imported. A reviewer can acknowledge the warning.";
    }
    Duplicates {
        DuplicatesPassed = "duplicates.passed",
            "No work item and no open action is about the same records or has a similar title.",
            "Nothing.";
        SameFindings = "duplicates.same_findings",
            "A work item is about the same findings. A cancelled work item is a warning, any other blocks.",
            "Update or reopen that work item, or leave these findings out.";
        MoreWithSameFindings = "duplicates.more_with_same_findings",
            "More work items are about the same findings than the check names.",
            "List the work items of the release before proposing new ones.";
        SameTitle = "duplicates.same_title",
            "A work item of the release has the same title. A cancelled work item is a warning, any other blocks.",
            "Update or reopen that work item, or leave this one out.";
        SimilarTitle = "duplicates.similar_title",
            "A work item of the release has a similar title.",
            "Compare the two. Leave this one out if the work is the same, else make the title more specific.";
        MoreSimilarTitles = "duplicates.more_similar_titles",
            "More titles are like those of other work items than the check names.",
            "List the work items of the release before proposing new ones.";
        RepeatsPendingAction = "duplicates.repeats_pending_action",
            "The same proposal is pending already. This one ends when that one is decided.",
            "Poll the pending action. Do not propose it again.";
        OpenActions = "duplicates.open_actions",
            "Other open actions are about the same records. They are named one by one, unless they are many.",
            "Poll the other action if it is yours; withdraw the one that is not wanted.";
    }
    Ownership {
        OwnershipPassed = "ownership.passed",
            "Every owner is on the team, or no owner is named.",
            "Nothing.";
        OwnerNotOnTeam = "ownership.owner_not_on_team",
            "An owner is not on the team that does the work.",
            "Name an owner of the team, or no owner.";
        OneOwnerForAll = "ownership.one_owner_for_all",
            "All tasks of a larger package have the same owner.",
            "Check that this is meant; distribute the tasks, or name no owner.";
    }
    Grounding {
        GroundingPassed = "grounding.passed",
            "The agent had read every record that it cites, and the reason names a record.",
            "Nothing.";
        CitedUnread = "grounding.unread",
            "The agent cites records that it had not read.",
            "Read the records in the same trace, and propose again.";
        ReasonWithoutRecord = "grounding.reason_without_record",
            "The reason names no record.",
            "Name the findings, blockers or evidence that the proposal is based on.";
    }
    TextSafety {
        TextSafetyPassed = "text-safety.passed",
            "The text has no misleading characters, no markup, no links and no appeal to the reviewer.",
            "Nothing.";
        MixedScripts = "text-safety.mixed_scripts",
            "A word mixes Latin letters with letters of another script that look like Latin ones.",
            "Write each word in one script.";
        ImitatedWord = "text-safety.imitated_word",
            "A word in a Latin text has only letters of another script that look like Latin ones.",
            "Write the word in Latin letters.";
        AddressesReviewer = "text-safety.addresses_reviewer",
            "The text addresses the reviewer, or claims that it was approved.",
            "Describe the work only.";
        Markup = "text-safety.markup",
            "The text has HTML or Markdown markup.",
            "Send plain text.";
        Link = "text-safety.link",
            "The text has a link.",
            "Leave the link out, and name records by their IDs.";
    }
}

impl CheckCode {
    /// Whether the code is that of a pass.
    pub fn is_pass(self) -> bool {
        matches!(
            self,
            CheckCode::ContextPassed
                | CheckCode::UnrelatedPassed
                | CheckCode::TitlesPassed
                | CheckCode::HierarchyPassed
                | CheckCode::BlockersPassed
                | CheckCode::EvidencePassed
                | CheckCode::DuplicatesPassed
                | CheckCode::OwnershipPassed
                | CheckCode::GroundingPassed
                | CheckCode::TextSafetyPassed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_distinct_and_begin_with_their_check() {
        let names: BTreeSet<&str> = CheckCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), CheckCode::ALL.len());
        for code in CheckCode::ALL {
            let name = code.as_str();
            let kind = name
                .strip_prefix(code.check().as_str())
                .and_then(|rest| rest.strip_prefix('.'));
            let kind = kind.unwrap_or_else(|| panic!("{name} does not begin with its check"));
            assert!(kind.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            assert_eq!(serde_json::to_value(code).expect("JSON"), name, "the serialized name");
            assert_eq!(code.is_pass(), kind == "passed", "{name}");
        }
        for check in CheckId::ALL {
            let passes = CheckCode::ALL
                .iter()
                .filter(|code| code.check() == check && code.is_pass());
            assert_eq!(passes.count(), 1, "{}", check.as_str());
        }
    }

    #[test]
    fn the_documented_table_lists_every_code() {
        let table: String = CheckCode::ALL
            .iter()
            .map(|code| format!("| `{}` | {} | {} |\n", code.as_str(), code.meaning(), code.remedy()))
            .collect();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/check-codes.md");
        let document = std::fs::read_to_string(path).expect("docs/check-codes.md");
        assert!(
            document.contains(&table),
            "docs/check-codes.md must contain this table:\n{table}"
        );
    }
}
