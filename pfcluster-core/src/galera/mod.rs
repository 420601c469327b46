//! Galera: what its files, logs and status say, and which member may bring the database back.
