//! An operator request: its change, and the forms that confirm, decline or withdraw it.

use super::account::Accounts;
use crate::components::difference::Difference;
use crate::components::table_head::table_head;
use crate::components::tenant_field::TenantField;
use crate::components::time::RelativeTime;
use crate::server_fns::{ConfirmRequest, DeclineRequest, WithdrawRequest};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::domain::PlainText;
use loopiq::views::{ChangeView, Label, RequestView};

/// A pending request.
#[component]
pub(super) fn Waiting(
    /// The request.
    request: RequestView,
) -> impl IntoView {
    let heading = format!("{}-heading", request.id);
    let RequestView {
        id,
        summary,
        change,
        by,
        at,
        expires,
        view,
        may_confirm,
        may_decline,
        may_withdraw,
        why_not,
        confirmers,
        ..
    } = request;
    let who = if confirmers.is_empty() {
        "Nobody else can confirm it yet.".to_owned()
    } else {
        format!(
            "Can be confirmed by: {}.",
            confirmers.iter().map(PlainText::as_str).collect::<Vec<_>>().join(", ")
        )
    };
    view! {
        <section class="card request" id=id.clone() aria-labelledby=heading.clone()>
            <h2 id=heading.clone()>
                <bdi>{summary}</bdi>
            </h2>
            <p>
                "Request " <code>{id.clone()}</code> ", made by " <bdi>{by}</bdi> " " <RelativeTime when=at /> "."
                {expires.map(|until| view! { " Expires " <RelativeTime when=until /> "." })} " " <bdi>{who}</bdi>
            </p>
            <Change change />
            {why_not.map(|why| view! { <p class="outcome"><bdi>{why}</bdi></p> })}
            {may_confirm.then(|| confirm(&id, view.unwrap_or_default()))}
            {may_decline.then(|| decline(&id))}
            {may_withdraw
                .then(|| {
                    view! {
                        <form method="post" action=WithdrawRequest::url()>
                            <TenantField />
                            <input type="hidden" name="id" value=id.clone() />
                            <button type="submit" class="button">
                                "Withdraw"
                            </button>
                        </form>
                    }
                })}
        </section>
    }
    .into_any()
}

/// The form that confirms a request.
fn confirm(id: &str, value: String) -> AnyView {
    view! {
        <form method="post" action=ConfirmRequest::url()>
            <TenantField />
            <input type="hidden" name="id" value=id.to_owned() />
            <input type="hidden" name="view" value=value />
            <button type="submit" class="button primary">
                "Confirm"
            </button>
        </form>
    }
    .into_any()
}

fn decline(id: &str) -> AnyView {
    let field = format!("decline-{id}");
    view! {
        <form method="post" action=DeclineRequest::url()>
            <TenantField />
            <input type="hidden" name="id" value=id.to_owned() />
            <div class="field">
                <label for=field.clone()>"Reason for declining"</label>
                <input id=field type="text" name="text" maxlength="2000" autocomplete="off" required />
            </div>
            <button type="submit" class="button danger">
                "Decline"
            </button>
        </form>
    }
    .into_any()
}

/// The change that a request holds.
#[component]
fn Change(change: ChangeView) -> impl IntoView {
    match change {
        ChangeView::Policy {
            base,
            note,
            loosens,
            difference,
        } => view! {
            {(!note.is_empty()).then(|| view! { <p>"Reason: " <bdi>{note}</bdi></p> })}
            <Loosens loosens />
            <h3>"Compare v" {base} " and this policy"</h3>
            <Difference lines=difference />
        }
        .into_any(),
        ChangeView::LinkPeople {
            one,
            other,
            same,
            reason,
        } => {
            let words = if same {
                "The accounts would count as one person for separation of duties and for approvals. This can't be undone."
            } else {
                "The accounts would count as two people: each can decide."
            };
            view! {
                <p>{words}</p>
                <p>"Reason: " <bdi>{reason}</bdi></p>
                <Accounts accounts=[("One account", *one), ("The other account", *other)] />
            }
            .into_any()
        }
        ChangeView::RotateLogKey { reason } => view! {
            <p>"The audit log would be signed with a new key from then on. The people who verify exports need the new public key, too. What the old key signed stays valid."</p>
            <p>"Reason: " <bdi>{reason}</bdi></p>
        }
        .into_any(),
    }
}

/// The sentences about what a policy loosens.
#[component]
pub(crate) fn Loosens(
    /// The sentences.
    loosens: Vec<PlainText>,
) -> impl IntoView {
    if loosens.is_empty() {
        return view! { <p>"Loosens nothing: every action is treated at least as strictly as now."</p> }.into_any();
    }
    view! {
        <h3>"Loosens"</h3>
        <ul class="notes loosens">{loosens.into_iter().map(|one| view! { <li><bdi>{one}</bdi></li> }).collect_view()}</ul>
    }
    .into_any()
}

/// Requests that were confirmed, declined, withdrawn or expired.
#[component]
pub(super) fn Settled(
    /// The requests, the newest first.
    requests: Vec<RequestView>,
) -> impl IntoView {
    if requests.is_empty() {
        return ().into_any();
    }
    let rows = requests.into_iter().map(|request| {
        let RequestView {
            id,
            summary,
            by,
            at,
            status,
            settled,
            ..
        } = request;
        let became = match settled {
            Some((who, when, outcome)) => {
                view! { <bdi>{who}</bdi> ", " <RelativeTime when /> ". " <bdi>{outcome}</bdi> }.into_any()
            }
            None => view! { <span class="quiet">"–"</span> }.into_any(),
        };
        view! {
            <tr role="row" id=id>
                <th scope="row" role="rowheader"><bdi>{summary}</bdi></th>
                <td role="cell" data-label="Made by"><bdi>{by}</bdi> ", " <RelativeTime when=at /></td>
                <td role="cell" data-label="Status">{status.label()}</td>
                <td role="cell" data-label="Outcome">{became}</td>
            </tr>
        }
    });
    view! {
        <section class="card" aria-labelledby="history">
            <h2 id="history">"History"</h2>
            <table class="history stack" role="table">
                {table_head(["Request", "Made by", "Status", "Outcome"])}
                <tbody role="rowgroup">{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}
