//! The report on a draft: its errors, or its effects.

use crate::components::difference::Difference;
use crate::components::state::StateBadge;
use crate::components::time::RelativeTime;
use crate::pages::requests::Loosens;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::policy::Mistake;
use loopiq::views::{Effect, Effects, PolicyReport};

/// An error of a draft.
#[derive(Clone)]
pub(super) struct Wrong {
    /// The message, with line and field.
    words: PlainText,
    /// The line as it was written, if the error has one.
    line: Option<PlainText>,
}

impl Wrong {
    /// The errors in the text with their lines. If there are none, the conflicts with the installation, such as unknown teams.
    pub(super) fn of(source: &str, mistakes: &[Mistake], others: &[PlainText]) -> Vec<Self> {
        if mistakes.is_empty() {
            let wrong = |words: &PlainText| Self {
                words: words.clone(),
                line: None,
            };
            return others.iter().map(wrong).collect();
        }
        let line = |number: usize| source.lines().nth(number.checked_sub(1)?);
        mistakes
            .iter()
            .map(|mistake| Self {
                words: mistake.to_string().into(),
                line: line(mistake.line)
                    .map(|text| PlainText::from(text.trim()))
                    .filter(|text| !text.is_empty()),
            })
            .collect()
    }
}

/// The errors, above the text.
#[component]
pub(super) fn Mistakes(mistakes: Vec<Wrong>) -> impl IntoView {
    if mistakes.is_empty() {
        return ().into_any();
    }
    let count = match mistakes.len() {
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    };
    let items = mistakes.into_iter().map(|wrong| {
        view! {
            <li>
                <bdi>{wrong.words}</bdi>
                {wrong.line.map(|line| view! { <code class="at-line">{line}</code> })}
            </li>
        }
    });
    view! {
        <div class="flash flash-refused mistakes" id="mistakes" role="alert" tabindex="-1" autofocus>
            <h2>{count} " in the draft"</h2>
            <ul>{items.collect_view()}</ul>
            <p>"The active policy is unchanged, and your text is kept."</p>
        </div>
    }
    .into_any()
}

/// The report on a draft without errors.
#[component]
pub(super) fn Report(
    /// The report.
    report: PolicyReport,
    /// The active version.
    today: i64,
) -> impl IntoView {
    let PolicyReport {
        notes,
        loosens,
        difference,
        effects,
        ..
    } = report;
    let next = match loosens.is_empty() {
        true => "Not active yet.",
        false => "Not active yet. Activating it creates a request, which a second operator has to confirm.",
    };
    view! {
        <section class="card" aria-labelledby="found" tabindex="-1" autofocus>
            <h2 id="found">"Valid"</h2>
            <p>{next}</p>
            <Loosens loosens />
            {(!notes.is_empty())
                .then(|| {
                    view! {
                        <h3>"Notes"</h3>
                        <ul class="notes">{notes.into_iter().map(|note| view! { <li><bdi>{note}</bdi></li> }).collect_view()}</ul>
                    }
                })}
        </section>
        {effects.map(|effects| view! { <WouldHave effects /> })}
        <section class="card" aria-labelledby="draft-difference">
            <h2 id="draft-difference">"Compare v" {today} " and the draft"</h2>
            <Difference lines=difference />
        </section>
    }
    .into_any()
}

/// The effects that the draft would have had on past actions.
#[component]
fn WouldHave(effects: Effects) -> impl IntoView {
    let Effects {
        days,
        looked,
        more,
        changed,
        named,
    } = effects;
    let cut = (changed > named.len()).then(|| format!("The newest {}:", named.len()));
    view! {
        <section class="card" aria-labelledby="effects">
            <h2 id="effects">"Effects in the last " {days} " days"</h2>
            <p>{summary(looked, more, changed)}</p>
            {cut.map(|words| view! { <p>{words}</p> })}
            <ol class="effects">{named.into_iter().map(effect).collect_view()}</ol>
        </section>
    }
    .into_any()
}

fn summary(looked: usize, more: bool, changed: usize) -> String {
    let looked = match (looked, more) {
        (0, _) => return "No actions were proposed in this period.".to_owned(),
        (1, _) => "1 action checked".to_owned(),
        (count, false) => format!("{count} actions checked"),
        (count, true) => format!("The newest {count} actions checked (there are more)"),
    };
    match changed {
        0 => format!("{looked}: no effect."),
        count => format!("{looked}: {count} would have been different."),
    }
}

fn effect(effect: Effect) -> AnyView {
    let Effect {
        action,
        state,
        proposed,
        words,
    } = effect;
    view! {
        <li>
            <p class="effect-head">
                <StateBadge state /> <a href=format!("/actions/{}", action.id)><bdi>{action.name}</bdi></a>
                <span class="quiet">"proposed " <RelativeTime when=proposed /></span>
            </p>
            <ul>{words.into_iter().map(|words| view! { <li><bdi>{words}</bdi></li> }).collect_view()}</ul>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_shows_its_line() {
        let mistake = |line, field: &str| Mistake {
            line,
            field: field.to_owned(),
            message: "is wrong".to_owned(),
        };
        let wrong = Wrong::of(
            "a\n  b = \u{202e}1\n",
            &[mistake(2, "b"), mistake(0, ""), mistake(9, "")],
            &[],
        );
        let lines: Vec<(&str, Option<&str>)> = wrong
            .iter()
            .map(|one| (one.words.as_str(), one.line.as_ref().map(PlainText::as_str)))
            .collect();
        assert_eq!(
            lines,
            [
                ("line 2, b: is wrong", Some("b = ⟦U+202E⟧1")),
                ("is wrong", None),
                ("line 9: is wrong", None)
            ]
        );
        assert_eq!(Wrong::of("", &[], &["no team".to_owned().into()])[0].words, "no team");
    }

    #[test]
    fn what_was_looked_at_is_said_in_words() {
        assert_eq!(summary(0, false, 0), "No actions were proposed in this period.");
        assert_eq!(summary(1, false, 0), "1 action checked: no effect.");
        assert_eq!(
            summary(5000, true, 12),
            "The newest 5000 actions checked (there are more): 12 would have been different."
        );
    }
}
