//! Questions that reviewers asked about an action, with the answers.

use crate::components::time::RelativeTime;
use leptos::prelude::*;
use loopiq::views::QuestionView;

/// Questions and answers.
#[component]
pub(super) fn Questions(questions: Vec<QuestionView>) -> impl IntoView {
    let items = questions.into_iter().map(|one| {
        let answer = match one.answer {
            Some((words, at)) => view! {
                <blockquote class="prose" dir="auto">{words}</blockquote>
                <p class="quiet">"answered " <RelativeTime when=at /></p>
            }
            .into_any(),
            None => view! { <p class="quiet">"No answer yet."</p> }.into_any(),
        };
        view! {
            <li>
                <p><strong dir="auto">{one.question}</strong></p>
                <p class="quiet">"asked by " <bdi>{one.by}</bdi> " " <RelativeTime when=one.at /></p>
                {answer}
            </li>
        }
    });
    view! {
        <section class="card" aria-labelledby="questions">
            <h2 id="questions">"Questions"</h2>
            <ul class="questions">{items.collect_view()}</ul>
        </section>
    }
    .into_any()
}
