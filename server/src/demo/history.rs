//! The demo's history: actions in every state, created by the same use cases as real ones, within the last 40 hours.

use super::actor::Actor;
use super::records::DemoRecords;
use anyhow::Result;
use loopiq::domain::{CheckId, ReasonCode, Timestamp};
use loopiq::engine::{Ctx, Engine, Visit};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How long ago the history begins, in hours.
const LENGTH: i64 = 40;

/// Creates the history, oldest action first, so that the audit trail has the right order.
pub(super) async fn create(engine: &Engine, ctx: &Ctx, records: &DemoRecords) -> Result<()> {
    let start = ctx.now().plus(-LENGTH * Timestamp::HOUR);
    let clock = Arc::new(AtomicI64::new(0));
    let ticking = clock.clone();
    let runtime = engine
        .runtime()
        .with_clock(move || start.plus(ticking.fetch_add(1_000, Ordering::SeqCst)));
    let engine = Engine::new(engine.store().clone(), runtime, engine.public_url());
    let mut actor = Actor {
        engine,
        ctx,
        records,
        clock,
        proposals: 0,
    };
    match ctx.tenant().as_str() {
        "acme" => acme(&mut actor).await,
        _ => globex(&mut actor).await,
    }
}

/// Sets the demo's clock to so many hours before now.
fn hours_ago(actor: &Actor<'_>, hours: i64) {
    actor.clock.store((LENGTH - hours) * Timestamp::HOUR, Ordering::SeqCst);
}

/// The history of the tenant `acme`.
async fn acme(actor: &mut Actor<'_>) -> Result<()> {
    let (pay, shop) = (actor.records.releases[0].clone(), actor.records.releases[1].clone());

    hours_ago(actor, 39);
    // For a finding that blocks nothing, so that the blocking ones remain for the demo's users.
    let texts = actor
        .propose_package(
            "developer",
            &pay,
            "verbose-error",
            "Keep error texts of the checkout to ourselves",
        )
        .await?;
    hours_ago(actor, 37);
    actor.approve("reviewer", &texts).await?;
    actor.execute("reviewer", &texts).await?;

    hours_ago(actor, 36);
    let update = actor
        .propose_update(
            &pay.backlog[0],
            json!({ "priority": "critical" }),
            "The release is blocked by it.",
        )
        .await?;
    hours_ago(actor, 35);
    actor.approve("reviewer2", &update).await?;
    actor.execute("reviewer2", &update).await?;

    hours_ago(actor, 34);
    let vague = actor
        .propose_package("developer", &pay, "open-redirect", "Fix stuff")
        .await?;
    let reviewer = actor.person("reviewer")?;
    actor.engine.action_page(&reviewer, &vague.0, Visit::Opened).await?;
    let codes = [ReasonCode::Check(CheckId::Titles)];
    let text = "The title does not say what to do. Name the page that redirects.";
    actor
        .engine
        .reject(&reviewer, &vague.0, &vague.1, &codes, text, "")
        .await?;

    hours_ago(actor, 30);
    actor
        .execute_after_conflict(&pay.backlog[2], "Document the PIN hashing scheme and its pepper")
        .await?;
    actor
        .execute_after_conflict(&pay.backlog[1], "Rotate the refund gateway's credentials every month")
        .await?;

    hours_ago(actor, 26);
    let mistaken = actor
        .propose_package(
            "developer",
            &shop,
            "missing-authz",
            "Add authorization to the basket's admin routes",
        )
        .await?;
    let withdrawal = json!({ "actionId": mistaken.0, "reason": "The basket's routes are handled by another package." });
    actor
        .engine
        .call_tool(&actor.agent("developer")?, "loopiq_withdraw_action", withdrawal)
        .await?;

    hours_ago(actor, 20);
    // One of its scans is stale, so the action is pending and cannot be approved.
    actor
        .propose_package(
            "developer",
            &pay,
            "hardcoded-secret",
            "Move payment secrets into the vault",
        )
        .await?;
    hours_ago(actor, 18);
    let link = actor.propose_evidence_link(&pay).await?;
    hours_ago(actor, 16);
    actor.approve("reviewer", &link).await?;

    hours_ago(actor, 9);
    actor
        .propose_package(
            "developer",
            &pay,
            "weak-hash",
            "Replace the PIN hash by a memory-hard one",
        )
        .await?;
    hours_ago(actor, 6);
    let authz = actor
        .propose_package(
            "developer",
            &pay,
            "missing-authz",
            "Check authorization on every refund route",
        )
        .await?;
    hours_ago(actor, 5);
    actor.approve("reviewer2", &authz).await?;
    hours_ago(actor, 4);
    actor.propose_update(
        &shop.backlog[0],
        json!({ "priority": "critical", "owner": "developer@acme.example", "title": "Harden the shop's login against credential stuffing" }),
        "The login is part of the certification's scope.",
    )
    .await?;
    hours_ago(actor, 3);
    actor.propose_with_foreign_finding(&pay, &shop).await?;
    hours_ago(actor, 2);
    actor.propose_task(&shop).await?;
    hours_ago(actor, 1);
    actor
        .propose_package(
            "lead",
            &shop,
            "open-redirect",
            "Allow only known addresses after the login",
        )
        .await?;
    Ok(())
}

/// The history of the tenant `globex`.
async fn globex(actor: &mut Actor<'_>) -> Result<()> {
    let core = actor.records.releases[0].clone();
    hours_ago(actor, 8);
    let done = actor
        .propose_package("developer", &core, "weak-hash", "Sign tokens with a current algorithm")
        .await?;
    actor.approve("reviewer", &done).await?;
    actor.execute("reviewer", &done).await?;
    hours_ago(actor, 2);
    actor
        .propose_package(
            "developer",
            &core,
            "sql-injection",
            "Use prepared statements in the core store",
        )
        .await?;
    Ok(())
}
