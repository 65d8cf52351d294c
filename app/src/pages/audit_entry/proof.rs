//! That the entry is in the signed log: what the server says, and what the browser verifies.

use crate::components::code::CopyText;
use crate::components::time::ExactTime;
use crate::components::verifier::Verification;
use crate::pages::audit::grouped;
use crate::services::Services;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::CoveringCheckpoint;
use std::sync::Arc;

/// The section.
#[component]
pub(super) fn Proof(
    /// The entry's number.
    seq: i64,
    /// The event's name.
    event: String,
    /// The hash of the entry's leaf.
    leaf_hash: PlainText,
    /// The latest checkpoint, if it covers the entry.
    checkpoint: Option<CoveringCheckpoint>,
) -> impl IntoView {
    let tenant = use_context::<Arc<Services>>().map(|services| services.ctx.tenant().to_string());
    let covering = match &checkpoint {
        Some(checkpoint) => format!("/api/v1/audit/checkpoint?size={}", checkpoint.size),
        None => "/api/v1/audit/checkpoint".to_owned(),
    };
    view! {
        <section
            class="card proof"
            aria-labelledby="proof"
            data-verify="entry"
            data-tenant=tenant.clone()
            data-seq=seq.to_string()
            data-event=event
        >
            <h2 id="proof">"Proof"</h2>
            <Verification without="With JavaScript, your browser verifies here that the entry is in the signed log, without trusting the server's database." />
            <dl class="lines">
                <div><dt>"The server says"</dt><dd><Covered checkpoint /></dd></div>
                <div data-leaf><dt>"Leaf hash"</dt><dd><CopyText text=leaf_hash what="the leaf hash".to_owned() /></dd></div>
            </dl>
            <details>
                <summary>"Verify it yourself"</summary>
                <p>
                    "The hash of the content is part of the leaf, the hashes of the proof lead from the leaf to a root hash (RFC 9162), and \
                    a checkpoint with that root hash is signed (C2SP signed-note). Any program that knows these formats can verify it:"
                </p>
                <ul class="proof-files">
                    <li><a href=format!("/api/v1/audit/{seq}/proof")>"Proof of this entry"</a> " (JSON)"</li>
                    <li><a href=covering>"Signed checkpoint"</a></li>
                    <li><a href="/api/v1/audit/keys">"Public keys of the log"</a></li>
                </ul>
                <p>
                    "The program in your browser comes from this server, too. To trust neither, compare the checkpoint with one that a witness or you \
                    have kept, and have an operator run "
                    <code>"loopiq audit verify --tenant " {tenant.clone()} " --checkpoint FILE"</code> "."
                </p>
            </details>
        </section>
    }
}

/// The server's own statement.
#[component]
fn Covered(checkpoint: Option<CoveringCheckpoint>) -> impl IntoView {
    match checkpoint {
        Some(CoveringCheckpoint { size, at }) => view! {
            "Covered by the checkpoint of "
            {entries(size)}
            ", signed "
            <ExactTime when=at />
        }
        .into_any(),
        None => {
            "No checkpoint covers this entry yet. The service signs one regularly, by default every minute.".into_any()
        }
    }
}

fn entries(size: u64) -> String {
    match size {
        1 => "1 entry".to_owned(),
        size => format!("{} entries", grouped(size as i64)),
    }
}
