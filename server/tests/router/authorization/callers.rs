//! Who calls: a stranger without credentials, people of each role and of none, clients and programs with each scope, and those of another tenant.

use super::endpoint::{Access, Endpoint, Surface};
use crate::support::{Browser, Service};
use loopiq::domain::{
    Client, ClientId, Email, Permission, Person, PersonId, Principal, Role, Scope, Scopes, TenantId, allows,
};

/// What authenticates a caller.
pub(super) enum Credentials {
    Nothing,
    /// The cookie in the browser, of the person with this address.
    Session(String),
    Token(String),
}

/// A caller.
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) browser: Browser,
    pub(super) credentials: Credentials,
    /// Who the service takes the caller for; `None` if it must not let the caller in.
    pub(super) principal: Option<Principal>,
}

/// What the response to a request says about the caller's rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Allowed,
    /// A redirect to the sign-in.
    SignIn,
    /// 401.
    Unauthenticated,
    /// 403, or the refusal of a tool.
    Forbidden,
}

impl Caller {
    fn new(service: &Service, name: impl Into<String>, credentials: Credentials, principal: Option<Principal>) -> Self {
        Self {
            name: name.into(),
            browser: service.browser(),
            credentials,
            principal,
        }
    }

    pub(super) fn is_of(&self, tenant: &str) -> bool {
        self.principal
            .as_ref()
            .is_some_and(|one| one.tenant().as_str() == tenant)
    }

    /// The address with which the person of the session can sign in once more; a person without a role cannot.
    pub(super) fn can_sign_in_again(&self) -> Option<&str> {
        let person = self.principal.as_ref().and_then(Principal::person);
        match &self.credentials {
            Credentials::Session(email) if person.is_some_and(|person| !person.roles.is_empty()) => Some(email),
            _ => None,
        }
    }

    /// What the table of permissions says about the caller and the endpoint.
    pub(super) fn expected(&self, endpoint: &Endpoint) -> Verdict {
        let may = |command: &Permission| self.principal.as_ref().is_some_and(|one| allows(one, *command));
        let has_session = matches!(self.credentials, Credentials::Session(_));
        let has_token = matches!(self.credentials, Credentials::Token(_)) && self.principal.is_some();
        let (surface, commands) = match &endpoint.access {
            Access::Anyone => return Verdict::Allowed,
            Access::Session if has_session => return Verdict::Allowed,
            Access::Session => return Verdict::SignIn,
            Access::Token if has_token => return Verdict::Allowed,
            Access::Token | Access::RelyingParty => return Verdict::Unauthenticated,
            Access::Needs(surface, commands) => (surface, commands),
        };
        let is_let_in = match surface {
            Surface::Page | Surface::Form => has_session,
            Surface::Api => has_session || has_token,
            Surface::Mcp => has_token,
        };
        match is_let_in {
            false if *surface == Surface::Page && endpoint.name.starts_with("GET") => Verdict::SignIn,
            false => Verdict::Unauthenticated,
            true if commands.iter().all(may) => Verdict::Allowed,
            true => Verdict::Forbidden,
        }
    }
}

/// A person with an account: the name of the caller, the address, and the roles.
async fn person(service: &Service, tenant: &str, email: &str, roles: &[Role]) -> Person {
    Person {
        id: id_of(service, tenant, email).await,
        email: Email::verified(email),
        name: email.into(),
        roles: roles.to_vec(),
    }
}

async fn id_of(service: &Service, tenant: &str, email: &str) -> PersonId {
    let sql = "SELECT id FROM people WHERE tenant = $1 AND email = $2";
    let id: String = sqlx::query_scalar(sql)
        .bind(tenant)
        .bind(email)
        .fetch_one(&mut service.database.connect().await)
        .await
        .unwrap();
    PersonId::parse(&id).unwrap()
}

async fn in_browser(service: &Service, name: &str, tenant: &str, email: &str, roles: &[Role]) -> Caller {
    let browser = service.signed_in(email).await;
    let principal = Principal::Person {
        tenant: TenantId::parse(tenant).unwrap(),
        person: person(service, tenant, email, roles).await,
        session: String::new(),
    };
    let credentials = Credentials::Session(email.to_owned());
    Caller {
        browser,
        ..Caller::new(service, name, credentials, Some(principal))
    }
}

fn any_client() -> Client {
    Client {
        id: ClientId::from_bits(0),
        name: "Probe".into(),
    }
}

/// A client that acts for a person who has signed in.
async fn client(service: &Service, tenant: &str, email: &str, roles: &[Role], scopes: &str) -> Caller {
    let caller = person(service, tenant, email, roles).await;
    let token = service.insert_token(tenant, Some(caller.id.clone()), scopes).await;
    let name = format!("client of {email} with {scopes}");
    // A token is refused once its person has no role any more.
    let principal = (!roles.is_empty()).then(|| Principal::Client {
        tenant: TenantId::parse(tenant).unwrap(),
        caller,
        client: any_client(),
        scopes: Scopes::parse(scopes).0,
    });
    Caller::new(service, name, Credentials::Token(token), principal)
}

async fn program(service: &Service, tenant: &str, scopes: &str) -> Caller {
    let token = service.insert_token(tenant, None, scopes).await;
    let principal = Principal::Program {
        tenant: TenantId::parse(tenant).unwrap(),
        client: any_client(),
        scopes: Scopes::parse(scopes).0,
    };
    let name = format!("program of {tenant} with {scopes}");
    Caller::new(service, name, Credentials::Token(token), Some(principal))
}

/// Everybody. The accounts and the tenant `globex` exist.
pub(super) async fn everybody(service: &Service) -> Vec<Caller> {
    let unknown = Credentials::Token("loopiq_unknown".to_owned());
    let mut all = vec![
        Caller::new(service, "a stranger", Credentials::Nothing, None),
        Caller::new(service, "an unknown token", unknown, None),
    ];
    for role in Role::ALL {
        let email = format!("{}@acme.example", role.as_str());
        all.push(in_browser(service, role.as_str(), "acme", &email, &[*role]).await);
        for scope in Scope::ALL {
            all.push(client(service, "acme", &email, &[*role], scope.as_str()).await);
        }
    }
    for scope in Scope::ALL {
        all.push(program(service, "acme", scope.as_str()).await);
    }
    all.push(client(service, "acme", "lead@acme.example", &[Role::Lead], "").await);
    let former = "former@acme.example";
    all.push(in_browser(service, "no role", "acme", former, &[]).await);
    all.push(client(service, "acme", former, &[], "loopiq:read loopiq:propose").await);
    sqlx::query("UPDATE people SET roles = '[]' WHERE tenant = 'acme' AND email = $1")
        .bind(former)
        .execute(&mut service.database.connect().await)
        .await
        .unwrap();
    for role in [Role::Reviewer, Role::Operator] {
        let email = format!("{}@globex.example", role.as_str());
        let name = format!("{} of globex", role.as_str());
        all.push(in_browser(service, &name, "globex", &email, &[role]).await);
    }
    let reviewer = "reviewer@globex.example";
    all.push(
        client(
            service,
            "globex",
            reviewer,
            &[Role::Reviewer],
            "loopiq:read loopiq:propose",
        )
        .await,
    );
    let every: Scopes = Scope::ALL.iter().copied().collect();
    all.push(program(service, "globex", &every.to_string()).await);
    all
}
