//! Pausing agents, a tool or a client, and resuming.

use super::page_data::page_data;
use crate::components::message::Message;
use crate::components::table_head::table_head;
use crate::components::tenant_field::TenantField;
use crate::components::time::RelativeTime;
use crate::components::title::PageTitle;
use crate::server_fns::{PauseAgents, ResumeAgents};
use crate::settings_message::SettingsPage;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::engine::Error;
use loopiq::views::{self, Choice, Outcome, PauseView};
use tower_sessions::Session;

/// `/settings/pauses`.
#[component]
pub(crate) fn PausesPage() -> impl IntoView {
    let session = use_context::<Session>();
    page_data(
        |services| async move {
            let page = services.engine.pauses_page(&services.ctx).await?;
            // A prefetch must not consume the message.
            let said = match services.prefetch {
                true => None,
                false => SettingsPage::Pauses.take_message(session.as_ref()).await,
            };
            Ok::<_, Error>((page, said))
        },
        render,
    )
}

fn render((page, said): (views::PausesPage, Option<Outcome>)) -> AnyView {
    let views::PausesPage {
        pauses,
        tools,
        clients,
        may_pause,
        may_resume,
    } = page;
    view! {
        <PageTitle text="Pauses" />
        <div class="page people-page">
            <div>
                <h1>"Pauses"</h1>
                <p>
                    "While something is paused, agents can read and withdraw, but propose nothing with it. What is pending can be rejected; it cannot be approved or run until an operator resumes."
                </p>
            </div>
            {said.map(|outcome| view! { <Message outcome /> })}
            <section class="card" aria-labelledby="now">
                <h2 id="now">"Paused now"</h2>
                {table(pauses, may_resume)}
                {(!may_resume).then(|| view! { <p class="quiet">"Operators resume."</p> })}
            </section>
            {if may_pause {
                form(tools, clients)
            } else {
                view! { <p class="quiet">"Leads and operators can pause agents, a tool or a client."</p> }.into_any()
            }}
        </div>
    }
    .into_any()
}

fn table(pauses: Vec<PauseView>, may_resume: bool) -> AnyView {
    if pauses.is_empty() {
        return view! { <p class="quiet">"Nothing is paused."</p> }.into_any();
    }
    let row = |pause: PauseView| {
        let PauseView {
            target,
            subject,
            by,
            reason,
            since,
        } = pause;
        let resume = may_resume.then(|| {
            view! {
                <form method="post" action=ResumeAgents::url()>
                    <TenantField />
                    <input type="hidden" name="target" value=target />
                    <button type="submit" class="button small" aria-label=format!("Resume: {subject}")>
                        "Resume"
                    </button>
                </form>
            }
        });
        view! {
            <tr role="row">
                <th scope="row" role="rowheader">
                    <bdi>{subject.clone()}</bdi>
                </th>
                <td role="cell" data-label="Why">
                    <bdi>{reason}</bdi>
                </td>
                <td role="cell" data-label="By">
                    <bdi>{by}</bdi>
                </td>
                <td role="cell" data-label="Since">
                    <RelativeTime when=since />
                </td>
                {resume.map(|resume| view! { <td role="cell" data-label="Resume">{resume}</td> })}
            </tr>
        }
    };
    view! {
        <table class="stack" role="table">
            {if may_resume {
                table_head(["Paused", "Why", "By", "Since", "Resume"])
            } else {
                table_head(["Paused", "Why", "By", "Since"])
            }}
            <tbody role="rowgroup">{pauses.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

fn form(tools: Vec<Choice>, clients: Vec<Choice>) -> AnyView {
    let options = |choices: Vec<Choice>| {
        let option = |Choice { value, label }| view! { <option value=value>{label}</option> };
        choices.into_iter().map(option).collect_view()
    };
    view! {
        <section class="card" aria-labelledby="pause">
            <h2 id="pause">"Pause"</h2>
            <form method="post" action=PauseAgents::url() class="token-form">
                <TenantField />
                <div class="field">
                    <label for="target">"What to pause"</label>
                    <select id="target" name="target">
                        <option value="agents">"All agents"</option>
                        <optgroup label="A tool">{options(tools)}</optgroup>
                        {(!clients.is_empty()).then(|| view! { <optgroup label="A client">{options(clients)}</optgroup> })}
                    </select>
                </div>
                <div class="field">
                    <label for="reason">"Why"</label>
                    <textarea id="reason" name="reason" rows="3" maxlength="500" required></textarea>
                    <p class="quiet">"Agents and reviewers are shown this text."</p>
                </div>
                <button type="submit" class="button primary">
                    "Pause"
                </button>
            </form>
        </section>
    }
    .into_any()
}
