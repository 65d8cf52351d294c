//! Similar words, for the question "did you mean".

/// The most comparisons for one catalog. A comparison of two keys takes some microseconds, and a large catalog could cause millions.
const MOST: usize = 20_000;

/// Finds similar words, as long as comparisons are left.
pub(super) struct Similar {
    left: usize,
}

impl Default for Similar {
    fn default() -> Self {
        Self { left: MOST }
    }
}

impl Similar {
    /// The candidates that are similar to the given word, the most similar first.
    pub(super) fn to<'c>(&mut self, given: &str, candidates: impl Iterator<Item = &'c str>) -> Vec<&'c str> {
        let length = given.chars().count();
        let mut near = Vec::new();
        for candidate in candidates {
            let (count, allowed) = (candidate.chars().count(), 1 + candidate.chars().count() / 4);
            // So many characters have to be added or removed at least.
            if count.abs_diff(length) > allowed {
                continue;
            }
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let distance = strsim::damerau_levenshtein(candidate, given);
            if distance <= allowed {
                near.push((distance, candidate));
            }
        }
        near.sort_unstable();
        near.dedup();
        near.into_iter().map(|(_, candidate)| candidate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_words_are_found_until_the_comparisons_are_used_up() {
        let mut similar = Similar::default();
        let words = ["payment", "payments", "checkout", "paymnets"];
        assert_eq!(
            similar.to("payments", words.into_iter()),
            ["payments", "payment", "paymnets"]
        );
        assert!(similar.to(&"x".repeat(1_000_000), words.into_iter()).is_empty());
        for _ in 0..MOST {
            similar.to("payments", ["payments"].into_iter());
        }
        assert!(similar.to("payments", words.into_iter()).is_empty());
    }
}
