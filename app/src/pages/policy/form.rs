//! Writing another policy: a plain form, so that it works without a script.

use crate::components::textarea::content;
use crate::policy_draft::PolicyDraft;
use crate::server_fns::{CheckPolicy, DiscardPolicyDraft, SwitchPolicy};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The text with its buttons; a draft can be thrown away as well. The first button is what the Enter key presses: it changes nothing.
#[component]
pub(super) fn PolicyForm(
    /// What stands in it.
    draft: PolicyDraft,
    /// The version in force, which the person is shown.
    today: i64,
    /// Whether it is a draft, and no version.
    is_draft: bool,
    /// Whether something is wrong with it.
    wrong: bool,
) -> impl IntoView {
    view! {
        <form class="policy-form" method="post" action=CheckPolicy::url()>
            <input type="hidden" name="base" value=today />
            <div class="field">
                <label for="source">"The policy, as TOML"</label>
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
                <label for="note">"Why, kept with the version"</label>
                <input id="note" name="note" type="text" maxlength="500" autocomplete="off" value=draft.note />
            </div>
            <div class="buttons">
                <button type="submit" class="button">
                    "Check"
                </button>
                <button type="submit" class="button primary" formaction=SwitchPolicy::url()>
                    "Switch on"
                </button>
                {is_draft
                    .then(|| {
                        view! {
                            <button type="submit" class="button plain" formaction=DiscardPolicyDraft::url()>
                                "Discard the draft"
                            </button>
                        }
                    })}
            </div>
            <p class="quiet">
                "Check changes nothing: it says what is wrong, and what would have been different. Actions that wait are judged by the policy \
                 of the day they were proposed and by the one in force."
            </p>
        </form>
    }
    .into_any()
}
