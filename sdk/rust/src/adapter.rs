//! Between the generated exports and an author's [`Channel`].

use core::marker::PhantomData;

use crate::bindings::exports::pyqueryhub::notify::channel as wit;
use crate::bindings::pyqueryhub::notify::types::Configuration;
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
