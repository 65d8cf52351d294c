//! The sections that a reviewer must open before approving an action of high risk. Without a script, the page shows all sections open
//! and the approval has a page of its own.

use leptos::prelude::*;
use loopiq::domain::Section;

/// The foldable sections of the page.
#[derive(Clone, Copy)]
pub(super) struct FoldableSections {
    /// Whether a script runs on the page.
    pub(super) alive: RwSignal<bool>,
    /// All sections, in the order of the page.
    all: RwSignal<Vec<Section>>,
    /// The IDs of the sections that the reviewer has opened.
    pub(super) opened: RwSignal<Vec<String>>,
}

impl FoldableSections {
    /// Folds the sections when a script starts on the page, and records which ones the reviewer opens. `opened`: the IDs of the sections that the
    /// reviewer had opened before signing in again.
    pub(super) fn watch(opened: Vec<String>) -> Self {
        let sections = Self {
            alive: RwSignal::new(false),
            all: RwSignal::new(Vec::new()),
            opened: RwSignal::new(opened),
        };
        Effect::new(move || {
            sections.all.set(fold_all(sections.opened));
            sections.alive.set(true);
        });
        sections
    }

    /// The sections that the reviewer has not opened.
    pub(super) fn closed(self) -> Vec<Section> {
        let opened = self.opened.get();
        let mut all = self.all.get();
        all.retain(|section| !opened.contains(&section.id));
        all
    }
}

/// Opens all sections, so that their content is on the page.
#[cfg(feature = "hydrate")]
pub(super) fn open_all() {
    for element in elements() {
        drop(element.set_attribute("open", ""));
    }
}

#[cfg(not(feature = "hydrate"))]
pub(super) fn open_all() {}

/// Folds all sections, and records in `opened` each one that the reviewer opens.
#[cfg(feature = "hydrate")]
fn fold_all(opened: RwSignal<Vec<String>>) -> Vec<Section> {
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    let mut sections = Vec::new();
    for element in elements() {
        let Some(id) = element.get_attribute("data-section") else {
            continue;
        };
        let title = element
            .get_attribute("data-section-title")
            .unwrap_or_else(|| id.clone());
        drop(element.remove_attribute("open"));
        let (watched, section) = (element.clone(), id.clone());
        let noted = Closure::<dyn FnMut()>::new(move || {
            if watched.has_attribute("open") {
                opened.update(|known| {
                    if !known.contains(&section) {
                        known.push(section.clone());
                    }
                });
            }
        });
        drop(element.add_event_listener_with_callback("toggle", noted.as_ref().unchecked_ref()));
        // The listener is needed until the browser leaves the page, so it is never dropped.
        noted.forget();
        sections.push(Section {
            id,
            title: title.into(),
        });
    }
    sections
}

#[cfg(not(feature = "hydrate"))]
fn fold_all(_: RwSignal<Vec<String>>) -> Vec<Section> {
    Vec::new()
}

#[cfg(feature = "hydrate")]
fn elements() -> Vec<web_sys::Element> {
    use wasm_bindgen::JsCast;
    let Ok(list) = document().query_selector_all(".document details[data-section]") else {
        return Vec::new();
    };
    (0..list.length())
        .filter_map(|index| list.item(index)?.dyn_into().ok())
        .collect()
}
