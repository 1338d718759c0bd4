#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Several external addresses on one interface, 203.0.113.2 and 203.0.113.3 of the topology of network.sh: a static mapping
# belongs to the one that it names, and the route may choose between them for all else.

# shellcheck source=src/tests/network.sh
. "$(dirname "$0")/network.sh"

one=203.0.113.2 other=203.0.113.3 stranger=198.51.100.1
host=192.168.1.100 neighbour=192.168.1.200

write_config()
{
	cat >"$tmp/einat.toml" <<-TOML
		[[interfaces]]
		if_name = "wan"
		nat44 = true
		ipv4_hairpin_route.internal_if_names = ["lan"]
		externals = [{ address = "$one" }, { address = "$other" }]
		$1
	TOML
}

# forward ADDRESS PROTOCOL PORT HOST
forward()
{
	printf '[[interfaces.forwards]]\nprotocol = "%s"\nexternal_port = %s\ninternal_address = "%s"\ninternal_port = 7000\n' \
		"$2" "$3" "$4"
	[ -z "$1" ] || printf 'external_address = "%s"\n' "$1"
	:
}

is_ready() { until_true grep -q "^einat: wan: $one $other (" "$tmp/log" || { cat "$tmp/log" && false; }; }

run()
{
	write_config "$1"
	start -c "$tmp/einat.toml"
	is_ready
}

reload()
{
	write_config "$1"
	: >"$tmp/log"
	kill -HUP "$pid"
	is_ready
}

# published WHEN ADDRESS HIDDEN: of both protocols, from everywhere, and not on the other address
published()
{
	for protocol in udp tcp; do
		check "$1: $protocol, at $2" sees outside $stranger:40000 $protocol $stranger:40000 "$2:8000"
		check "$1: $protocol, not at $3" is_deaf outside $protocol $stranger:40000 "$3:8000"
		check "$1: $protocol, from the LAN" sees inside "$one:24000" $protocol "$neighbour:24000" "$2:8000"
	done
	check "$1: its own packets leave from $2" sees inside "$2:8001" udp "$host:7001" $server
}

# both HOST ADDRESS: static mappings of both protocols, and one that shows where packets of the host's own leave from
both()
{
	forward "$2" tcp 8000 "$1"
	forward "$2" udp 8000 "$1"
	forward "$2" udp 8001 "$1" | sed 's/internal_port = 7000/internal_port = 7001/'
}

test_named()
{
	check "named: starts" run "$(both $host $other)"
	check "named: said" said_so
	check "named: listed" grep_list "^line [0-9]* *tcp:8000=$host:7000 at $other$"
	check "named: listed as JSON" grep_list '"protocols":."tcp".,"external_address":"203.0.113.3","external_port":8000,' --json
	published named $other $one
	hold "$in_ns" udp $neighbour:24100 $server
	check "the other: at a reload" reload "$(both $host $one)"
	published "the other" $one $other
	check "a mapping has lived through it" sees outside 198.51.100.11:5000 udp 198.51.100.11:5000 $one:24100
	unhold
	check "the first, unless one is named" reload "$(both $host "")"
	published "not named" $one $other
	check "stops" stop TERM 0
}

# One port, of two addresses, is two.
test_same_port()
{
	check "the same port of both: starts" run "$(forward $one tcp 8000 $neighbour && echo && forward $other tcp 8000 $host)"
	check "the same port of both: one is the host's" sees outside $stranger:40001 tcp $stranger:40001 $other:8000
	check "the other is its neighbour's, where nobody listens" refuses $one:8000
	check "the same port of both: stops" stop TERM 0
	write_config "$(forward $one tcp 8000 $neighbour && echo && forward "" tcp 8000 $host)"
	check "twice the first's, named once: both are named" contradicts "external port tcp 8000"
	write_config "$(forward $one tcp 8000 $host && echo && forward $other tcp 8001 $host)"
	check "an internal endpoint at both: both are named" contradicts "internal endpoint tcp $host:7000"
	write_config "$(forward 203.0.113.4 tcp 8000 $host)"
	check "an address of no external is refused" names_it '\[\[interfaces\]\] "wan": external_address: "203.0.113.4": is not the address'
}

said_so()
{
	cat "$tmp/log"
	grep -q ", forward tcp:8000=$host:7000 at $other udp:8000=$host:7000 at $other" "$tmp/log"
}

# grep_list PATTERN [OPTION]
grep_list()
{
	router "$EINAT" forward list ${2+"$2"} >"$tmp/out" 2>&1
	cat "$tmp/out"
	grep -q "$1" "$tmp/out"
}

refuses() { outside "$PEER" ask tcp $stranger:40002 "$1" -w 3000 2>&1 | grep -q refused; }

names_it()
{
	"$EINAT" check -c "$tmp/einat.toml" >"$tmp/out" 2>&1 && return 1
	cat "$tmp/out"
	grep -q "$1" "$tmp/out"
}

contradicts() { names_it "einat.toml:[0-9]*: .*forwards: its $1 is that of $tmp/einat.toml:[0-9]*, too"; }

# bpf_fib_lookup_external: a route's preferred source is the external address of what it takes.
test_route()
{
	ip -n "$ns" route replace 198.51.100.2 via 203.0.113.1 dev wan src $other
	check "the route chooses: starts" run ""
	check "the route chooses: by its source" sees inside $other:25000 udp $host:25000 $server2
	check "the route chooses: without one, the first" sees inside $one:25001 udp $host:25001 $server
	check "the route chooses: stops" stop TERM 0
	check "the route does not choose: starts" run "bpf_fib_lookup_external = false"
	check "the route does not choose: the first" sees inside $one:25002 udp $host:25002 $server2
	check "the route does not choose: stops" stop TERM 0
	routes_add wan2 2
}

# knows RELEASE: is this kernel at least that?
knows() { printf '%s\n%s\n' "$1" "$(uname -r)" | sort -VC; }

# An external address that no interface has: the provider routes it here.
test_nowhere()
{
	write_config ""
	sed -i 's/^externals = .*/externals = [{ address = "203.0.113.77" }]/' "$tmp/einat.toml"
	start -c "$tmp/einat.toml"
	check "an address of no interface: starts" says_it "wan: 203.0.113.77 $one ("
	check "an address of no interface: hairpinned, too" until_true grep_table "^203.0.113.77 dev wan "
	check "an address of no interface: stops" stop TERM 0
}

says_it() { until_true grep -qF "einat: $1" "$tmp/log" || { cat "$tmp/log" && false; }; }
grep_table() { ip -n "$ns" route show table 4787 | grep "$1"; }

# Those that the file named first are now last: no mapping's address has gone.
test_order()
{
	check "another order: starts" run ""
	hold "$in_ns" udp $neighbour:24200 $server
	check "another order: its mapping" sees outside 198.51.100.11:5001 udp 198.51.100.11:5001 $one:24200
	: >"$tmp/log"
	sed -i "s/^externals = .*/externals = [{ address = \"203.0.113.78\" }, { address = \"$one\" }]/" "$tmp/einat.toml"
	kill -HUP "$pid"
	check "another order: in force" says_it "wan: 203.0.113.78 $one $other ("
	check "another order: the mapping has lived through it" \
		sees outside 198.51.100.11:5001 udp 198.51.100.11:5001 $one:24200
	unhold
	check "another order: stops" stop TERM 0
}

# Other ports whose programs cannot be loaded, and then another address: what is at work has to have it.
test_no_heir()
{
	write_config ""
	sed -i 's/^externals = .*//' "$tmp/einat.toml"
	start -c "$tmp/einat.toml"
	until_true grep -q "^einat: wan: $one (" "$tmp/log"
	strace -qq -p "$pid" -e trace=bpf -e inject=bpf:error=ENOMEM >/dev/null 2>"$tmp/strace" &
	tracer=$!
	until_true is_traced
	echo 'tcp_ranges = ["30000-30999"]' >"$tmp/more"
	sed -i "/^nat44/r $tmp/more" "$tmp/einat.toml"
	: >"$tmp/log"
	kill -HUP "$pid"
	check "programs that do not load: tried" until_true grep -q "einat: wan: .*memory" "$tmp/log"
	ip -n "$ns" address delete $other/24 dev wan
	ip -n "$ns" address delete $one/24 dev wan
	ip -n "$ns" address add 203.0.113.5/24 dev wan
	routes_add wan 1
	check "programs that do not load, and another address: packets leave from it" \
		until_true sees inside 203.0.113.5:26000 udp $host:26000 $server
	kill $tracer
	wait $tracer 2>/dev/null
	check "programs that do not load: stops" stop TERM 0
	ip -n "$ns" address delete 203.0.113.5/24 dev wan
	ip -n "$ns" address add $one/24 dev wan
	ip -n "$ns" address add $other/24 dev wan
	routes_add wan 1
}

# The router's other addresses are not translated, not for the moment either in which it hears of one more.
test_exempt()
{
	write_config ""
	sed -i 's/^externals = .*//' "$tmp/einat.toml"
	start -c "$tmp/einat.toml"
	says_it "wan: $one ("
	strace -qq -p "$pid" -e trace=bpf -o "$tmp/calls" 2>/dev/null &
	tracer=$!
	until_true is_traced
	ip -n "$ns" address add 203.0.113.8/24 dev wan
	check "one more address: the data plane hears of it" until_true calls BPF_MAP_UPDATE_ELEM 1
	check "one more address: no other is forgotten" calls BPF_MAP_DELETE_ELEM 0
	ip -n "$ns" address delete 203.0.113.8/24 dev wan
	check "one less: the data plane forgets it" until_true calls BPF_MAP_DELETE_ELEM 1
	check "one less: nothing is told again" calls BPF_MAP_UPDATE_ELEM 1
	kill $tracer
	wait $tracer 2>/dev/null
	check "one address more, and less: stops" stop TERM 0
}

calls() { [ "$(grep -c "$1" "$tmp/calls")" -eq "$2" ] || { grep "$1" "$tmp/calls" && false; }; }

is_traced() { ! grep -q '^TracerPid:.0$' "/proc/$pid/status"; }

topology_or_nothing "several external addresses"
ip -n "$ns" address add $other/24 dev wan
for protocol in udp tcp; do
	inside "$PEER" serve $protocol $host:7000 >"$tmp/served-$protocol" &
	until_true grep -q serving "$tmp/served-$protocol"
done
state "$tmp/before"

test_named
test_same_port
test_nowhere
test_order
if strace -qq -o /dev/null true 2>/dev/null; then
	test_no_heir
	test_exempt
else
	skip "programs that do not load, and another address, and one that is exempt" "strace is not there, or may not trace"
fi
if knows 6.7; then
	test_route
else
	skip "the route chooses" "needs Linux 6.7"
fi
check "all is as it was" as_before
echo "1..$checks"
