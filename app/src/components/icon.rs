//! Icons next to a word. Screen readers skip them, because the word says the same.

use leptos::prelude::*;

/// A shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A half-filled circle: waiting.
    Half,
    /// A ring with a dot: approved, not run.
    Ring,
    /// A tick: done, or nothing wrong.
    Tick,
    /// A cross: declined.
    Cross,
    /// A triangle: a warning or a failure.
    Triangle,
    /// An octagon with a bar: blocked.
    Octagon,
    /// A question mark: not known.
    Question,
    /// One to three bars: the risk.
    Bars(u8),
}

impl Shape {
    /// The stroked path and the filled path in a 16 by 16 view box.
    fn paths(self) -> (&'static str, &'static str) {
        match self {
            Shape::Half => ("M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z", "M8 2a6 6 0 0 0 0 12z"),
            Shape::Ring => (
                "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z",
                "M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6z",
            ),
            Shape::Tick => ("M2.5 8.5l3.5 3.5l7.5-8", ""),
            Shape::Cross => ("M3.5 3.5l9 9M12.5 3.5l-9 9", ""),
            Shape::Triangle => ("M8 2.2L14.8 13.8H1.2zM8 6.5v3.2M8 11.6v.4", ""),
            Shape::Octagon => ("M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4zM5 8h6", ""),
            Shape::Question => ("M5 6a3 3 0 1 1 4.4 2.6c-1 .6-1.4 1-1.4 2M8 13v.4", ""),
            Shape::Bars(_) => ("", ""),
        }
    }
}

/// Three bars of growing height; those above the level are faint.
const BARS: [&str; 3] = ["M1 14v-4h3.5v4z", "M6.25 14V6h3.5v8z", "M11.5 14V2H15v12z"];

/// Draws a shape in the colour of its text.
#[component]
pub(crate) fn Icon(
    /// Which.
    shape: Shape,
) -> impl IntoView {
    let (line, fill) = shape.paths();
    view! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            {(!line.is_empty()).then(|| view! { <path class="line" d=line></path> })}
            {(!fill.is_empty()).then(|| view! { <path class="fill" d=fill></path> })}
            {BARS
                .into_iter()
                .zip(1u8..)
                .filter_map(|(bar, at)| match shape {
                    Shape::Bars(level) => Some(if at <= level { ("fill", bar) } else { ("fill faint", bar) }),
                    _ => None,
                })
                .map(|(class, bar)| view! { <path class=class d=bar></path> })
                .collect_view()}
        </svg>
    }
}
