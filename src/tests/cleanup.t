#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `einat cleanup` takes back what a killed einat has left, and nothing that somebody else has made.

# shellcheck source=src/tests/router.sh
. "$(dirname "$0")/router.sh"

test_arguments()
{
	words="cleanup: give --ifname NAME, --config FILE or nothing at all"
	check "cleanup of several things is refused" says 2 "einat: $words" "$EINAT" cleanup -i wan -c /dev/null
	check "cleanup takes no other option" says 2 "einat: $words" "$EINAT" cleanup -i wan --nat44
}

lock_files() { find "$RUNTIME_DIRECTORY" -name '*.*'; }
cleans() { router "$EINAT" cleanup "$@" >"$tmp/said" 2>&1; }
lines() { sed "s/$(router stat -L -c %i /proc/self/ns/net)/NAMESPACE/; s/[0-9a-f:]\{17\}/MAC/" "$tmp/said" | sort; }
refuses() { ! cleans && lines >"$tmp/sorted" && echo "$1" | diff - "$tmp/sorted"; }

hairpin_lines="einat: put back rule pref 0 lookup local
einat: removed neighbour 203.0.113.2 dev wan MAC
einat: removed route 203.0.113.2 dev wan table 4787
einat: removed rule pref 100 iif lan ipproto tcp lookup 4787
einat: removed rule pref 100 iif lan ipproto udp lookup 4787
einat: removed rule pref 100 iif lo ipproto tcp lookup 4787
einat: removed rule pref 100 iif lo ipproto udp lookup 4787
einat: removed rule pref 200 lookup local
einat: removed the control socket NAMESPACE.control-wan
einat: removed the lock file NAMESPACE.hairpin-routing
einat: removed the lock file NAMESPACE.interface-wan"

test_nothing()
{
	check "with nothing to do it says so, and that is no failure" says 0 "einat: nothing was left" router "$EINAT" cleanup
	check "nor of an interface that is not there" says 0 "einat: nothing was left" router "$EINAT" cleanup -i wan7
	check "nothing to do: as it was" as_before
	start -i wan --hairpin-if lo lan
	hook_find
	ready
	state "$tmp/running"
	check "where an einat is at work it refuses" refuses "einat: hairpin-routing: another einat is at work on it: process $pid
einat: interface-wan: another einat is at work on it: process $pid"
	cleans -i wan
	check "on its interface, too" [ $? -eq 1 ]
	check "but not on another" cleans -i lan
	state "$tmp/now"
	check "einat at work has not noticed" diff "$tmp/running" "$tmp/now"
	stop TERM 0 >/dev/null
}

# how it was started: its filters and qdisc stay only on clsact
test_killed()
{
	killed
	check "$hook: without cleanup it is not as it was" not as_before
	check "$hook: cleanup succeeds" cleans "$@"
	check "$hook: it says what it has removed" [ "$(lines)" = "$hairpin_lines${extra:+
$extra}" ]
	check "$hook: everything is as it was" as_before
	check "$hook: no lock file is left" [ -z "$(lock_files)" ]
	check "$hook: the next one finds nothing" says 0 "einat: nothing was left" router "$EINAT" cleanup
}

# Everything of ours has a twin that somebody else has made.
test_foreign()
{
	ip -n "$ns" rule add pref 100 iif lan ipproto tcp lookup 4787
	ip -n "$ns" rule add pref 201 lookup local
	ip -n "$ns" route add 192.0.2.0/24 dev lan table 4787
	ip -n "$ns" neighbour add 203.0.113.9 lladdr 02:00:00:00:00:09 dev wan nud permanent
	router tc qdisc add dev wan clsact
	router tc qdisc add dev lan clsact
	for direction in ingress egress; do
		router tc filter add dev wan $direction prio 1 handle 0x7 bpf bytecode '1,6 0 0 0'
		router tc filter add dev lan $direction prio 1 handle 0x1e1a4 bpf bytecode '1,6 0 0 0'
	done
	mv "$tmp/before" "$tmp/alone"
	state "$tmp/before"
	killed
	check "foreign things: without cleanup it is not as it was" not as_before
	check "foreign things: cleanup succeeds" cleans
	check "foreign things: they are as they were" as_before
	router tc qdisc delete dev wan clsact
	router tc qdisc delete dev lan clsact
	ip -n "$ns" rule delete pref 100 iif lan ipproto tcp lookup 4787
	ip -n "$ns" rule delete pref 201 lookup local
	ip -n "$ns" route flush table 4787
	ip -n "$ns" neighbour delete 203.0.113.9 dev wan
	mv "$tmp/alone" "$tmp/before"
}

test_arguments
topology_or_nothing "cleanup"
state "$tmp/before"
test_nothing
extra=
test_killed
printf '[[interfaces]]\nif_name = "wan"\nnat44 = true\n' >"$tmp/wan.toml"
test_killed -c "$tmp/wan.toml"
by="$tcx_attach 22" # EINVAL: no TCX
hook=clsact
extra="einat: wan: removed 2 filters"
test_killed -i wan
test_killed
test_foreign
echo "1..$checks"
