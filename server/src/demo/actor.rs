//! The people and the agent of the demo's history: what they propose, approve and execute.

use super::records::{DemoRecords, DemoRelease};
use anyhow::{Context, Result};
use loopiq::domain::*;
use loopiq::engine::{ApprovalRequest, Ctx, Engine, Error, Visit};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

/// Acts as any person of a tenant, or as an agent of that person.
pub(super) struct Actor<'a> {
    pub engine: Engine,
    pub ctx: &'a Ctx,
    pub records: &'a DemoRecords,
    /// The time since the beginning of the history, in microseconds.
    pub clock: Arc<AtomicI64>,
    /// The number of proposals, for idempotency keys.
    pub proposals: usize,
}

impl Actor<'_> {
    /// The context of an agent that acts for this person.
    pub(super) fn agent(&self, caller: &str) -> Result<Ctx> {
        let principal = Principal::Client {
            tenant: self.ctx.tenant().clone(),
            caller: self.records.people.get(caller)?,
            client: self.records.client.clone(),
            scopes: loopiq::domain::Scopes::of_agents(),
        };
        let mut ctx = Ctx::new(principal, self.engine.runtime());
        ctx.trace_given = true;
        Ok(ctx)
    }

    /// The context of this person in a browser.
    pub(super) fn person(&self, who: &str) -> Result<Ctx> {
        let principal = Principal::Person {
            tenant: self.ctx.tenant().clone(),
            person: self.records.people.get(who)?,
            session: format!("demo of {who}"),
        };
        Ok(Ctx::new(principal, self.engine.runtime()))
    }

    /// Reads a release's blockers and findings, as an agent does before it proposes.
    async fn read(&self, agent: &Ctx, area: &DemoRelease) -> Result<(Vec<Value>, Vec<Value>)> {
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

    /// Proposes an action, and returns its ID and digest.
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

    /// Proposes a work package for the findings of one rule.
    pub(super) async fn propose_package(
        &mut self,
        caller: &str,
        area: &DemoRelease,
        rule: &str,
        title: &str,
    ) -> Result<(String, String)> {
        let agent = self.agent(caller)?;
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
                    "title": format!("Fix {} in {}:{}", rule.replace('-', " "), text(finding, "location"), finding["line"]),
                    "description": text(finding, "message"),
                    "estimate": "4 h",
                    "findingIds": [finding["id"]],
                    "controlIds": [area.controls[0]],
                    "evidenceIds": finding["evidenceIds"],
                })
            })
            .collect();
        let cited: Vec<String> = chosen.iter().map(|finding| text(finding, "id")).collect();
        let arguments = json!({
            "reason": format!("Open findings of {rule} block the certification of the release: {}.", cited.join(", ")),
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

    /// Proposes changes to a work item.
    pub(super) async fn propose_update(
        &mut self,
        item: &WorkItemId,
        changes: Value,
        reason: &str,
    ) -> Result<(String, String)> {
        let agent = self.agent("developer")?;
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

    /// Approves an action, and acknowledges its warnings.
    pub(super) async fn approve(&self, who: &str, action: &(String, String)) -> Result<()> {
        let ctx = self.person(who)?;
        let page = self.engine.action_page(&ctx, &action.0, Visit::Opened).await?;
        let warnings: Vec<String> = page
            .checks
            .iter()
            .filter(|check| check.warns())
            .map(Check::mark)
            .collect();
        let request = ApprovalRequest {
            digest: action.1.clone(),
            view: page.view.unwrap_or_default(),
            acknowledged: warnings,
            ..ApprovalRequest::default()
        };
        self.engine.approve(&ctx, &action.0, request).await?;
        Ok(())
    }

    /// Executes an approved action.
    pub(super) async fn execute(&self, who: &str, action: &(String, String)) -> Result<()> {
        let ctx = self.person(who)?;
        let page = self.engine.action_page(&ctx, &action.0, Visit::Opened).await?;
        self.engine
            .execute(&ctx, &action.0, &page.view.unwrap_or_default())
            .await?;
        Ok(())
    }

    /// Approves an update, changes its work item directly, and then executes the update, which fails and writes nothing.
    pub(super) async fn execute_after_conflict(&mut self, item: &WorkItemId, title: &'static str) -> Result<()> {
        let action = self
            .propose_update(
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

    /// Proposes to link evidence to a control.
    pub(super) async fn propose_evidence_link(&mut self, area: &DemoRelease) -> Result<(String, String)> {
        let agent = self.agent("developer")?;
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

    /// Proposes a package with a finding of another release, which cannot be approved.
    pub(super) async fn propose_with_foreign_finding(
        &mut self,
        area: &DemoRelease,
        other: &DemoRelease,
    ) -> Result<(String, String)> {
        let agent = self.agent("developer")?;
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

    /// Proposes a task below a story of the backlog, without evidence.
    pub(super) async fn propose_task(&mut self, area: &DemoRelease) -> Result<(String, String)> {
        let agent = self.agent("developer")?;
        let arguments = json!({
            "reason": "The story has no task for the part that the certification requires.",
            "releaseId": area.release, "teamId": area.team, "kind": "task", "parentId": area.backlog[1],
            "title": "Limit basket requests per account and address", "description": "One limit per minute, one per day.",
            "priority": "medium",
        });
        self.propose(&agent, "loopiq_create_work_item", arguments).await
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
