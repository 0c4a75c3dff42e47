//! One test, two databases.

/// Declares a test of each database. The calling crate's `support::run` is given an empty database and the check, an
/// async closure.
#[macro_export]
#[allow(clippy::crate_in_macro_def, reason = "support::run is the calling crate's own")]
macro_rules! on_both {
    ($name:ident, $check:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn sqlite() {
                crate::support::run($crate::TestDatabase::sqlite(), $check);
            }

            #[test]
            fn postgres() {
                crate::support::run($crate::TestDatabase::postgres(), $check);
            }
        }
    };
}
