//! Draws a flame graph: the width of a function is its share of the samples, and its callers are below it.

use super::fold::{Stacks, is_allocator, is_kernel, is_sqlite};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The width of the picture, in pixels.
const WIDTH: f64 = 1600.0;
/// The height of a function.
const ROW: f64 = 17.0;
/// The space above the graph, for the title.
const TOP: f64 = 48.0;
/// The width of a character.
const LETTER: f64 = 6.6;
/// Narrower functions are not drawn.
const NARROWEST: f64 = 0.3;

/// A function with what it calls.
#[derive(Default)]
struct Node<'a> {
    samples: u64,
    calls: BTreeMap<&'a str, Node<'a>>,
}

impl Node<'_> {
    /// The height of the calls, without those that are too narrow to be drawn.
    fn height(&self, per_sample: f64) -> usize {
        let drawn = self
            .calls
            .values()
            .filter(|node| node.samples as f64 * per_sample >= NARROWEST);
        drawn.map(|node| 1 + node.height(per_sample)).max().unwrap_or(0)
    }
}

/// The picture as SVG. A browser shows name and share of the function under the pointer.
pub(super) fn svg(title: &str, stacks: &Stacks) -> String {
    let mut root = Node::default();
    for (stack, samples) in stacks {
        root.samples += samples;
        let mut node = &mut root;
        for name in stack {
            node = node.calls.entry(name).or_default();
            node.samples += samples;
        }
    }
    let per_sample = WIDTH / root.samples.max(1) as f64;
    let bottom = TOP + root.height(per_sample) as f64 * ROW;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{:.0}\" font-family=\"monospace\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"18\" font-size=\"14\">{}, {} samples</text>\n\
         <text x=\"8\" y=\"36\">orange: kernel; green: allocator; blue: SQLite; yellow: everything else</text>\n",
        bottom + 8.0,
        escape(title),
        root.samples,
    );
    draw(&mut out, &root, 0.0, bottom, (per_sample, root.samples));
    out.push_str("</svg>\n");
    out
}

fn draw(out: &mut String, node: &Node<'_>, left: f64, bottom: f64, scale: (f64, u64)) {
    let (per_sample, all) = scale;
    let mut x = left;
    for (name, call) in &node.calls {
        let width = call.samples as f64 * per_sample;
        if width >= NARROWEST {
            let y = bottom - ROW;
            let share = call.samples as f64 / all as f64 * 100.0;
            let _ = writeln!(
                out,
                "<g><title>{} ({} samples, {share:.1} %)</title><rect x=\"{x:.1}\" y=\"{y:.0}\" width=\"{:.1}\" height=\"{}\" fill=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{:.0}\">{}</text></g>",
                escape(name),
                call.samples,
                (width - 0.3).max(0.2),
                ROW - 1.0,
                colour(name),
                x + 2.0,
                y + 12.0,
                escape(&label(name, width)),
            );
            draw(out, call, x, y, scale);
        }
        x += width;
    }
}

/// As much of the name as fits. The beginning of a Rust name is its crate, and its end is the function.
fn label(name: &str, width: f64) -> String {
    let room = ((width - 4.0) / LETTER) as usize;
    let letters = name.chars().count();
    if letters <= room {
        return name.to_owned();
    }
    if room < 4 {
        return String::new();
    }
    let end: String = name.chars().skip(letters - (room - 2)).collect();
    format!("..{end}")
}

fn colour(name: &str) -> &'static str {
    if is_kernel(name) {
        "#f4a15d"
    } else if is_allocator(name) {
        "#8fce8f"
    } else if is_sqlite(name) {
        "#8fb8e8"
    } else {
        "#f3dc7f"
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{label, svg};
    use crate::profile::fold::Stacks;

    fn stack(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn width_is_the_share_of_samples_and_names_are_escaped() {
        let stacks = Stacks::from([
            (stack(&["worker", "Vec<T>::push"]), 3),
            (stack(&["worker", "read_[k]"]), 1),
        ]);
        let picture = svg("one & two", &stacks);
        assert!(picture.contains("one &amp; two, 4 samples"), "{picture}");
        assert!(
            picture.contains("<title>worker (4 samples, 100.0 %)</title><rect x=\"0.0\" y=\"65\" width=\"1599.7\"")
        );
        assert!(picture.contains(
            "<title>Vec&lt;T&gt;::push (3 samples, 75.0 %)</title><rect x=\"0.0\" y=\"48\" width=\"1199.7\""
        ));
        assert!(
            picture.contains("<title>read_[k] (1 samples, 25.0 %)</title><rect x=\"1200.0\" y=\"48\" width=\"399.7\"")
        );
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(label("short", 100.0), "short");
        assert_eq!(label("loopiq::engine::propose", 70.0), "..:propose");
        assert_eq!(label("loopiq::engine::propose", 10.0), "");
    }
}
