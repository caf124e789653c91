//! What this program was built from.

/// `0.1.0 (commit 1f2e3d4c5b6a; features: lab)`: `+` behind the commit where files differed from it.
pub const LONG: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("QD_BUILD"), ")");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_the_features() {
        assert!(LONG.starts_with(env!("CARGO_PKG_VERSION")), "{LONG}");
        let lab = if cfg!(feature = "lab") { "features: lab)" } else { "features: none)" };
        assert!(LONG.ends_with(lab), "{LONG}");
    }
}
