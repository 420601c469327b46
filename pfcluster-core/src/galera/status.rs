//! `SHOW STATUS LIKE 'wsrep%'`: what a running server says.
