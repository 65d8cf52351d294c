//! An expression means the same everywhere: to the index, to the reader of documents, and to a third reader that is written here without keys,
//! places and sorted lists.

use super::*;
use crate::domain::text::query_words;

const TEXTS: [&str; 12] = [
    "Fix the SQL injection in login.ts",
    "injection of SQL, fixed",
    "sql",
    "修复登录注入漏洞 v2",
    "注入",
    "東京の検索",
    "แก้ไขช่องโหว่",
    "C++ and C# are not C",
    "the the the fix",
    "Cafe\u{301} ＳＱＬ",
    "",
    "!!!",
];
const ASKED: [&str; 18] = [
    "sql injection",
    "injection sql",
    "SQL",
    "the",
    "the the",
    "注入",
    "注",
    "登录注入",
    "検索",
    "c++",
    "c",
    "c#",
    "café sql",
    "fix the sql injection in login.ts",
    "ช่องโหว่",
    "k-1",
    "Rita",
    "nothing",
];
const VALUES: [(TermField, &str); 6] = [
    (TermField::Key, "K-1"),
    (TermField::Key, "k-2"),
    (TermField::Person, "rita"),
    (TermField::State, "rita"),
    (TermField::Record, "sql"),
    (TermField::Event, "action.approved"),
];

/// An entry before it is indexed.
struct Entry {
    owner: usize,
    seq: i64,
    at: i64,
    values: Vec<(TermField, &'static str)>,
    texts: Vec<&'static str>,
}

impl Entry {
    fn document(&self, tenants: &[TenantId]) -> Document {
        let values = self.values.iter().map(|(field, value)| Term::new(*field, value));
        let terms = Terms::new(values.collect(), self.texts.iter().copied());
        Document::new(&tenants[self.owner], self.seq, Timestamp(self.at), &terms)
    }

    /// Whether the entry is meant.
    fn is_meant(&self, expr: &Expr) -> bool {
        match expr {
            Expr::All => true,
            Expr::Term(term) => self.has(term.field, &term.value),
            Expr::Text(text) => {
                let value = text.value();
                TermField::OF_TEXT.iter().any(|field| self.has(*field, value))
                    || self.texts.iter().any(|one| says(one, value))
            }
            Expr::Period { from, until } => {
                from.is_none_or(|from| from.0 <= self.at) && until.is_none_or(|until| self.at < until.0)
            }
            Expr::Not(inner) => !self.is_meant(inner),
            Expr::And(all) => !all.iter().any(|one| !self.is_meant(one)),
            Expr::Or(any) => any.iter().any(|one| self.is_meant(one)),
        }
    }

    fn has(&self, field: TermField, value: &str) -> bool {
        self.values
            .iter()
            .any(|(of, known)| *of == field && known.to_lowercase() == value)
    }
}

/// Whether a text says these words in their order: in scripts without spaces the characters, otherwise the words with their signs.
fn says(text: &str, asked: &str) -> bool {
    let plain = |text: &str| -> Vec<String> {
        let folded = crate::domain::text::folded(text);
        let mut parts: Vec<String> = Vec::new();
        let mut is_open = false;
        for c in folded.chars() {
            let is_sign = matches!(c, '+' | '#');
            if crate::domain::text::is_unspaced(c) {
                parts.push(c.to_string());
                is_open = false;
            } else if c.is_alphanumeric() || (is_sign && is_open) {
                match parts.last_mut().filter(|_| is_open) {
                    Some(word) => word.push(c),
                    None => parts.push(c.to_string()),
                }
                is_open = true;
            } else {
                is_open = false;
            }
        }
        parts
    };
    let (said, asked) = (plain(text), plain(asked));
    let is_same = |said: &String, asked: &String| said == asked || said.trim_end_matches(['+', '#']) == *asked;
    said.windows(asked.len())
        .any(|part| part.iter().zip(&asked).all(|(said, asked)| is_same(said, asked)))
}

fn expression(numbers: &mut Numbers, depth: u64) -> Expr {
    let parts = |numbers: &mut Numbers| -> Vec<Expr> {
        let count = numbers.below(4);
        (0..count).map(|_| expression(numbers, depth + 1)).collect()
    };
    let kind = if depth < 4 {
        numbers.below(10)
    } else {
        4 + numbers.below(6)
    };
    match kind {
        0 | 1 => Expr::And(parts(numbers)),
        2 => Expr::Or(parts(numbers)),
        3 => Expr::Not(Box::new(expression(numbers, depth + 1))),
        4 => Expr::All,
        5 => {
            let mut time = || (numbers.below(3) > 0).then(|| Timestamp(numbers.below(1_200) as i64));
            Expr::Period {
                from: time(),
                until: time(),
            }
        }
        6 => {
            let (field, value) = VALUES[numbers.below(6) as usize];
            Expr::Term(Term::new(field, value))
        }
        _ => Expr::Text(Text::new(ASKED[numbers.below(18) as usize]).expect("words")),
    }
}

#[test]
fn a_search_finds_what_is_meant() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let tenants = [tenant("acme"), tenant("acme-2"), tenant("globex")];
    for batch in [1, 3, 8, 1_000] {
        let index = AuditIndex::in_memory().with_batches_of(batch);
        index.open().unwrap();
        let mut all: Vec<Entry> = Vec::new();
        let mut ends = [0, 0, 0];
        while all.len() < 300 {
            let owner = numbers.below(5).saturating_sub(2) as usize;
            let (end, count) = (ends[owner], 1 + numbers.below(4) as i64);
            let entries: Vec<Entry> = (end + 1..=end + count)
                .map(|seq| Entry {
                    owner,
                    seq,
                    // Clocks of several nodes differ, so times are not quite in the order of the numbers.
                    at: seq * 10 + numbers.below(35) as i64,
                    values: VALUES.into_iter().filter(|_| numbers.below(3) == 0).collect(),
                    texts: (0..numbers.below(4))
                        .map(|_| TEXTS[numbers.below(12) as usize])
                        .collect(),
                })
                .collect();
            let documents = entries.iter().map(|entry| entry.document(&tenants)).collect();
            assert!(index.add(&tenants[owner], &position(end), documents, position(end + count)));
            ends[owner] += count;
            all.extend(entries);
            if index.is_due() {
                index.store().unwrap();
            }
        }
        let documents: Vec<Document> = all.iter().map(|entry| entry.document(&tenants)).collect();
        let mut matches = 0;
        for _ in 0..600 {
            let owner = numbers.below(3) as usize;
            let expr = expression(&mut numbers, 0);
            let before = [i64::MAX, numbers.below(130) as i64][numbers.below(2) as usize];
            let limit = 1 + numbers.below(60) as usize;
            let newest = |is_wanted: &dyn Fn(&Entry, &Document) -> bool| -> Vec<i64> {
                let wanted = all.iter().zip(&documents);
                let wanted = wanted.filter(|(entry, document)| entry.seq < before && is_wanted(entry, document));
                let mut seqs: Vec<i64> = wanted.map(|(entry, _)| entry.seq).collect();
                seqs.sort_by(|one, two| two.cmp(one));
                seqs.truncate(limit);
                seqs
            };
            let meant = newest(&|entry, _| entry.owner == owner && entry.is_meant(&expr));
            let wanted = Wanted::new(&tenants[owner], &expr);
            let read = newest(&|_, document| wanted.admits(document));
            let found = index
                .search(&tenants[owner], &expr, (0, before), limit)
                .unwrap()
                .unwrap();
            assert_eq!(read, meant, "the reader of documents: {expr:?}");
            assert_eq!(found, meant, "the index, batches of {batch}: {expr:?} before {before}");
            matches += usize::from(!found.is_empty());
        }
        assert!(matches > 200, "{matches}: nearly every search finds nothing");
        let size = index.size();
        assert!(
            size.segments <= 300 / batch / 8 + 12,
            "small segments are merged: {size:?}"
        );
        assert!(
            size.entries as usize + 2 * batch >= all.len() || batch == 1_000,
            "{size:?}"
        );
    }
}

#[test]
fn a_part_of_a_text_without_spaces_is_found() {
    for (text, part, is_said) in [
        ("修复登录注入漏洞", "注入", true),
        ("修复登录注入漏洞", "录注", true),
        ("修复登录注入漏洞", "注登", false),
        ("签名密钥", "签名密钥", true),
        ("签名密钥", "密", true),
        ("東京の検索", "京の検", true),
        ("แก้ไขช่องโหว่", "ช่อง", true),
        ("로그인 검색", "검색", true),
        ("API注入v2", "api注入V2", true),
    ] {
        let entry = Entry {
            owner: 0,
            seq: 1,
            at: 0,
            values: Vec::new(),
            texts: vec![text],
        };
        let acme = [tenant("acme")];
        let expr = Expr::Text(Text::new(part).expect("words"));
        let wanted = Wanted::new(&acme[0], &expr);
        assert_eq!(
            wanted.admits(&entry.document(&acme)),
            is_said,
            "{part} in {text}: {:?}",
            query_words(part)
        );
    }
}
