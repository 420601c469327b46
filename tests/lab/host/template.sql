-- What a new lab's database holds.
-- The replication user as in the guide (3.2), with what MariaDB 10.11 asks for in addition.
CREATE USER pfcluster@localhost IDENTIFIED BY 'aMuchMoreSecurePassword';
GRANT PROCESS, RELOAD, LOCK TABLES, REPLICATION CLIENT, SUPER, READ_ONLY ADMIN ON *.* TO pfcluster@localhost;
CREATE USER pfcluster@'%' IDENTIFIED BY 'aMuchMoreSecurePassword';
GRANT PROCESS, RELOAD, LOCK TABLES, REPLICATION CLIENT, SUPER, READ_ONLY ADMIN ON *.* TO pfcluster@'%';
-- The lab's own, for what it asks and writes.
CREATE USER lab@'%' IDENTIFIED BY 'lab';
GRANT ALL PRIVILEGES ON *.* TO lab@'%' WITH GRANT OPTION;
CREATE USER lab@localhost IDENTIFIED BY 'lab';
GRANT ALL PRIVILEGES ON *.* TO lab@localhost WITH GRANT OPTION;
CREATE DATABASE lab;
CREATE TABLE lab.commits (id BIGINT UNSIGNED PRIMARY KEY, host VARCHAR(64) NOT NULL) ENGINE=InnoDB;
