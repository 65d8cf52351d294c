//! Releases with their certifications, and the forms with which people decide about them.

use super::records::{heading, retired};
use crate::components::message::Message;
use crate::components::tenant_field::TenantField;
use crate::components::time::RelativeTime;
use crate::drafts::ReasonDraft;
use crate::pages::release::address;
use crate::server_fns::{DecideCertification, SetReleaseStatus};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::domain::{CertificationStatus, PlainText, ReleaseStatus};
use loopiq::views::{CatalogCertification, CatalogDecision, CatalogRelease, Label, Listed, Outcome};

/// What the person can decide, and has just decided.
pub(super) struct Decides {
    /// Whether the person decides about releases and certifications.
    pub(super) may_certify: bool,
    /// Why not, if the person's role would allow it; empty otherwise.
    pub(super) why_not: PlainText,
    /// The reason of a decision that was refused.
    pub(super) reason: Option<ReasonDraft>,
    /// The text of the page's filter, to which the forms return.
    pub(super) text: PlainText,
    /// The outcome of a form, with the ID of the release whose form it was.
    pub(super) said: Option<(String, Outcome)>,
}

/// The releases, each in a card.
#[component]
pub(super) fn Releases(
    /// The releases.
    releases: Listed<CatalogRelease>,
    /// What the person can decide.
    decides: Decides,
) -> impl IntoView {
    if releases.shown.is_empty() {
        return ().into_any();
    }
    let heading = heading("Releases", &releases);
    let why_not = decides.why_not.clone();
    view! {
        <section class="catalog-releases" aria-labelledby="releases">
            <h2 id="releases">{heading}</h2>
            {(!why_not.is_empty()).then(|| view! { <p class="outcome">"You cannot decide about releases now. " <bdi>{why_not}</bdi></p> })}
            {releases.shown.into_iter().map(|release| card(release, &decides)).collect_view()}
        </section>
    }
    .into_any()
}

fn card(release: CatalogRelease, decides: &Decides) -> AnyView {
    let anchor = format!("release-{}", release.id);
    let CatalogRelease {
        id,
        key,
        name,
        status,
        decision,
        lines,
        certifications,
        controls,
        blockers,
        is_retired,
    } = release;
    let lines = lines
        .into_iter()
        .map(|(label, value)| view! { <dt>{label}</dt> <dd><bdi>{value}</bdi></dd> });
    let page = address(key.as_str());
    let can_decide = decides.may_certify && !is_retired;
    let said = decides.said.as_ref().filter(|(release, _)| *release == id);
    let said = said.map(|(_, outcome)| outcome.clone());
    let certifications = certifications
        .into_iter()
        .enumerate()
        .map(|(index, one)| certification(&format!("{anchor}-{index}"), one, can_decide.then_some(decides), &id));
    view! {
        <article class="card catalog-release" aria-labelledby=anchor.clone()>
            <h3 id=anchor.clone()>
                <bdi>{name}</bdi>
                " "
                <span class="quiet"><bdi>{key}</bdi></span>
                {retired(is_retired)}
            </h3>
            {said.map(|outcome| view! { <Message outcome /> })}
            <dl class="facts">
                <dt>"Status"</dt>
                <dd>{status.label()} {decision.map(decided)}</dd>
                {lines.collect_view()}
                <dt>"Controls"</dt>
                <dd>{controls}</dd>
                <dt>"Open blockers"</dt>
                <dd>{blockers}</dd>
            </dl>
            <p>
                <a href=page>"Blockers, findings and evidence"</a>
            </p>
            {can_decide.then(|| status_form(&anchor, id.clone(), status, decides))}
            {certifications.collect_view()}
        </article>
    }
    .into_any()
}

/// Who decided, when and why.
fn decided(decision: CatalogDecision) -> AnyView {
    let CatalogDecision { by, when, because } = decision;
    let by = match by.is_empty() {
        true => view! { "at the console" }.into_any(),
        false => view! { "by " <bdi>{by}</bdi> }.into_any(),
    };
    view! {
        <span class="quiet">
            {by} ", " <RelativeTime when /> {(!because.is_empty()).then(|| view! { ": " <bdi>{because}</bdi> })}
        </span>
    }
    .into_any()
}

fn status_form(anchor: &str, release: String, status: ReleaseStatus, decides: &Decides) -> AnyView {
    let field = format!("{anchor}-status");
    let options = ReleaseStatus::ALL.iter().map(|one| {
        view! {
            <option value=one.as_str() selected=*one == status>
                {one.label()}
            </option>
        }
    });
    view! {
        <form method="post" class="inline-form" action=SetReleaseStatus::url()>
            <TenantField />
            <input type="hidden" name="release" value=release />
            <input type="hidden" name="text" value=decides.text.to_string() />
            <div class="field">
                <label for=field.clone()>"Status of the release"</label>
                <select id=field name="status">
                    {options.collect_view()}
                </select>
            </div>
            <button type="submit" class="button">
                "Set status"
            </button>
        </form>
    }
    .into_any()
}

fn certification(
    anchor: &str,
    certification: CatalogCertification,
    decides: Option<&Decides>,
    release: &str,
) -> AnyView {
    let CatalogCertification {
        id,
        key,
        name,
        status,
        decision,
    } = certification;
    let form = decides.map(|decides| {
        let field = format!("{anchor}-reason");
        let kept = decides.reason.as_ref().filter(|draft| draft.certification == id);
        let kept = kept.map(|draft| draft.reason.clone()).unwrap_or_default();
        view! {
            <form method="post" class="inline-form" action=DecideCertification::url()>
                <TenantField />
                // The Enter key presses the first button. It is disabled, so that a decision is always a choice between the buttons.
                <button type="submit" disabled hidden></button>
                <input type="hidden" name="certification" value=id />
                <input type="hidden" name="release" value=release.to_owned() />
                <input type="hidden" name="text" value=decides.text.to_string() />
                <div class="field">
                    <label for=field.clone()>"Reason"</label>
                    <input id=field name="reason" type="text" maxlength="500" value=kept autocomplete="off" required />
                </div>
                {(status != CertificationStatus::Granted)
                    .then(|| {
                        view! {
                            <button type="submit" class="button primary" name="decision" value="grant">
                                "Grant"
                            </button>
                        }
                    })}
                {(status != CertificationStatus::Refused)
                    .then(|| {
                        view! {
                            <button type="submit" class="button danger" name="decision" value="refuse">
                                "Refuse"
                            </button>
                        }
                    })}
            </form>
        }
    });
    view! {
        <div class="catalog-certification">
            <p>
                "Certification "
                <strong><bdi>{name}</bdi></strong>
                " "
                <span class="quiet"><bdi>{key}</bdi></span>
                ": "
                {status.label().to_lowercase()}
                " "
                {decision.map(decided)}
            </p>
            {form}
        </div>
    }
    .into_any()
}
