#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon as a service: which privileges it keeps, what the service manager hears, and what thousands of changes cost.

# shellcheck source=src/tests/router.sh
. "$(dirname "$0")/router.sh"
NOTIFIED=${NOTIFIED:-$top/build/$(uname -m)/peers/notified}

# NET_ADMIN, NET_RAW, PERFMON, BPF
needed=000000c000003000

# capabilities SET: as /proc has it
capabilities() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status"; }

test_privileges()
{
	start -i wan --hairpin-if lo lan
	hook_find
	check "privileges: starts" ready
	check "we ourselves have more" [ "$(sed -n 's/^CapPrm:[[:space:]]*//p' /proc/self/status)" != $needed ]
	for set in CapPrm CapEff CapBnd; do
		check "$set holds NET_ADMIN, NET_RAW, PERFMON and BPF, no more" [ "$(capabilities $set)" = $needed ]
	done
	for set in CapInh CapAmb; do
		check "$set is empty" [ "$(capabilities $set)" = 0000000000000000 ]
	done
	check "no program that it ran could gain any" [ "$(capabilities NoNewPrivs)" = 1 ]
	ip -n "$ns" link delete wan
	check "with these it follows: the interface goes" is rules "$boot_rules"
	: >"$tmp/log"
	wan_add
	check "it comes back" ready
	check "and is attached to" is_attached
	check "privileges: stops" stop TERM 0
	check "the lock files are gone, too" [ -z "$(ls "$RUNTIME_DIRECTORY")" ]
	state "$tmp/before"
}

heard() { grep -qx "$1" "$tmp/heard"; }
heard_in_order() { [ "$(grep -v -e '^WATCHDOG' -e '^MONOTONIC_USEC' "$tmp/heard")" = "$1" ] || { cat "$tmp/heard" && false; }; }

manager_start()
{
	rm -f "$tmp/notify"
	"$NOTIFIED" "$tmp/notify" >"$tmp/heard" &
	manager=$!
	export NOTIFY_SOCKET="$tmp/notify"
	until_true [ -S "$tmp/notify" ]
}

manager_stop()
{
	unset NOTIFY_SOCKET
	kill "$manager"
	wait "$manager" 2>/dev/null
}

test_notify()
{
	manager_start
	start -i wan --hairpin-if lo lan
	check "the service manager hears that it is ready" until_true heard READY=1
	check "which is so: rules" prints rules "$hairpin_rules"
	check "which is so: programs" is_attached
	ip -n "$ns" address delete 203.0.113.2/24 dev wan
	check "it hears of a lost address" until_true heard "STATUS=wan: waiting for an address of IPv4"
	kill -HUP "$pid"
	check "it hears of a reload" until_true heard RELOADING=1
	check "with the time of its beginning" until_true grep -qx 'MONOTONIC_USEC=[0-9][0-9]*' "$tmp/heard"
	check "notify: stops" stop TERM 0
	check "it has heard everything in order" until_true heard_in_order "STATUS=wan: 203.0.113.2
READY=1
STATUS=wan: waiting for an address of IPv4
RELOADING=1
READY=1
STOPPING=1"
	check "and no more than asked for: no watchdog" not grep -q WATCHDOG "$tmp/heard"
	manager_stop
	ip -n "$ns" link delete wan
	manager_start
	by="env WATCHDOG_USEC=5000000"
	start -i wan --hairpin-if lo lan
	check "an interface that is not there does not keep it from being ready" until_true heard READY=1
	check "its status says so" until_true heard "STATUS=waiting for wan"
	check "a watchdog is fed" until_true heard WATCHDOG=1
	wan_add
	check "and when it comes, its address" until_true heard "STATUS=wan: 203.0.113.2"
	check "notify, waiting: stops" stop TERM 0
	by=
	manager_stop
	manager_start
	ip -n "$ns" neighbour replace 203.0.113.2 lladdr 02:00:00:00:00:05 dev wan nud permanent
	router "$EINAT" -i wan --hairpin-if lo lan >/dev/null 2>&1
	check "a start that fails is said" until_true heard "STATUS=failed, and tried again from time to time: see the log"
	check "and never ready" not heard READY=1
	ip -n "$ns" neighbour delete 203.0.113.2 dev wan
	manager_stop
	state "$tmp/before"
}

memory() { sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"; }

# leaked KB...: resident memory as often as it was looked at. What leaks grows each time, by 12 kB or more in all;
# the allocator's own pages come once, and which time is chance.
leaked()
{
	echo "resident memory: $* kB"
	first=$1 last=$1
	shift
	for now; do
		[ "$now" -gt "$last" ] || return 1
		last=$now
	done
	[ $((last - first)) -gt 12 ]
}
reloads() { [ "$(grep -cxF "einat: SIGHUP: $tmp/wan.toml is in force" "$tmp/log")" -ge "$1" ]; }

# What an interface may go through, 1,000 times in all, and 10 reloads of the configuration file.
thousand_changes()
{
	awk 'BEGIN {
		for (i = 0; i < 240; i++) {
			printf "address add 203.0.113.%d/24 dev wan\naddress delete 203.0.113.%d/24 dev wan\n", i % 200 + 20, i % 200 + 20
			print "link set wan down\nlink set wan up"
		}
		for (i = 0; i < 8; i++) {
			print "link delete wan\nlink add wan type veth peer name wan-peer\nlink set wan-peer up"
			print "address add 203.0.113.2/24 dev wan\nlink set wan up"
		}
	}' >"$tmp/changes"
	ip -n "$ns" -batch "$tmp/changes" || return
	: >"$tmp/log"
	for n in 1 2 3 4 5 6 7 8 9 10; do
		kill -HUP "$pid"
		until_true reloads "$n" || return
	done
	is rules "$hairpin_rules" && until_true is_attached
}

test_endurance()
{
	cat >"$tmp/wan.toml" <<-'END'
		[[interfaces]]
		if_name = "wan"
		nat44 = true
		ipv4_hairpin_route.internal_if_names = ["lo", "lan"]
	END
	start -c "$tmp/wan.toml"
	check "endurance: starts" ready
	check "1,000 changes end in the right state" thousand_changes
	had_memory=$(memory) had_descriptors=$(descriptors)
	check "and 1,000 more" thousand_changes
	then_memory=$(memory)
	check "and again 1,000" thousand_changes
	check "no descriptor is lost in 1,000 changes" [ "$(descriptors)" = "$had_descriptors" ]
	check "no memory is lost" not leaked "$had_memory" "$then_memory" "$(memory)"
	check "resident memory is under 2 MB" is_small
	check "endurance: stops" stop TERM 0
	state "$tmp/before"
}

# variant NUMBER: of the file. Those that end in 9 need other programs, all others do without.
variant()
{
	printf '[[interfaces]]\nif_name = "wan"\nnat44 = true\n'
	case $1 in
	*[02468]) echo 'ipv4_hairpin_route.internal_if_names = ["lo", "lan"]' ;;
	*9) echo "tcp_mss_clamp = $((1000 + $1))" ;;
	*) echo "timeout_udp_min = \"$((120 + $1))s\"" ;;
	esac
}

# reconfigured FIRST LAST: each by a file of its own
reconfigured()
{
	number=$1
	while [ "$number" -le "$2" ]; do
		variant "$number" >"$tmp/wan.toml"
		router "$EINAT" reload >"$tmp/answer" 2>&1 || { echo "number $number" && cat "$tmp/answer" && return 1; }
		number=$((number + 1))
	done
	is rules "$hairpin_rules" && is_attached
}

# kernel_objects: the programs and maps that it holds, by their kind
kernel_objects() { cat "/proc/$pid/fdinfo"/* 2>/dev/null | grep -e '^prog_type' -e '^map_type' | sort | uniq -c; }

# same_objects OBJECTS: are they these?
same_objects() { [ "$(kernel_objects)" = "$1" ] || { echo "$1" && kernel_objects && false; }; }

# leaks KB...: the allocator may still be finding its size; what leaks goes on through another thousand
leaks()
{
	leaked "$@" || return 1
	set -- "$(memory)"
	for number in 1101 1435 1769; do
		reconfigured "$number" $((number + 333)) || return 0
		set -- "$@" "$(memory)"
	done
	leaked "$@"
}

test_reconfigurations()
{
	variant 0 >"$tmp/wan.toml"
	start -c "$tmp/wan.toml"
	check "reconfigurations: starts" ready
	check "reconfigurations: the first 100" reconfigured 1 100
	had_memory=$(memory) had_descriptors=$(descriptors) had_objects=$(kernel_objects)
	check "a thousand reconfigurations, a hundred of them with other programs: the first third" reconfigured 101 434
	first_memory=$(memory)
	check "a thousand reconfigurations: the second third" reconfigured 435 768
	second_memory=$(memory)
	check "a thousand reconfigurations: the last third" reconfigured 769 1100
	check "a thousand reconfigurations: no descriptor is lost" [ "$(descriptors)" = "$had_descriptors" ]
	check "a thousand reconfigurations: no program and no map" same_objects "$had_objects"
	check "a thousand reconfigurations: no memory is lost" \
		not leaks "$had_memory" "$first_memory" "$second_memory" "$(memory)"
	check "a thousand reconfigurations: RSS stays under 2 MB" is_small
	check "reconfigurations: stops" stop TERM 0
	check "reconfigurations: as it was" as_before
}

# the events that the kernel could not hand over, of all sockets of the namespace that listen to some
# shellcheck disable=SC2016 # awk's
lost_events() { router awk '$2 == 0 && $4 ~ /[1-9a-f]/ { n += $9 } END { print n + 0 }' /proc/net/netlink; }

overrun() { kill -STOP "$pid" && ip -n "$ns" -batch "$tmp/changes"; }

# While it stands still, more happens than its socket can hold: it has to ask, for no event tells.
test_overrun()
{
	start -i wan --hairpin-if lo lan
	ready
	awk 'BEGIN { for (i = 0; i < 2000; i++) print "address add 10.0.0.1/24 dev lan-peer\naddress delete 10.0.0.1/24 dev lan-peer" }' \
		>"$tmp/changes"
	overrun
	check "thousands of events overrun a socket that nobody reads" [ "$(lost_events)" -gt 0 ]
	ip -n "$ns" link delete wan
	wan_add
	ip -n "$ns" address add 198.51.100.2/24 dev wan
	ip -n "$ns" address delete 203.0.113.2/24 dev wan
	: >"$tmp/log"
	kill -CONT "$pid"
	check "after that it has the new address" \
		until_true said "wan: 198.51.100.2 ($hook), ports 20000-29999, hairpin lo lan"
	check "the new device's programs" is_attached
	check "the new address's route" is route "198.51.100.2 dev wan proto 78 scope link src 198.51.100.2"
	check "and its neighbour" is neighbour "198.51.100.2 dev wan lladdr $(mac) PERMANENT proto 78"
	check "and the rules, once" is rules "$hairpin_rules"
	overrun
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	ip -n "$ns" address delete 198.51.100.2/24 dev wan # which no later event of the device tells
	kill -CONT "$pid"
	check "the same with an address alone: route" is route "203.0.113.2 dev wan proto 78 scope link src 203.0.113.2"
	check "overrun: stops" stop TERM 0
	ip -n "$ns" link delete wan
	wan_add
	state "$tmp/before"
}

topology_or_nothing "the service"
test_privileges
test_notify
test_endurance
test_reconfigurations
test_overrun
echo "1..$checks"
