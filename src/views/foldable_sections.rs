//! The parts of an action's page that fold, by name. What is of high risk is approved by whoever has opened all of them; the page and the
//! engine take their names from here.

use crate::views::{Claim, Reference, TreeItem};

/// Descriptions up to this many characters are simply there; longer ones are folded.
const SHORT: usize = 280;
/// The longest name of a part, in characters.
const NAME: usize = 60;
/// The most parts that have to be opened one by one.
const MOST: usize = 300;

fn name(text: &str) -> String {
    text.chars().take(NAME).collect()
}

impl TreeItem {
    /// Its description, where it is too long to be simply there.
    pub fn part(&self) -> Option<String> {
        self.description
            .as_str()
            .chars()
            .nth(SHORT)
            .map(|_| name(self.title.as_str()))
    }
}

impl Reference {
    /// Its details.
    pub fn part(&self) -> String {
        name(self.record.key.as_ref().unwrap_or(&self.record.name).as_str())
    }
}

impl Claim {
    /// What the agent read, if it read anything.
    pub fn part(&self) -> Option<String> {
        (!self.reads.is_empty()).then(|| "what the agent read".to_owned())
    }
}

/// All of them, each name once.
pub fn parts(tree: &[TreeItem], references: &[Reference], claim: &Claim) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut add = |part: String| {
        if parts.len() < MOST && !parts.contains(&part) {
            parts.push(part);
        }
    };
    claim.part().into_iter().for_each(&mut add);
    references.iter().map(Reference::part).for_each(&mut add);
    let mut below: Vec<&TreeItem> = tree.iter().collect();
    while let Some(item) = below.pop() {
        item.part().into_iter().for_each(&mut add);
        below.extend(&item.children);
    }
    parts
}
