#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the daemon says to syslog, one that comes, goes, restarts and stops reading, and the log of assignments. The mappings
# are those of the router's own traffic from managed ports. Needs root.

# shellcheck source=src/tests/router.sh
. "$(dirname "$0")/router.sh"
file=$tmp/einat.toml
dev_log=$tmp/dev-log
syslogd=

# burst FIRST LAST: mappings of 192.168.1.1's UDP ports
burst() { [ "$(router "$tmp/burst" 192.168.1.1 "$1" "$2" 198.51.100.7)" = $(($2 - $1 + 1)) ]; }

# syslog_start: what it gets goes to $tmp/syslog
syslog_start()
{
	: >"$tmp/syslog"
	ip netns exec "$ns" "$tmp/burst" syslog "$dev_log" >>"$tmp/syslog" 2>&1 &
	syslogd=$!
	until_true [ -S "$dev_log" ]
}

syslog_stop()
{
	kill -KILL "$syslogd"
	wait "$syslogd" 2>/dev/null
	rm -f "$dev_log"
}

# logged SEVERITY TEXT: does syslog get it, by and by?
logged() { until_true grep -qxE "<$((24 + $1))>einat\[$pid\]: $2" "$tmp/syslog" || { cat "$tmp/syslog" && false; }; }

# config_write LINE...: of [log]
config_write()
{
	{
		printf '[[interfaces]]\nif_name = "wan"\nnat44 = true\ntimeout_udp_min = "1s"\ntimeout_port_hold = "1ms"\n'
		printf '[log]\nsocket = "%s"\n' "$dev_log"
		printf '%s\n' "$@"
	} >"$file"
}

reload() { router "$EINAT" reload >"$tmp/reloaded" && grep -qx "the configuration file is in force" "$tmp/reloaded"; }

prepare()
{
	"${CC:-cc}" -Wall -Wextra -o "$tmp/burst" "$top/src/tests/burst.c" || exit 1
	ip -n "$ns" neighbour add 203.0.113.9 lladdr 02:00:00:00:00:09 dev wan nud permanent
	ip -n "$ns" route add 198.51.100.0/24 via 203.0.113.9
}

test_syslog()
{
	config_write 'to = "syslog"'
	start -c "$file"
	check "no syslog: starts" until_true grep -q "^einat: wan: 203.0.113.2 (" "$tmp/log"
	check "no syslog: goes on saying it on standard error" reload
	check "no syslog: which it does" said "SIGHUP: $file is in force"
	syslog_start
	: >"$tmp/log"
	check "a syslog that comes later: is told" reload
	check "a syslog that comes later: the line" logged 6 "SIGHUP: $file is in force"
	check "a syslog that comes later: what it has missed" logged 4 'warning: [0-9]+ lines? w.* not taken by syslog'
	check "a syslog that comes later: standard error is quiet" [ ! -s "$tmp/log" ]
	syslog_stop
	syslog_start
	check "a syslog that was restarted: is told" reload
	check "a syslog that was restarted: the line" logged 6 "SIGHUP: $file is in force"
	check "a syslog that was restarted: nothing was missed" not grep -q "not taken" "$tmp/syslog"
	kill -STOP "$syslogd"
	tries=0
	while [ ! -s "$tmp/log" ] && [ $((tries += 1)) -le 600 ]; do
		reload >"$tmp/out"
	done
	check "a syslog that does not read: the daemon does not wait" says_alive
	check "a syslog that does not read: standard error has it" [ -s "$tmp/log" ]
	kill -CONT "$syslogd"
	check "a syslog that reads again: what it has missed is counted" until_true counted
	config_write 'to = "syslog"' 'level = "error"'
	reload
	: >"$tmp/syslog"
	reload
	echo "nonsense" >>"$file"
	ip netns exec "$ns" "$EINAT" reload >"$tmp/out" 2>&1
	check "level error: an error" logged 3 "SIGHUP: $file is refused, what was in force stays"
	check "level error: nothing else" not grep -q "in force$" "$tmp/syslog"
	config_write 'to = "stderr"'
	: >"$tmp/syslog"
	: >"$tmp/log"
	reload
	check "back to standard error" said "SIGHUP: $file is in force"
	check "and no more to syslog" [ ! -s "$tmp/syslog" ]
	check "stops" stop TERM 0
}

# A second look at the status, in a limited time.
says_alive() { timeout 5 ip netns exec "$ns" "$EINAT" status >"$tmp/out"; }

# A line is counted as soon as another one gets through.
counted() { reload >"$tmp/out" && grep -q "not taken by syslog" "$tmp/syslog"; }

# In a mount namespace where /dev/log is ours: the default.
test_dev_log()
{
	printf '[[interfaces]]\nif_name = "wan"\nnat44 = true\n[log]\nto = "syslog"\n' >"$file"
	: >"$tmp/log"
	# shellcheck disable=SC2016 # the inner shell's
	ip netns exec "$ns" unshare -m sh -c 'mount -t tmpfs tmpfs /dev && mknod -m 666 /dev/null c 1 3 &&
		"$1" syslog /dev/log >"$2" 2>&1 & syslogd=$!
		while [ ! -S /dev/log ]; do [ "$(ps -o pid= -p $syslogd)" ] || exit 1; done
		exec "$3" -c "$4"' sh "$tmp/burst" "$tmp/syslog" "$EINAT" "$file" 2>"$tmp/log" &
	pid=$!
	check "/dev/log: starts" until_true grep -q "^einat: wan: 203.0.113.2 (" "$tmp/log"
	check "/dev/log: is told" logged 6 "wan: 203.0.113.2 \(.*"
	check "/dev/log: stops" stop TERM 0
	ip netns pids "$ns" | xargs -r kill -KILL
}

time_of='20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z'

test_assignments()
{
	router sysctl -qw net.unix.max_dgram_qlen=1000 # of the socket that is made next: a burst is not to be lost
	syslog_start
	config_write 'to = "syslog"' 'level = "error"' "assignments = true"
	start -c "$file"
	until_true grep -q "^einat: wan: 203.0.113.2 (" "$tmp/log"
	until_true [ -n "$(find "$RUNTIME_DIRECTORY" -type s)" ]
	burst 20001 20003
	for port in 20001 20002 20003; do
		check "assignments: made: $port" \
			logged 5 "wan: assigned: udp 192.168.1.1:$port as 203.0.113.2:$port at $time_of"
	done
	check "assignments: ended" \
		logged 5 "wan: released: udp 192.168.1.1:20001 as 203.0.113.2:20001 from $time_of to $time_of"
	check "assignments: nothing of remotes" not grep -q "198\.51\.100" "$tmp/syslog"
	check "assignments: each once" [ "$(grep -c " assigned: .* as 203.0.113.2:20001 " "$tmp/syslog")" = 1 ]
	config_write 'to = "syslog"' 'level = "error"' "assignments = true" "assignments_rate = 5"
	sed -i 's/"1s"/"1h"/' "$file"
	check "assignments: a lower rate" reload
	: >"$tmp/syslog"
	burst 21001 21100
	check "assignments: what is too much is counted" logged 5 "[0-9]+ lines of assignments are missing here"
	check "assignments: all of it" all_counted
	config_write 'to = "syslog"' 'level = "error"' "assignments = true" "[defaults]" 'udp_ranges = ["21050-29999"]'
	sed -i 's/"1s"/"1h"/' "$file"
	: >"$tmp/syslog"
	check "assignments: other ports" reload
	check "assignments: what has gone" \
		logged 5 "wan: released: udp 192.168.1.1:21001 as 203.0.113.2:21001 from $time_of to $time_of"
	check "assignments: all of it has" until_true released 49
	burst 22000 22000
	check "assignments: what is new" logged 5 "wan: assigned: udp 192.168.1.1:22000 as 203.0.113.2:22000 at $time_of"
	check "assignments: and no more" [ "$(grep -c assigned: "$tmp/syslog")" = 1 ]
	check "assignments: nor has more gone" released 49
	check "assignments: stops" stop TERM 0
	check "assignments: its end" until_true grep -q "the log of assignments ends: 52 are alive" "$tmp/syslog"
	syslog_stop
}

released() { [ "$(grep -c "wan: released: " "$tmp/syslog")" = "$1" ] || { grep -c "wan: released: " "$tmp/syslog" && false; }; }

# The sum of what was logged and what is said to be missing.
sums()
{
	awk '/ assigned: / { sum++ } match($0, /[0-9]+ lines of/) { sum += substr($0, RSTART) + 0 }
		END { exit sum != 100 }' "$tmp/syslog"
}
all_counted() { until_true sums || { cat "$tmp/syslog" && false; }; }

flooding() { kill -0 "$flood" 2>/dev/null || { echo "the flood is over" && false; }; }

# Each packet is a line at this level, and they come faster than it can say them.
test_flood()
{
	start -i wan --bpf-log 5
	hook_find
	timeout -s KILL 30 ip netns exec "$ns" "$tmp/burst" flood 192.168.1.1 25000 198.51.100.7 &
	flood=$!
	check "a flood of lines: there it is" until_true grep -q 25000 "$tmp/log"
	check "a flood of lines: a client is answered" says_alive
	check "a flood of lines: SIGTERM ends it" stop TERM 0
	check "a flood of lines: which goes on" flooding
	kill "$flood"
	wait "$flood" 2>/dev/null
	: >"$tmp/log"
}

topology_or_nothing "the log"
prepare
test_syslog
syslog_stop
test_dev_log
test_assignments
test_flood
echo "1..$checks"
