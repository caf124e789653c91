//! One file per subcommand, each writing to a writer that it is given.
