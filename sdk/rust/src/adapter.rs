//! Between the generated exports and an author's [`Channel`], and its optional sides.

use alloc::string::String;
use alloc::vec::Vec;
use core::marker::PhantomData;

use crate::bindings::exports::pyqueryhub::notify::channel as wit;
use crate::bindings::pyqueryhub::notify::types::{Configuration, Workspace};
use crate::connection::{ConnectedWorkspace, Connection, Oauth2Service, TokenAnswer};
use crate::directory::{Directory, Page};
use crate::inbound::{Action, Inbound, Proof, Reception, Request};
use crate::optional::connection::exports::pyqueryhub::notify::connection;
use crate::optional::directory::exports::pyqueryhub::notify::directory;
use crate::optional::inbound::exports::pyqueryhub::notify::inbound;
use crate::{Channel, Descriptor, Failure, Receipt, panics};

/// Implements the contract's exports with `C`.
#[derive(Debug)]
pub struct Adapter<C>(PhantomData<C>);

impl<C: Channel> wit::Guest for Adapter<C> {
    fn describe() -> Descriptor {
        panics::install();
        C::describe()
    }

    fn check(configuration: Configuration) -> Result<(), Failure> {
        panics::install();
        C::check(&configuration.try_into()?)
    }

    fn deliver(delivery: wit::Delivery) -> Result<Receipt, Failure> {
        panics::install();
        C::deliver(&delivery.try_into()?)
    }
}

impl<C: Connection> connection::Guest for Adapter<C> {
    fn oauth2() -> Oauth2Service {
        panics::install();
        C::oauth2()
    }

    fn connected(answer: TokenAnswer) -> Result<ConnectedWorkspace, Failure> {
        panics::install();
        C::connected(&answer)
    }

    fn revoke(workspace: Workspace) -> Result<(), Failure> {
        panics::install();
        C::revoke(&workspace)
    }
}

impl<C: Directory> directory::Guest for Adapter<C> {
    fn list_targets(configuration: Configuration, cursor: Option<String>) -> Result<Page, Failure> {
        panics::install();
        C::list_targets(&configuration.try_into()?, cursor.as_deref())
    }
}

impl<C: Inbound> inbound::Guest for Adapter<C> {
    fn verification() -> Proof {
        panics::install();
        C::verification()
    }

    fn receive(request: Request) -> Reception {
        panics::install();
        C::receive(&request)
    }

    fn handle(workspace: Workspace, request: Request) -> Result<Vec<Action>, Failure> {
        panics::install();
        C::handle(&workspace, &request)
    }
}
