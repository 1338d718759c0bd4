#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Several external interfaces in one daemon: each has its own maps, pools and hairpin settings, comes and goes by itself, and
# all of them are taken, and given back, together.

# shellcheck source=src/tests/network.sh
. "$(dirname "$0")/network.sh"

# Two interfaces with ports of their own. hairpin_keys are those of wan2's hairpin route.
config_write()
{
	cat >"$tmp/two.toml" <<-TOML
		[[interfaces]]
		if_name = "wan"
		nat44 = true
		nat66 = true
		tcp_ranges = ["20000-20999"]
		udp_ranges = ["20000-20999"]
		ipv4_hairpin_route = { internal_if_names = ["lo", "lan"] }
		ipv6_hairpin_route = { internal_if_names = ["lo", "lan"] }
		[[interfaces]]
		if_name = "wan2"
		nat44 = true
		nat66 = true
		tcp_ranges = ["40000-40003"]
		udp_ranges = ["40000-40003"]
		ipv4_hairpin_route = { $1 }
	TOML
}

says_wan() { said "wan: 203.0.113.2 ($hook), ports 20000-20999, hairpin lo lan"; }
says_wan2() { said "wan2: 192.0.2.2 ($hook), ports 40000-40003${1:+, hairpin $1}"; }

says_both() { says_wan && says_wan2 "$1"; }

# start_two HAIRPIN-KEYS HAIRPIN-INTERFACES
start_two()
{
	config_write "$1"
	start -c "$tmp/two.toml"
	hook_find
	until_true says_both "$2" || { cat "$tmp/log" && false; }
}

hairpin_rules="100: from all iif lo ipproto tcp lookup 4787
100: from all iif lan ipproto tcp lookup 4787
100: from all iif lo ipproto udp lookup 4787
100: from all iif lan ipproto udp lookup 4787"
moved="200: from all lookup local
32766: from all lookup main
32767: from all lookup default"
route_wan="203.0.113.2 dev wan proto 78 scope link src 203.0.113.2"
route_wan2="192.0.2.2 dev wan2 proto 78 scope link src 192.0.2.2"

# through PREFIX PROTOCOL: from inside through each interface, and a stranger back
through()
{
	a=192.168.1.100:20500 b=192.168.1.100:40001
	check "$1, $2: through wan, from its address and ports" sees inside 203.0.113.2:20500 "$2" $a $server
	check "$1, $2: through wan2, from its address and ports" sees inside 192.0.2.2:40001 "$2" $b $server2
	check "$1, $2: through wan, IPv6" sees inside '[2001:db8:203::2]:20500' "$2" '[fd00::100]:20500' "$server6"
	check "$1, $2: through wan2, IPv6" sees inside '[2001:db8:192::2]:40001' "$2" '[fd00::100]:40001' "$server26"
}

# The same internal endpoint has a mapping in each, and each gives away the ports of its own pool.
test_maps_and_pools()
{
	check "several external interfaces in one daemon: starts" start_two 'internal_if_names = []' ''
	for protocol in udp tcp; do
		through "own maps" $protocol
	done
	check "own maps: nothing of IPv4's, or of the other's: programs of both families on each" is_attached wan 4
	check "own maps: and on the other" is_attached wan2 4
	hold "$in_ns" udp 192.168.1.100:20600 $server
	check "own maps: a mapping in wan" [ "$(mapped)" = "mapped 203.0.113.2:20600" ]
	check "own maps: a stranger reaches it through wan" \
		sees outside 203.0.113.1:25000 udp 203.0.113.1:25000 203.0.113.2:20600
	check "own maps: nobody through wan2" is_deaf outside udp 192.0.2.1:25000 192.0.2.2:20600
	check "own maps: the same endpoint has another mapping there" not sees inside 192.0.2.2:20600 udp \
		192.168.1.200:20600 $server2
	unhold
	check "own pools: stops" stop TERM 0
	check "own pools: starts" start_two 'internal_if_names = []' ''
	for port in 50000 50001 50002 50003; do
		inside "$PEER" ask udp 192.168.1.200:$port $server2 -w 1000 >"$tmp/pool.$port" 2>&1
	done
	check "own pools: all ports of wan2 are given away" \
		[ "$(sort "$tmp"/pool.* | tr '\n' ' ')" = "$(printf 'you 192.0.2.2:4000%s ' 0 1 2 3)" ]
	check "own pools: the next one has none" is_deaf inside udp 192.168.1.200:50004 $server2
	check "own pools: wan still has" sees inside 203.0.113.2:20004 udp 192.168.1.200:20004 $server
	check "own pools: stops" stop TERM 0
	check "own pools: as it was" as_before
}

# Hairpin settings: with a table of its own each has just what it asks for.
test_hairpin_settings()
{
	check "own hairpin settings: starts" start_two \
		'internal_if_names = ["lan"], ip_protocols = ["udp"], ip_rule_pref = 110, table_id = 4788' lan
	check "own hairpin settings: rules of both, each with its preference and table" is rules "$hairpin_rules
110: from all iif lan ipproto udp lookup 4788
110: from all iif lo ipproto udp dport 40000-40003 lookup 4788
$moved"
	check "own hairpin settings: wan's route in its table" is route "$route_wan"
	check "own hairpin settings: wan2's route in its own" [ "$(route_table 4788)" = "$route_wan2" ]
	check "own hairpin settings: a neighbour on each" is_neighbours
	hairpinned udp 20700 203.0.113.2:20700 192.168.1.100:20701 203.0.113.2:20701
	hairpinned udp 40002 192.0.2.2:40002 192.168.1.100:40003 192.0.2.2:40003
	hairpinned tcp 20700 203.0.113.2:20700 192.168.1.100:20702 203.0.113.2:20702
	hold "$in_ns" tcp 192.168.1.200:40002 $server2
	check "own hairpin settings: wan2 has none for TCP" \
		is_deaf inside tcp 192.168.1.100:40003 192.0.2.2:40002
	unhold
	check "own hairpin settings: stops" stop TERM 0
	check "own hairpin settings: as it was" as_before
}

is_neighbours()
{
	is neighbour "192.0.2.2 dev wan2 lladdr $(mac_of wan2) PERMANENT proto 78
203.0.113.2 dev wan lladdr $(mac_of wan) PERMANENT proto 78"
}

mac_of() { ip -n "$ns" -o link show "$1" | sed 's/.*link.ether \([^ ]*\).*/\1/'; }

# hairpinned PROTOCOL PORT TO FROM AS: 192.168.1.200 holds the port, another one inside asks
hairpinned()
{
	case $3 in
	203.*) hold "$in_ns" "$1" "192.168.1.200:$2" $server ;;
	*) hold "$in_ns" "$1" "192.168.1.200:$2" $server2 ;;
	esac
	check "own hairpin settings: $1 to $3 reaches the host inside that holds it, from $5" sees inside "$5" "$1" "$4" "$3"
	unhold
}

# The default: both name table 4787.
test_one_table()
{
	check "one table, other preferences: starts" start_two 'internal_if_names = ["lo", "lan"], ip_rule_pref = 110' "lo lan"
	check "one table, other preferences: the rules of both" is_sorted rules "$hairpin_rules
$(echo "$hairpin_rules" | sed 's/^100/110/')
$moved"
	check "one table: the routes of both" is_sorted route "$route_wan
$route_wan2"
	for protocol in udp tcp; do
		hairpinned $protocol 20700 203.0.113.2:20700 192.168.1.100:20701 203.0.113.2:20701
		hairpinned $protocol 40002 192.0.2.2:40002 192.168.1.100:40003 192.0.2.2:40003
	done
	ip -n "$ns" link delete wan2
	check "one table, one goes: its rules and its route alone go" is rules "$hairpin_rules
$moved"
	check "one table, one goes: the other's route stays" is route "$route_wan"
	wan2_add
	check "one table, it comes again: both" is_sorted route "$route_wan
$route_wan2"
	check "one table: stops" stop TERM 0
	check "one table: as it was" as_before
	check "one table, the same preference: starts" start_two 'internal_if_names = ["lo", "lan"]' "lo lan"
	check "one table, the same preference: each rule once" is rules "$hairpin_rules
$moved"
	ip -n "$ns" link set wan2 down
	check "one table, the same preference, one goes: the rules stay" is route "$route_wan"
	check "one table, the same preference, one goes: all of them" is rules "$hairpin_rules
$moved"
	ip -n "$ns" link set wan2 up
	link_join wan2 eth1 2>/dev/null
	check "one table, the same preference: stops" stop TERM 0
	check "one table, the same preference: as it was" as_before
}

# Where the settings differ, one table cannot keep them apart, and that is said.
test_table_warning()
{
	start_two 'internal_if_names = ["lan"], ip_protocols = ["udp"], ip_rule_pref = 110' lan
	check "one table, other settings: warned of" said "warning: wan2: $shared"
	stop TERM 0 >/dev/null
	for keys in 'internal_if_names = ["lan", "lo"]' 'internal_if_names = ["lan"], table_id = 4788' 'internal_if_names = []'; do
		start_two "$keys" "$(echo "$keys" | sed 's/.*\[\(.*\)\].*/\1/; s/[",]//g')"
		check "$keys: not warned of" not grep warning "$tmp/log"
		stop TERM 0 >/dev/null
	done
	check "one table, other settings: as it was" as_before
}

shared="hairpin table 4787 is wan's, too: what the rules of either bring is hairpinned by both; table_id names another"

# One that goes and comes disturbs nobody.
test_one_goes()
{
	start_two 'internal_if_names = []' ''
	hold "$in_ns" tcp 192.168.1.100:20800 $server
	ip -n "$ns" link delete wan2
	check "one interface goes: said" until_true said "wan2: not there, waiting for it"
	check "one interface goes: the other keeps its mapping" \
		sees outside 203.0.113.1:25000 tcp 203.0.113.1:25000 203.0.113.2:20800
	check "one interface goes: and makes new ones" sees inside 203.0.113.2:20500 udp 192.168.1.100:20500 $server
	: >"$tmp/log"
	wan2_add
	check "one interface goes: it comes again" until_true says_wan2
	check "one interface goes: and translates again" sees inside 192.0.2.2:40001 udp 192.168.1.100:40001 $server2
	ip -n "$ns" link set wan down
	check "one interface is down: the other translates" sees inside 192.0.2.2:40002 tcp 192.168.1.100:40002 $server2
	unhold
	check "one interface is down: stops, and takes all back" stop TERM 0
	check "one interface is down: nothing on either" [ "$(attached wan),$(attached wan2)" = 0,0 ]
	check "one interface is down: no rules" is rules "$boot_rules"
	ip -n "$ns" link delete wan
	wan_add
	check "one interface goes: all as it was" as_before
}

# A TUN device, of whatever link type, in the place of wan2.
wan2_replace()
{
	ip -n "$ns" link delete wan2
	router ip tuntap add dev wan2 mode tun && router "$tmp/link-type" wan2 "$1" && ip -n "$ns" link set wan2 up
}

# The first has been taken, programs, rules and all, when the second fails.
test_second_fails()
{
	"${CC:-cc}" -Wall -Wextra -o "$tmp/link-type" "$top/src/tests/link-type.c"
	config_write 'internal_if_names = ["lo", "lan"]'
	if ! wan2_replace 280 2>/dev/null; then # ARPHRD_CAN
		skip "a second interface that cannot be translated" "this kernel has no TUN devices"
	else
		cp "$tmp/before" "$tmp/with-wan2"
		state "$tmp/before"
		check "the second interface is of an unknown type: said, and the start fails" \
			says 1 "einat: wan2: its link type 280 is not supported" router "$EINAT" -c "$tmp/two.toml"
		check "a failed start leaves the machine byte for byte as it was: nothing of the first remains" as_before
		by="$REFUSE 28 22" # BPF_LINK_CREATE, EINVAL: as before Linux 6.6
		# shellcheck disable=SC2086 # words
		check "without TCX: the start fails" says 1 "einat: wan2: its link type 280 is not supported" \
			router $by "$EINAT" -c "$tmp/two.toml"
		check "without TCX: byte for byte as it was" as_before
		by=
		mv "$tmp/with-wan2" "$tmp/before"
		ip -n "$ns" link delete wan2
		wan2_add
	fi
	ip -n "$ns" neighbour add 192.0.2.2 lladdr 02:00:00:00:00:05 dev wan2 nud permanent
	cp "$tmp/before" "$tmp/without-neighbour"
	state "$tmp/before"
	check "the second interface's hairpinning fails: said" says 1 \
		"einat: hairpin: a permanent neighbour that is not ours is in the way of: neighbour 192.0.2.2 dev wan2 02:00:00:00:00:02" \
		router "$EINAT" -c "$tmp/two.toml"
	check "the second interface's hairpinning fails: byte for byte as it was" as_before
	ip -n "$ns" neighbour delete 192.0.2.2 dev wan2
	mv "$tmp/without-neighbour" "$tmp/before"
	check "and once that is gone: as it was at first" as_before
}

# The same while running is no reason to leave.
test_second_becomes_unknown()
{
	start_two 'internal_if_names = ["lo", "lan"]' "lo lan"
	if ! wan2_replace 280 2>/dev/null; then
		skip "one becomes of an unknown type" "this kernel has no TUN devices"
	else
		check "one becomes of an unknown type: said" until_true said "wan2: its link type 280 is not supported"
		check "one becomes of an unknown type: the other translates" \
			sees inside 203.0.113.2:20500 udp 192.168.1.100:20500 $server
		check "one becomes of an unknown type: the other's route" is route "$route_wan"
		ip -n "$ns" link delete wan2
	fi
	: >"$tmp/log"
	wan2_add
	check "one becomes of a known type: taken" until_true says_wan2 "lo lan"
	check "one becomes of a known type: translates" sees inside 192.0.2.2:40001 udp 192.168.1.100:40001 $server2
	check "one becomes of a known type: stops" stop TERM 0
	check "one becomes of a known type: as it was" as_before
}

both_or_gone() { says_both "lo lan" || has_ended; }

# fails_at CALL N: the n-th system call of that name fails. Is all as before, when it has given up or been stopped?
fails_at()
{
	: >"$tmp/log"
	# shellcheck disable=SC2086 # words
	ip netns exec "$ns" strace -qq -D -o "$tmp/strace" -e "trace=$1" -e "inject=$1:error=EPERM:when=$2" \
		$by "$EINAT" -c "$tmp/two.toml" 2>>"$tmp/log" & # -D: $! is the program, not strace
	pid=$!
	until_true both_or_gone
	kill "$pid" 2>/dev/null
	wait "$pid"
	pid=
	as_before || { echo "call $2 of $1" && cat "$tmp/log" && false; }
}

# some_fail CALL CALLS: about 15 of so many calls, one in each run
some_fail()
{
	n=1
	while [ $n -le "$2" ]; do
		fails_at "$1" $n || return 1
		n=$((n + 1 + $2 / 15))
	done
}

# Two interfaces, two families each, hairpinning for all: a failure anywhere between the first step and the last.
test_any_failure()
{
	if ! strace -qq -o /dev/null true 2>/dev/null; then
		skip "a failed start of two interfaces" "strace is not there, or may not trace"
		return
	fi
	config_write 'internal_if_names = ["lo", "lan"]'
	for case in sendto bpf socket epoll_ctl "bpf $REFUSE 28 22"; do
		call=${case%% *} by=${case#"$call"}
		[ -z "$by" ] && hook=$usual_hook || hook=clsact
		: >"$tmp/log"
		# shellcheck disable=SC2086 # words
		ip netns exec "$ns" strace -qq -D -o "$tmp/calls" -e "trace=$call" $by "$EINAT" -c "$tmp/two.toml" 2>>"$tmp/log" &
		pid=$!
		until_true both_or_gone
		stop TERM 0 >/dev/null
		calls=$(wc -l <"$tmp/calls")
		check "two interfaces: nothing is left if one of $calls $call calls fails${by:+, without TCX}" \
			some_fail "$call" "$calls"
	done
	by=
	hook=$usual_hook
}

# The numbers of the lines of $tmp/calls that load a program of ours, and of those that change something.
loads() { grep -n 'BPF_PROG_LOAD.*SCHED_CLS.*prog_name="nat_' "$tmp/calls" | cut -d: -f1; }
changes() { grep -nE 'BPF_LINK_CREATE|BPF_LINK_UPDATE|BPF_OBJ_PIN|RTM_(NEW|DEL)|"/proc/sys/[^"]*", O_(WRONLY|RDWR)' "$tmp/calls" | cut -d: -f1; }

loads_first()
{
	echo "loads: $(loads | xargs); changes: $(changes | xargs)"
	[ "$(loads | wc -l)" -eq 12 ] && [ "$(changes | wc -l)" -ge 16 ] && [ "$(loads | tail -n 1)" -lt "$(changes | head -n 1)" ]
}

# Two interfaces, two families each, three programs for each of those.
test_order()
{
	if ! strace -qq -o /dev/null true 2>/dev/null; then
		skip "load and verify everything before changing anything" "strace is not there, or may not trace"
		return
	fi
	config_write 'internal_if_names = ["lo", "lan"]'
	for by in "" "$REFUSE 28 22"; do
		[ -z "$by" ] && hook=$usual_hook || hook=clsact
		: >"$tmp/log"
		# shellcheck disable=SC2086 # words
		ip netns exec "$ns" strace -qq -D -s 4096 -v -o "$tmp/calls" -e trace=bpf,sendto,openat \
			$by "$EINAT" -c "$tmp/two.toml" 2>>"$tmp/log" &
		pid=$!
		until_true both_or_gone
		check "load and verify everything before changing anything, by $hook" loads_first
		stop TERM 0 >/dev/null
		check "load and verify everything before changing anything, by $hook: as it was" as_before
	done
	by=
	hook=$usual_hook
}

# Configuration files that have one of their two interfaces in common, and the table for hairpinning.
test_two_daemons()
{
	check "two daemons: the first starts" start_two 'internal_if_names = []' ''
	first=$pid
	state "$tmp/with-first"
	ip -n "$ns" link add wan3 type veth peer name wan3-peer
	config_others wan3 wan2 >"$tmp/others.toml"
	check "two daemons on one interface: the second says so and leaves" \
		says 1 "einat: interface wan2: another einat is at work on it: process $first" \
		router "$EINAT" -c "$tmp/others.toml"
	config_others wan2 wan3 >"$tmp/others.toml"
	check "two daemons on one interface: whichever comes first in the file" \
		says 1 "einat: interface wan2: another einat is at work on it: process $first" \
		router "$EINAT" -c "$tmp/others.toml"
	config_others wan3 wan4 | sed 's/\[\]/["lo", "lan"]/' >"$tmp/others.toml"
	check "two daemons, both with hairpinning: the second says so and leaves" \
		says 1 "einat: hairpin routing: another einat is at work on it: process $first" \
		router "$EINAT" -c "$tmp/others.toml"
	ip -n "$ns" link delete wan3
	check "two daemons: the first's rules, routes and programs are untouched" unchanged "$tmp/with-first"
	check "two daemons: and it goes on" sees inside 192.0.2.2:40001 udp 192.168.1.100:40001 $server2
	config_others wan3 wan4 >"$tmp/others.toml"
	ip netns exec "$ns" "$EINAT" -c "$tmp/others.toml" 2>"$tmp/others" &
	second=$!
	check "two daemons, nothing in common: the second starts" \
		until_true grep -qx "einat: wan4: not there, waiting for it" "$tmp/others"
	check "two daemons, hairpinning in one: the other leaves it alone" unchanged "$tmp/with-first"
	kill $second
	wait $second
	check "two daemons, hairpinning in one: also when it stops" unchanged "$tmp/with-first"
	check "two daemons: the first stops" stop TERM 0
	check "two daemons: as it was" as_before
}

unchanged()
{
	state "$tmp/now"
	diff "$1" "$tmp/now"
}

config_others()
{
	for name; do
		printf '[[interfaces]]\nif_name = "%s"\nnat44 = true\nipv4_hairpin_route = { internal_if_names = [] }\n' "$name"
	done
}

# Two daemons, or two interfaces of one, would else have the same one.
test_other_name()
{
	ip -n "$ns" link property add dev wan altname wan0
	start -i wan0
	check "another name of an interface: said" until_true grep -qxF "einat: warning: wan0: that is another name of wan: say that one" "$tmp/log"
	check "another name of an interface: nothing is attached" is_attached wan 0
	check "another name of an interface: stops" stop TERM 0
	ip -n "$ns" link property del dev wan altname wan0
}

topology_or_nothing "several external interfaces"
test_maps_and_pools
test_hairpin_settings
test_one_table
test_table_warning
test_one_goes
usual_hook=$hook
test_second_fails
test_second_becomes_unknown
test_any_failure
test_order
test_two_daemons
test_other_name
echo "1..$checks"
