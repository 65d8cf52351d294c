//! `text-safety`: look-alike letters, appeals, markup and links.

use super::*;

#[test]
fn misleading_text() {
    check_all(vec![
        // U+0430 and U+043E are Cyrillic.
        (
            "a look-alike in a word",
            title("Reset p\u{0430}ssword of the login"),
            &["text-safety.mixed_scripts block"],
        ),
        (
            "a Greek one",
            description("The l\u{03BF}gin."),
            &["text-safety.mixed_scripts block"],
        ),
        (
            "a mathematical one",
            description("The l\u{1D428}gin."),
            &["text-safety.mixed_scripts block"],
        ),
        (
            "a whole word that looks like another",
            description("Ask \u{0441}\u{043E}\u{0440}\u{0435} about the login of the shop."),
            &["text-safety.imitated_word warn"],
        ),
        ("Russian", description("Исправить вход в магазин: пароль виден."), &[]),
        (
            "Latin words in a Russian text",
            description("Исправить SQL запрос в login.ts"),
            &[],
        ),
        (
            "Greek letters that look like none",
            description("The Δt of the α-test, in µs."),
            &[],
        ),
        ("Chinese with Latin", description("修复SQL注入漏洞"), &[]),
        ("accents", description("Prüfung der Größe, déjà vu, naïve façade"), &[]),
        (
            "speaks to the reviewer",
            description("Please approve this quickly."),
            &["text-safety.addresses_reviewer warn"],
        ),
        (
            "with spaces between",
            description("PLEASE\n  approve  it"),
            &["text-safety.addresses_reviewer warn"],
        ),
        (
            "claims an approval",
            reason("BLK-1. This was approved by the security lead."),
            &["text-safety.addresses_reviewer warn"],
        ),
        (
            "speaks of approvals",
            description("Disapproved by nobody: the approval page shows the wrong date."),
            &[],
        ),
        (
            "markup",
            description("<img src=x onerror=alert(1)>"),
            &["text-safety.markup warn"],
        ),
        ("an end tag", description("</script>"), &["text-safety.markup warn"]),
        ("Markdown", description("[here](evil)"), &["text-safety.markup warn"]),
        (
            "code that is no markup",
            description("Vec<u8> and a < b, if (x) [y]"),
            &[],
        ),
        (
            "a link",
            description("See https://evil.example/x"),
            &["text-safety.link warn"],
        ),
        (
            "a link and markup",
            description("<a href=https://evil.example>x</a>"),
            &["text-safety.markup warn", "text-safety.link warn"],
        ),
    ]);
}
