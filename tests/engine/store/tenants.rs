//! Records of another tenant look like records that do not exist.

use crate::world::World;
use loopiq::context::Ctx;
use loopiq::domain::{ActionId, FactsQuery};
use loopiq::engine::Error;
use loopiq::store::ListFilter;

#[tokio::test]
async fn a_transaction_sees_its_own_tenant_alone() {
    let world = World::new().await;
    let (action, _) = world.proposed("k").await;
    let acme = &world.acme;
    let ids: Vec<String> = [
        acme.release.to_string(),
        acme.team.to_string(),
        acme.certification.to_string(),
        acme.control.to_string(),
        acme.story.to_string(),
        acme.finding.to_string(),
        acme.evidence.to_string(),
        acme.blocker.to_string(),
        acme.person("developer").id.to_string(),
    ]
    .into();
    let mut query = FactsQuery::default().with(&ids);
    query
        .emails
        .extend(loopiq::domain::Address::parse("developer@acme.example"));
    query.components.insert("shop".into());
    let everything = ListFilter {
        limit: 100,
        ..ListFilter::default()
    };
    for (tenant, sees) in [(&world.acme, true), (&world.globex, false)] {
        let ctx = Ctx::system(tenant.tenant.clone(), world.engine.runtime());
        let (query, ids, all) = (query.clone(), ids.clone(), everything.clone());
        let id = ActionId::parse(&action).expect("an ID");
        world
            .engine
            .store()
            .read_long::<_, Error, _>(&ctx, move |tx| {
                Box::pin(async move {
                    let facts = tx.facts(&query).await?;
                    assert_eq!(facts.releases().count(), usize::from(sees));
                    assert_eq!(facts.findings().count(), usize::from(sees));
                    assert_eq!(facts.work_items().count(), usize::from(sees));
                    assert_eq!(facts.people().count(), usize::from(sees));
                    assert_eq!(facts.all_evidence().count(), usize::from(sees));
                    // Both tenants have a component with this key, and each tenant finds its own component.
                    assert_eq!(facts.components().count(), 1);
                    assert_eq!(tx.action(&id).await?.is_some(), sees);
                    assert_eq!(tx.audit_of_action(&id).await?.is_empty(), !sees);
                    for releases in [tx.list_releases(&all).await?, tx.releases(&[&ids[0]]).await?] {
                        assert_eq!(releases.iter().any(|release| release.id.as_str() == ids[0]), sees);
                    }
                    let findings = tx.list_findings(&all).await?;
                    assert_eq!(findings.iter().any(|finding| finding.id.as_str() == ids[5]), sees);
                    Ok(())
                })
            })
            .await
            .expect("a read");
    }
}

#[tokio::test]
async fn facts_contain_whole_records() {
    let world = World::new().await;
    let ctx = world.client("developer");
    let acme = world.acme.clone();
    world
        .engine
        .store()
        .read_long::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move {
                assert_eq!(tx.facts(&FactsQuery::default()).await?, Default::default());
                let query = FactsQuery::default().with([acme.finding.as_str(), acme.blocker.as_str()]);
                let facts = tx.facts(&query).await?;
                let finding = facts.finding(&acme.finding).expect("the finding");
                // `facts` and the query for findings return the same record.
                assert_eq!(Some(finding), tx.findings(&[acme.finding.as_str()]).await?.first());
                assert_eq!(finding.evidence_ids, std::slice::from_ref(&acme.evidence));
                assert_eq!(finding.release_ids, std::slice::from_ref(&acme.release));
                let blocker = facts.blocker(&acme.blocker).expect("the blocker");
                assert_eq!(Some(blocker), tx.blockers_of(&[acme.finding.as_str()]).await?.first());
                assert_eq!((facts.releases().count(), facts.work_items().count()), (0, 0));
                Ok(())
            })
        })
        .await
        .expect("a read");
}
