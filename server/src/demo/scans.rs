//! The demo's scans, which are imported as SARIF files.

use anyhow::Result;
use loopiq::domain::Timestamp;
use loopiq::engine::{Ctx, Engine};
use serde_json::{Value, json};

/// A scan result: rule, file and line.
type Found = (&'static str, &'static str, u32);

const RULES: [(&str, &str, &str); 6] = [
    ("sql-injection", "SQL statement built from user input", "9.3"),
    ("hardcoded-secret", "Secret in source code", "8.2"),
    ("missing-authz", "Endpoint without an authorization check", "8.8"),
    ("weak-hash", "Weak hash for passwords", "7.5"),
    ("open-redirect", "Redirect to an address from the request", "5.4"),
    ("verbose-error", "Error text shows internals", "3.1"),
];

const PAY: &[Found] = &[
    ("sql-injection", "services/ledger/src/query.rs", 118),
    ("sql-injection", "services/ledger/src/report.rs", 54),
    ("missing-authz", "services/refunds/src/routes.rs", 87),
    ("hardcoded-secret", "services/refunds/src/gateway.rs", 12),
    ("weak-hash", "services/ledger/src/pin.rs", 33),
    ("open-redirect", "web/checkout/src/return.ts", 41),
    ("verbose-error", "web/checkout/src/errors.ts", 9),
];

const SHOP: &[Found] = &[
    ("missing-authz", "services/basket/src/admin.rs", 23),
    ("hardcoded-secret", "services/basket/src/mail.rs", 5),
    ("open-redirect", "web/shop/src/login.ts", 66),
];

const CORE: &[Found] = &[
    ("sql-injection", "core/store/src/find.rs", 210),
    ("weak-hash", "core/auth/src/token.rs", 19),
];

fn scan(tool: &str, commit: &str, at: Timestamp, found: &[Found]) -> Vec<u8> {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|(id, title, severity)| {
            json!({ "id": id, "shortDescription": { "text": title }, "properties": { "security-severity": severity } })
        })
        .collect();
    let results: Vec<Value> = found
        .iter()
        .map(|(rule, file, line)| {
            let title = RULES
                .iter()
                .find(|(id, ..)| id == rule)
                .map_or(*rule, |(_, title, _)| *title);
            json!({
                "ruleId": rule,
                "message": { "text": format!("{title}: {file}, line {line}.") },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": file }, "region": { "startLine": line },
                } }],
            })
        })
        .collect();
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": tool, "version": "4.2.0", "rules": rules } },
            "invocations": [{ "executionSuccessful": true, "endTimeUtc": at.rfc3339() }],
            "versionControlProvenance": [{ "repositoryUri": "https://git.example/demo", "revisionId": commit }],
            "results": results,
        }],
    })
    .to_string()
    .into_bytes()
}

/// Imports the scans of this tenant: current ones, and a stale one.
pub(super) async fn import(engine: &Engine, ctx: &Ctx) -> Result<()> {
    let now = ctx.now();
    let scans: &[(&str, &str, &str, i64, &[Found])] = match ctx.tenant().as_str() {
        "acme" => &[
            ("PAY-2026.11", "codescan-pay.sarif", "Codescan", 2, PAY),
            (
                "PAY-2026.11",
                "secretscan-pay.sarif",
                "Secretscan",
                41,
                &[("hardcoded-secret", "deploy/pay/values.yaml", 77)],
            ),
            ("SHOP-2026.12", "codescan-shop.sarif", "Codescan", 3, SHOP),
        ],
        _ => &[("CORE-7.4", "codescan-core.sarif", "Codescan", 4, CORE)],
    };
    for (release, name, tool, days, found) in scans {
        let collected = now.plus(-days * Timestamp::DAY);
        let bytes = scan(tool, "9f1c2e7", collected, found);
        engine.import(ctx, release, name, bytes, None, None).await?;
    }
    Ok(())
}
