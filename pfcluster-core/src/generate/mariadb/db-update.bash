#!/bin/bash
# Written by pfcluster for %%hostname%%: edits are lost; `pfcluster generate mariadb --readonly-hook` writes it anew.
#
# Makes this member's database read-only while it is not with a majority of the cluster, and writable again afterwards
# (guide 4.1). Galera calls it at each change (wsrep_notify_cmd) with --status S --uuid U --primary yes|no --index N
# --members LIST; by hand it needs no arguments.
#
# The arguments only say that something has changed. How things are, the database itself is asked, several times: calls
# can overtake each other, and a call can come before the change. All that happens in the background: Galera waits for
# this program, while setting read_only waits for commits that wait for Galera.
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

members=%%members%% # enabled databases of the cluster
give_up=120 # seconds for a database that does not answer yet, or no more

# No waiting for long transactions: they hold up all writes meanwhile.
sql="
SET SESSION wsrep_on = OFF;
SET SESSION lock_wait_timeout = 5;
SELECT MAX(IF(VARIABLE_NAME = 'WSREP_CLUSTER_STATUS', VARIABLE_VALUE, NULL)),
       MAX(IF(VARIABLE_NAME = 'WSREP_CLUSTER_SIZE', VARIABLE_VALUE, NULL))
  INTO @status, @size FROM information_schema.GLOBAL_STATUS;
SET GLOBAL read_only = @@GLOBAL.wsrep_on AND NOT (@status = 'Primary' AND @size * 2 > $members);
SELECT CONCAT('read_only ', IF(@@GLOBAL.read_only, 'ON', 'OFF'), ': ', @status, ', ', @size, ' of $members members');
"

look_and_set() {
    timeout -k 2 15 "$client" --defaults-file=/dev/fd/3 --connect-timeout=2 --batch --skip-column-names \
        --execute "$sql" 3<<'OPTIONS'
[client]
protocol=socket
socket=%%socket%%
user=%%user%%
password=%%password%%
OPTIONS
}

log() {
    timeout -k 1 2 logger -t db-update -p daemon.notice -- "${1//[^[:print:]]/ }"
}

follow() {
    local looks=0 seen last= fd
    # Galera's files are open here, too: they must not stay open when the server ends.
    for fd in "/proc/$BASHPID/fd/"*; do
        fd=${fd##*/}
        ((fd > 2)) && eval "exec $fd>&-"
    done
    log "called: $*"
    client=$(command -v mariadb || command -v mysql) || { log "there is no mariadb client"; return; }
    while ((looks < 4 && SECONDS < give_up)); do
        if seen=$(look_and_set 2>&1); then
            looks=$((looks + 1))
        elif [[ $seen == *"ERROR 2002"* ]]; then
            seen="the database does not answer yet"
        fi
        [[ $seen == "$last" ]] || log "$seen"
        last=$seen
        sleep $((looks + 1))
    done
}

follow "$@" </dev/null >/dev/null 2>&1 &
exit 0
