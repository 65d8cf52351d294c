//! Actions in every state, made through the same use cases as real ones, some hours or days ago.

use super::records::{Area, World};
use anyhow::{Context, Result};
use loopiq::domain::*;
use loopiq::engine::Visit;
use loopiq::engine::{ApprovalRequest, Ctx, Engine, Error};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Somebody at work in the demo's past.
struct Player<'a> {
    engine: Engine,
    ctx: &'a Ctx,
    world: &'a World,
    /// Microseconds that the demo's clock is ahead of its beginning.
    clock: Arc<AtomicI64>,
    proposals: usize,
}

/// Plays the demo's history, oldest first, so that the audit trail reads as it happened.
pub(super) async fn play(engine: &Engine, ctx: &Ctx, world: &World) -> Result<()> {
    let start = ctx.now().plus(-40 * Timestamp::HOUR);
    let clock = Arc::new(AtomicI64::new(0));
    let ticking = clock.clone();
    let runtime = engine
        .runtime()
        .with_clock(move || start.plus(ticking.fetch_add(1_000, Ordering::SeqCst)));
    let past = Engine::new(engine.store().clone(), runtime, engine.public_url());
    let mut player = Player {
        engine: past,
        ctx,
        world,
        clock,
        proposals: 0,
    };
    match ctx.tenant().as_str() {
        "acme" => player.acme().await,
        _ => player.globex().await,
    }
}

impl Player<'_> {
    /// Moves the clock to so many hours before now.
    fn hours_ago(&self, hours: i64) {
        self.clock.store((40 - hours) * Timestamp::HOUR, Ordering::SeqCst);
    }

    fn client(&self, caller: &str) -> Result<Ctx> {
        let principal = Principal::Client {
            tenant: self.ctx.tenant().clone(),
            caller: self.world.people.get(caller)?,
            client: self.world.client.clone(),
        };
        let mut ctx = Ctx::new(principal, self.engine.runtime());
        ctx.trace_given = true;
        Ok(ctx)
    }

    fn person(&self, who: &str) -> Result<Ctx> {
        let principal = Principal::Person {
            tenant: self.ctx.tenant().clone(),
            person: self.world.people.get(who)?,
            session: format!("demo of {who}"),
        };
        Ok(Ctx::new(principal, self.engine.runtime()))
    }

    /// What the agent reads before it proposes: the blockers of a release and the findings behind them.
    async fn read(&self, agent: &Ctx, area: &Area) -> Result<(Vec<Value>, Vec<Value>)> {
        let listing = json!({ "releaseId": area.release });
        self.engine
            .call_tool(agent, "loopiq_get_release", listing.clone())
            .await?;
        self.engine
            .call_tool(agent, "loopiq_get_release_certification", listing.clone())
            .await?;
        let blockers = self
            .engine
            .call_tool(agent, "loopiq_list_blockers", listing.clone())
            .await?
            .structured;
        let findings = self
            .engine
            .call_tool(agent, "loopiq_list_findings", listing)
            .await?
            .structured;
        let items = |page: Value| page["items"].as_array().cloned().unwrap_or_default();
        Ok((items(blockers), items(findings)))
    }

    /// Proposes, and gives the action's ID and digest.
    async fn propose(&mut self, agent: &Ctx, tool: &str, mut arguments: Value) -> Result<(String, String)> {
        self.proposals += 1;
        arguments["idempotencyKey"] = json!(format!("demo-{}", self.proposals));
        arguments["workflow"] = json!("release-readiness");
        let answer = self
            .engine
            .call_tool(agent, tool, arguments)
            .await
            .context(tool.to_owned())?
            .structured;
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        Ok((text("actionId"), text("digest")))
    }

    /// A work package for the findings of one rule.
    async fn package(&mut self, caller: &str, area: &Area, rule: &str, title: &str) -> Result<(String, String)> {
        let agent = self.client(caller)?;
        let (blockers, findings) = self.read(&agent, area).await?;
        let chosen: Vec<&Value> = findings.iter().filter(|finding| finding["rule"] == rule).collect();
        let blocking: Vec<&Value> = blockers
            .iter()
            .filter(|blocker| chosen.iter().any(|finding| finding["id"] == blocker["findingId"]))
            .map(|blocker| &blocker["id"])
            .collect();
        let children: Vec<Value> = (1..)
            .zip(&chosen)
            .map(|(n, finding)| {
                json!({
                    "clientRef": format!("task-{n}"),
                    "title": format!("Fix {} in {}:{}", rule.replace('-', " "), words(finding, "location"), finding["line"]),
                    "description": words(finding, "message"),
                    "estimate": "4 h",
                    "findingIds": [finding["id"]],
                    "controlIds": [area.controls[0]],
                    "evidenceIds": finding["evidenceIds"],
                })
            })
            .collect();
        let cited: Vec<String> = chosen.iter().map(|finding| words(finding, "id")).collect();
        let arguments = json!({
            "reason": format!("{} findings of {rule} keep the release from its certification: {}.", chosen.len(), cited.join(", ")),
            "releaseId": area.release, "certificationId": area.certification, "teamId": area.team,
            "parent": {
                "title": title, "description": "Every place was reported by the last scan.", "priority": "high",
                "owner": format!("developer@{}.example", self.ctx.tenant()),
                "acceptanceCriteria": ["The next scan reports none of these findings.", "A test shows the hostile input refused."],
            },
            "children": children, "blockerIds": blocking,
        });
        self.propose(&agent, "loopiq_create_remediation_work_package", arguments)
            .await
    }

    async fn update(&mut self, item: &WorkItemId, changes: Value, reason: &str) -> Result<(String, String)> {
        let agent = self.client("developer")?;
        let current = self
            .engine
            .call_tool(&agent, "loopiq_get_work_item", json!({ "workItemId": item }))
            .await?
            .structured;
        let arguments = json!({
            "reason": reason, "workItemId": item, "expectedVersion": current["version"], "changes": changes,
        });
        self.propose(&agent, "loopiq_update_work_item", arguments).await
    }

    async fn approve(&self, who: &str, action: &(String, String)) -> Result<()> {
        let ctx = self.person(who)?;
        let page = self.engine.action_page(&ctx, &action.0, Visit::Opened).await?;
        let warnings: Vec<String> = page
            .checks
            .iter()
            .filter(|check| check.warns())
            .map(Check::mark)
            .collect();
        let consent = ApprovalRequest {
            digest: action.1.clone(),
            view: page.view.unwrap_or_default(),
            acknowledged: warnings,
            ..ApprovalRequest::default()
        };
        self.engine.approve(&ctx, &action.0, consent).await?;
        Ok(())
    }

    async fn execute(&self, who: &str, action: &(String, String)) -> Result<()> {
        let ctx = self.person(who)?;
        let page = self.engine.action_page(&ctx, &action.0, Visit::Opened).await?;
        self.engine
            .execute(&ctx, &action.0, &page.view.unwrap_or_default())
            .await?;
        Ok(())
    }

    /// An update that is approved, and whose item somebody changes by hand before it runs: it fails, and writes nothing.
    async fn overtaken(&mut self, item: &WorkItemId, title: &'static str) -> Result<()> {
        let action = self
            .update(
                item,
                json!({ "owner": "lead@acme.example" }),
                "Its owner has left the team.",
            )
            .await?;
        self.approve("lead", &action).await?;
        let item = item.clone();
        self.engine
            .store()
            .write::<_, Error, _>(&self.person("lead")?, move |tx| {
                Box::pin(async move { Ok(tx.touch_work_item(&item, title).await?) })
            })
            .await?;
        self.execute("lead", &action).await
    }

    async fn acme(&mut self) -> Result<()> {
        let (pay, shop) = (self.world.releases[0].clone(), self.world.releases[1].clone());

        self.hours_ago(39);
        // About a finding that blocks nothing: what blocks is left for whoever tries the demo.
        let texts = self
            .package(
                "developer",
                &pay,
                "verbose-error",
                "Keep error texts of the checkout to ourselves",
            )
            .await?;
        self.hours_ago(37);
        self.approve("reviewer", &texts).await?;
        self.execute("reviewer", &texts).await?;

        self.hours_ago(36);
        let update = self
            .update(
                &pay.backlog[0],
                json!({ "priority": "critical" }),
                "The release is blocked by it.",
            )
            .await?;
        self.hours_ago(35);
        self.approve("reviewer2", &update).await?;
        self.execute("reviewer2", &update).await?;

        self.hours_ago(34);
        let vague = self.package("developer", &pay, "open-redirect", "Fix stuff").await?;
        let reviewer = self.person("reviewer")?;
        self.engine.action_page(&reviewer, &vague.0, Visit::Opened).await?;
        let codes = [ReasonCode::Check(CheckId::Titles)];
        let text = "The title says nothing of what is to be done. Name the page that redirects.";
        self.engine
            .reject(&reviewer, &vague.0, &vague.1, &codes, text, "")
            .await?;

        self.hours_ago(30);
        self.overtaken(&pay.backlog[2], "Document the PIN hashing scheme and its pepper")
            .await?;
        self.overtaken(&pay.backlog[1], "Rotate the refund gateway's credentials every month")
            .await?;

        self.hours_ago(26);
        let mistaken = self
            .package(
                "developer",
                &shop,
                "missing-authz",
                "Add authorization to the basket's admin routes",
            )
            .await?;
        let withdrawal =
            json!({ "actionId": mistaken.0, "reason": "The basket's routes are handled by another package." });
        self.engine
            .call_tool(&self.client("developer")?, "loopiq_withdraw_action", withdrawal)
            .await?;

        self.hours_ago(20);
        // One of its scans is stale: it waits, and cannot be approved.
        self.package(
            "developer",
            &pay,
            "hardcoded-secret",
            "Move payment secrets into the vault",
        )
        .await?;
        self.hours_ago(18);
        let link = self.link(&pay).await?;
        self.hours_ago(16);
        self.approve("reviewer", &link).await?;

        self.hours_ago(9);
        self.package(
            "developer",
            &pay,
            "weak-hash",
            "Replace the PIN hash by a memory-hard one",
        )
        .await?;
        self.hours_ago(6);
        let authz = self
            .package(
                "developer",
                &pay,
                "missing-authz",
                "Check authorization on every refund route",
            )
            .await?;
        self.hours_ago(5);
        self.approve("reviewer2", &authz).await?;
        self.hours_ago(4);
        self.update(
            &shop.backlog[0],
            json!({ "priority": "critical", "owner": "developer@acme.example", "title": "Harden the shop's login against credential stuffing" }),
            "The login is part of the certification's scope.",
        )
        .await?;
        self.hours_ago(3);
        self.astray(&pay, &shop).await?;
        self.hours_ago(2);
        self.task(&shop).await?;
        self.hours_ago(1);
        self.package(
            "lead",
            &shop,
            "open-redirect",
            "Allow only known addresses after the login",
        )
        .await?;
        Ok(())
    }

    /// Evidence for a control.
    async fn link(&mut self, area: &Area) -> Result<(String, String)> {
        let agent = self.client("developer")?;
        let evidence = self
            .engine
            .call_tool(&agent, "loopiq_search_evidence", json!({ "releaseId": area.release }))
            .await?
            .structured;
        let arguments = json!({
            "reason": "The scan shows that input is validated on all payment routes.",
            "evidenceId": evidence["items"][0]["id"], "controlId": area.controls[2],
        });
        self.propose(&agent, "loopiq_link_evidence", arguments).await
    }

    /// A package that refers to another release: it cannot be approved.
    async fn astray(&mut self, area: &Area, other: &Area) -> Result<(String, String)> {
        let agent = self.client("developer")?;
        let (blockers, findings) = self.read(&agent, other).await?;
        let finding = findings.first().context("a finding")?;
        let arguments = json!({
            "reason": "The secret is in use by both releases.",
            "releaseId": area.release, "certificationId": area.certification, "teamId": area.team,
            "parent": { "title": "Replace the shared mail password", "description": "Both releases use it.", "priority": "medium" },
            "children": [{
                "clientRef": "rotate", "title": "Rotate the mail password of the basket service", "description": "",
                "findingIds": [finding["id"]], "evidenceIds": finding["evidenceIds"],
            }],
            "blockerIds": blockers.iter().take(1).map(|blocker| &blocker["id"]).collect::<Vec<_>>(),
        });
        self.propose(&agent, "loopiq_create_remediation_work_package", arguments)
            .await
    }

    /// One task under a story of the backlog, resting on no evidence.
    async fn task(&mut self, area: &Area) -> Result<(String, String)> {
        let agent = self.client("developer")?;
        let arguments = json!({
            "reason": "The story has no task for the part that the certification asks about.",
            "releaseId": area.release, "teamId": area.team, "kind": "task", "parentId": area.backlog[1],
            "title": "Limit basket requests per account and address", "description": "One limit per minute, one per day.",
            "priority": "medium",
        });
        self.propose(&agent, "loopiq_create_work_item", arguments).await
    }

    async fn globex(&mut self) -> Result<()> {
        let core = self.world.releases[0].clone();
        self.hours_ago(8);
        let done = self
            .package("developer", &core, "weak-hash", "Sign tokens with a current algorithm")
            .await?;
        self.approve("reviewer", &done).await?;
        self.execute("reviewer", &done).await?;
        self.hours_ago(2);
        self.package(
            "developer",
            &core,
            "sql-injection",
            "Use prepared statements in the core store",
        )
        .await?;
        Ok(())
    }
}

fn words(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
