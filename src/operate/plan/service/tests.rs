//! Plans of service acts from this machine: hosts without `ssh`.
