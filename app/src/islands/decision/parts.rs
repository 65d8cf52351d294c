//! What must have been opened before something of high risk is approved. Without a script everything stands open, and approving has a
//! page of its own.

use leptos::prelude::*;

/// The folded parts of the page, and which of them were opened.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    /// Whether a script runs here.
    pub(super) alive: RwSignal<bool>,
    /// All of them, by name.
    all: RwSignal<Vec<String>>,
    /// Those that were opened.
    pub(super) opened: RwSignal<Vec<String>>,
}

impl Parts {
    /// Begins to watch, once the page is alive. `fold`: whether they have to be opened here; then they are folded first.
    pub(super) fn watch(fold: bool) -> Self {
        let parts = Self {
            alive: RwSignal::new(false),
            all: RwSignal::new(Vec::new()),
            opened: RwSignal::new(Vec::new()),
        };
        Effect::new(move || {
            if fold {
                parts.all.set(found(parts.opened));
            }
            parts.alive.set(true);
        });
        parts
    }

    /// Those that nobody has opened yet.
    pub(super) fn closed(self) -> Vec<String> {
        let opened = self.opened.get();
        let mut all = self.all.get();
        all.retain(|part| !opened.contains(part));
        all
    }
}

/// Opens all that are still folded: what they hold is then on the page, to be read.
#[cfg(feature = "hydrate")]
pub(super) fn open_all() {
    for element in elements() {
        drop(element.set_attribute("open", ""));
    }
}

#[cfg(not(feature = "hydrate"))]
pub(super) fn open_all() {}

/// Folds the parts of the page, and notes each that is opened.
#[cfg(feature = "hydrate")]
fn found(opened: RwSignal<Vec<String>>) -> Vec<String> {
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    let mut names = Vec::new();
    for element in elements() {
        let Some(name) = element.get_attribute("data-part") else {
            continue;
        };
        drop(element.remove_attribute("open"));
        let (watched, part) = (element.clone(), name.clone());
        let noted = Closure::<dyn FnMut()>::new(move || {
            if watched.has_attribute("open") {
                opened.update(|known| {
                    if !known.contains(&part) {
                        known.push(part.clone());
                    }
                });
            }
        });
        drop(element.add_event_listener_with_callback("toggle", noted.as_ref().unchecked_ref()));
        // The page keeps it for as long as it is shown.
        noted.forget();
        names.push(name);
    }
    names
}

#[cfg(not(feature = "hydrate"))]
fn found(_: RwSignal<Vec<String>>) -> Vec<String> {
    Vec::new()
}

#[cfg(feature = "hydrate")]
fn elements() -> Vec<web_sys::Element> {
    use wasm_bindgen::JsCast;
    let Ok(list) = document().query_selector_all(".document details[data-part]") else {
        return Vec::new();
    };
    (0..list.length())
        .filter_map(|index| list.item(index)?.dyn_into().ok())
        .collect()
}
