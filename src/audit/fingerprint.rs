//! Tells whether two versions of the service find the same entries by the same terms.

use super::{Content, EVENTS, Place};
use crate::domain::{Actor, ClientId, ClientOfEntry, EventOutcome, PersonId, Source, SourceKind, canonical};
use serde_json::json;

/// A hash of the terms of sample entries: one entry of each event, by each kind of actor, with every field that has terms. If another version
/// of the service takes other terms from an entry, its hash differs, and it builds the search index again.
pub fn terms_fingerprint() -> String {
    let mut terms = String::new();
    for (_, event) in EVENTS {
        for actor in actors() {
            let found = sample(actor).terms(event, Some("act_Sample"));
            let words = found.words.iter().map(|(at, word)| format!("{at} {word}"));
            for term in found.values.into_iter().chain(words) {
                terms.push_str(&term);
                terms.push('\n');
            }
        }
    }
    canonical::digest(terms.as_bytes())
}

fn actors() -> [Actor; 4] {
    let person = || PersonId::from_bits(1);
    [
        Actor::System,
        Actor::Program {
            id: ClientId::from_bits(4),
            name: "Nightly import".to_owned(),
        },
        Actor::Person {
            id: person(),
            name: "Rita  van Reviewer".to_owned(),
            email: "Rita@Acme.example".to_owned(),
        },
        Actor::Client {
            id: ClientId::from_bits(2),
            name: "Helix 2".to_owned(),
            caller_id: person(),
            caller_name: "Dana Ökonom".to_owned(),
            caller_email: "dana@acme.example".to_owned(),
        },
    ]
}

/// An entry with every field.
pub(super) fn sample(actor: Actor) -> Content {
    let text = |text: &str| Some(text.to_owned());
    Content {
        version: 1,
        actor,
        client: Some(ClientOfEntry {
            id: ClientId::from_bits(3),
            name: text("Helix 2"),
            version: text("2.1"),
        }),
        agent: text("Helix 2.1"),
        source: Source {
            kind: SourceKind::Request,
            address: text("192.0.2.1"),
            session: text("tok_Sample"),
        },
        request_id: "request".to_owned(),
        trace_id: "0AF7651916CD43DD8448EB211C80319C".to_owned(),
        client_request_id: text("req-1"),
        client_trace_id: text("1AF7651916CD43DD8448EB211C80319C"),
        workflow: text("Release readiness"),
        tool: text("loopiq_create_work_item"),
        tool_call_chain: vec!["loopiq_list_blockers".to_owned()],
        approval_id: text("apr_Sample"),
        idempotency_key: text(" Key 1 "),
        payload_digest: text("sha256:00"),
        schema_version: Some(1),
        policy_version: Some(1),
        outcome: Some(EventOutcome::Ok),
        headline: text("Fix-it: 2 İ findings, 東京の検索, x, C++ ﬁ e\u{301} می\u{200C}شود ❤\u{FE0F}"),
        state: text("pending_approval"),
        release: Some(Place {
            id: "rel_Sample".to_owned(),
            key: "SHOP-2026.12".to_owned(),
        }),
        note: text("Blocks wi_7zzzzzzzzzzzzzzzzzzzzzzzzz and R&D's <b>rest</b>."),
        records: vec!["fnd_Sample".to_owned()],
        record_keys: vec!["WI-2".to_owned()],
        details: json!({
            "title": "Outer Title", "other": "not a title", "list": [{ "title": "Inner title" }, { "title": 7 }],
            "titles": ["Kept title", 8],
            "payload": { "parent": { "title": "Parameterize the query", "description": "not searched" } },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_covers_labels_actors_and_every_kind_of_term() {
        assert_eq!(terms_fingerprint(), terms_fingerprint());
        let mut terms: Vec<String> = Vec::new();
        for actor in actors() {
            let found = sample(actor).terms("action.revoked", Some("act_1"));
            terms.extend(found.values);
            terms.extend(found.words.into_iter().map(|(_, word)| format!("word:{word}")));
        }
        for field in crate::domain::TermField::NAMED.map(|(_, name)| name) {
            assert!(
                terms.iter().any(|term| term.starts_with(&format!("{field}:"))),
                "{field}"
            );
        }
        // A word of the event's label, of a nested title, of a name, and an ID in the note.
        for term in [
            "word:revoked",
            "word:inner",
            "word:kept",
            "word:東京",
            "word:c++",
            "word:é",
            "word:میشود",
            "person:ökonom",
            "record:wi_7zzzzzzzzzzzzzzzzzzzzzzzzz",
            "record:tok_sample",
            "trace:1af7651916cd43dd8448eb211c80319c",
        ] {
            assert!(terms.iter().any(|found| found == term), "{term}: {terms:?}");
        }
    }
}
