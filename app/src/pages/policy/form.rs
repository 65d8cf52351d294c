//! The form of a policy draft. It is a plain form, so that it works without a script.

use crate::components::tenant_field::TenantField;
use crate::components::textarea::content;
use crate::drafts::PolicyDraft;
use crate::server_fns::{CheckPolicy, DiscardPolicyDraft, SwitchPolicy};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The text and its buttons. The Enter key presses the first button, which changes nothing.
#[component]
pub(super) fn PolicyForm(
    /// The initial text.
    draft: PolicyDraft,
    /// The active version.
    today: i64,
    /// Whether the text is a draft and not a version.
    is_draft: bool,
    /// Whether the draft has errors.
    wrong: bool,
) -> impl IntoView {
    view! {
        <form method="post" class="policy-form" action=CheckPolicy::url()>
            <TenantField />
            <input type="hidden" name="base" value=today />
            <div class="field">
                <label for="source">"Policy (TOML)"</label>
                <textarea
                    id="source"
                    name="source"
                    rows="30"
                    spellcheck="false"
                    autocapitalize="off"
                    autocomplete="off"
                    aria-invalid=wrong.then_some("true")
                    aria-describedby=wrong.then_some("mistakes")
                >
                    {content(&draft.source)}
                </textarea>
            </div>
            <div class="field">
                <label for="note">"Reason for this change"</label>
                <input id="note" name="note" type="text" maxlength="500" autocomplete="off" value=draft.note />
            </div>
            <div class="buttons">
                <button type="submit" class="button">
                    "Check"
                </button>
                <button type="submit" class="button primary" formaction=SwitchPolicy::url()>
                    "Activate"
                </button>
                {is_draft
                    .then(|| {
                        view! {
                            <button type="submit" class="button plain" formaction=DiscardPolicyDraft::url()>
                                "Discard draft"
                            </button>
                        }
                    })}
            </div>
            <p class="quiet">
                "Check shows errors and effects without saving. Pending actions must satisfy both the policy at proposal time and the \
                 current one."
            </p>
        </form>
    }
    .into_any()
}
