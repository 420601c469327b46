//! The recovered position: what `mariadbd --wsrep-recover` finds in InnoDB.
