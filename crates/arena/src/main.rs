//! `arena`, the one binary. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    arena::run(std::env::args_os().collect())
}
