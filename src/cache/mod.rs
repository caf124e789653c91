//! Last known readings, kept across restarts. Deletable at any time.
