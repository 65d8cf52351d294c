//! Releases with their certifications, and the forms with which people decide about them.

use super::records::{heading, retired};
use crate::components::tenant_field::TenantField;
use crate::drafts::ReasonDraft;
use crate::pages::release::address;
use crate::server_fns::{DecideCertification, SetReleaseStatus};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::domain::{CertificationStatus, ReleaseStatus};
use loopiq::views::{CatalogCertification, CatalogRelease, Label, Listed};

/// The releases, each in a card.
#[component]
pub(super) fn Releases(
    /// The releases.
    releases: Listed<CatalogRelease>,
    /// Whether the person decides about releases and certifications.
    may_certify: bool,
    /// The reason of a decision that was refused.
    reason: Option<ReasonDraft>,
) -> impl IntoView {
    if releases.shown.is_empty() {
        return ().into_any();
    }
    let heading = heading("Releases", &releases);
    let cards = releases.shown.into_iter().enumerate();
    view! {
        <section class="catalog-releases" aria-labelledby="releases">
            <h2 id="releases">{heading}</h2>
            {cards.map(|(number, release)| card(number, release, may_certify, reason.as_ref())).collect_view()}
        </section>
    }
    .into_any()
}

fn card(number: usize, release: CatalogRelease, may_certify: bool, reason: Option<&ReasonDraft>) -> AnyView {
    let anchor = format!("release-{number}");
    let CatalogRelease {
        id,
        key,
        name,
        status,
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
    let can_decide = may_certify && !is_retired;
    let certifications = certifications
        .into_iter()
        .enumerate()
        .map(|(index, one)| certification(&format!("{anchor}-{index}"), one, can_decide, reason));
    view! {
        <article class="card catalog-release" aria-labelledby=anchor.clone()>
            <h3 id=anchor.clone()>
                <bdi>{name}</bdi>
                " "
                <span class="quiet"><bdi>{key}</bdi></span>
                {retired(is_retired)}
            </h3>
            <dl class="facts">
                <dt>"Status"</dt>
                <dd>{status.label()}</dd>
                {lines.collect_view()}
                <dt>"Controls"</dt>
                <dd>{controls}</dd>
                <dt>"Open blockers"</dt>
                <dd>{blockers}</dd>
            </dl>
            <p>
                <a href=page>"Blockers, findings and evidence"</a>
            </p>
            {can_decide.then(|| status_form(&anchor, id, status))}
            {certifications.collect_view()}
        </article>
    }
    .into_any()
}

fn status_form(anchor: &str, release: String, status: ReleaseStatus) -> AnyView {
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
    can_decide: bool,
    reason: Option<&ReasonDraft>,
) -> AnyView {
    let CatalogCertification { id, key, name, status } = certification;
    let form = can_decide.then(|| {
        let field = format!("{anchor}-reason");
        let kept = reason.filter(|draft| draft.certification == id);
        let kept = kept.map(|draft| draft.reason.clone()).unwrap_or_default();
        view! {
            <form method="post" class="inline-form" action=DecideCertification::url()>
                <TenantField />
                // The Enter key presses the first button. It is disabled, so that a decision is always a choice between the buttons.
                <button type="submit" disabled hidden></button>
                <input type="hidden" name="certification" value=id />
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
            </p>
            {form}
        </div>
    }
    .into_any()
}
