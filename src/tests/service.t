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

topology_or_nothing "the service"
test_privileges
test_notify
echo "1..$checks"
