//! What every request passes through, from the outside in: [`host`], [`request_id`], [`load`] with its timeout, [`query`],
//! [`mutation`], [`mod@panic`].

pub(crate) mod host;
pub(crate) mod load;
pub(crate) mod mutation;
pub(crate) mod panic;
pub(crate) mod query;
pub(crate) mod request_id;
