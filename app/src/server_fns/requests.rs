//! The forms of the page of operators' requests.

use leptos::prelude::*;
use loopiq::views::Outcome;

#[cfg(feature = "ssr")]
use {super::answer::Door, crate::said::Page};

/// Confirms a request of another operator; it is carried out at once.
#[server(prefix = "/do", endpoint = "confirm-request")]
pub async fn confirm_request(
    /// The request.
    #[server(default)]
    id: String,
    /// The value that the page's form carries.
    #[server(default)]
    view: String,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let services = &door.services;
    let outcome = services.engine.confirm_request(&services.ctx, &id, &view).await;
    Ok(answer(&door, Door::outcome(outcome)).await)
}

/// Declines a request of another operator.
#[server(prefix = "/do", endpoint = "decline-request")]
pub async fn decline_request(
    /// The request.
    #[server(default)]
    id: String,
    /// Why.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let services = &door.services;
    let outcome = services.engine.decline_request(&services.ctx, &id, &text).await;
    Ok(answer(&door, Door::outcome(outcome)).await)
}

/// Takes back a request of one's own.
#[server(prefix = "/do", endpoint = "withdraw-request")]
pub async fn withdraw_request(
    /// The request.
    #[server(default)]
    id: String,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let services = &door.services;
    let outcome = services.engine.withdraw_request(&services.ctx, &id).await;
    Ok(answer(&door, Door::outcome(outcome)).await)
}

/// Asks a second operator to confirm that two accounts belong to the same person, or to two.
#[server(prefix = "/do", endpoint = "link-people")]
pub async fn link_people(
    /// One account.
    #[server(default)]
    one: String,
    /// The other account.
    #[server(default)]
    other: String,
    /// `same` or `different`.
    #[server(default)]
    whose: String,
    /// How the operator knows.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let services = &door.services;
    let asked = match whose.as_str() {
        "same" | "different" => {
            let same = whose == "same";
            services
                .engine
                .request_link(&services.ctx, &one, &other, same, &text)
                .await
        }
        _ => Err(loopiq::engine::Error::Setting {
            message: "say whether the accounts are one person's or two people's.".to_owned(),
        }),
    };
    let outcome = asked.map(|asked| Outcome {
        done: true,
        message: format!("Request {} waits for a second operator. {}", asked.id, asked.next()).into(),
        state: None,
        successor: None,
    });
    Ok(answer(&door, Door::outcome(outcome)).await)
}

/// Leads a plain form to the page, which says what became of it.
#[cfg(feature = "ssr")]
async fn answer(door: &Door, outcome: Outcome) -> Outcome {
    if door.is_plain() {
        Page::Requests.say(door.session(), &outcome).await;
        leptos_axum::redirect(Page::Requests.path());
    }
    outcome
}
