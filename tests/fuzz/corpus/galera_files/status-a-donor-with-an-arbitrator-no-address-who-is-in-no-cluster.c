wsrep_local_state 2
wsrep_last_committed 1204
wsrep_incoming_addresses 192.168.1.5:3306,,10.0.0.9:3306, AUTO
wsrep_cluster_size 4
wsrep_cluster_state_uuid f9282fe9-e77f-11f1-bcf5-d30baafdcfd0
wsrep_cluster_status Primary
