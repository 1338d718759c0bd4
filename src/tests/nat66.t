#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon and IPv6: which address it takes, what it sets up and takes back, that packets go where they should, and that
# neighbours find each other as if it were not there.
#
#                     fd00::1 [router] 2001:db8:203::2
#   [inside] eth0 ------- lan          wan ------- eth0 [outside]
#   fd00::100            192.168.1.1   203.0.113.2       2001:db8:203::1  gateway
#   fd00::200                                            2001:db8:198::1  server
#                                                        2001:db8:192::1  stranger
#
# Three network namespaces. The outside has no route to fd00::/64.

# shellcheck source=src/tests/harness.sh
. "$(dirname "$0")/harness.sh"

in_ns=$ns-inside
out_ns=$ns-outside
namespaces="$in_ns $ns $out_ns"
external=2001:db8:203::2
server=2001:db8:198::1
stranger=2001:db8:192::1

inside() { ip netns exec "$in_ns" "$@"; }
outside() { ip netns exec "$out_ns" "$@"; }

wan_add()
{
	ip -n "$ns" link add wan type veth peer name eth0 netns "$out_ns"
	router sysctl -qw net.ipv6.conf.wan.accept_dad=0 net.ipv6.conf.wan.accept_ra=2
	outside sysctl -qw net.ipv6.conf.eth0.accept_dad=0
	ip -n "$out_ns" address add 2001:db8:203::1/64 dev eth0
	ip -n "$out_ns" link set eth0 up
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	ip -n "$ns" address add $external/64 dev wan
	ip -n "$ns" link set wan up
	ip -n "$ns" -6 route add default via 2001:db8:203::1
	until_true settled
}

# settled: has the kernel made all link-local addresses that it will make?
settled() { [ "$(ip -n "$ns" -6 address show scope link up | grep -c 'inet6 fe80:')" -eq 2 ]; }

topology()
{
	for namespace in $namespaces; do
		ip netns add "$namespace" || return 1
		ip -n "$namespace" link set lo up
		ip netns exec "$namespace" sysctl -qw net.ipv6.conf.default.accept_dad=0
	done
	ip -n "$ns" link add lan type veth peer name eth0 netns "$in_ns"
	ip -n "$in_ns" address add fd00::100/64 dev eth0
	ip -n "$in_ns" address add fd00::200/64 dev eth0
	ip -n "$in_ns" link set eth0 up
	ip -n "$in_ns" -6 route add default via fd00::1
	ip -n "$ns" address add 192.168.1.1/24 dev lan
	ip -n "$ns" address add fd00::1/64 dev lan
	ip -n "$ns" link set lan up
	router sysctl -qw net.ipv6.conf.all.forwarding=1
	ip -n "$out_ns" address add $server/128 dev lo
	ip -n "$out_ns" address add $stranger/128 dev lo
	wan_add
	outside "$PEER" serve udp "[$server]:7000" >/dev/null &
	outside "$PEER" serve tcp "[$server]:7000" >/dev/null &
	state "$tmp/before"
}

state()
{
	router "$NETSTATE" net.ipv6.conf.all.forwarding net.ipv4.ip_forward net.ipv4.conf.all.accept_local \
		net.ipv4.conf.all.rp_filter >"$1"
}

rules() { ip -n "$ns" -6 rule show | tr -s '\t' ' ' | sed 's/ *$//; s/ proto [0-9a-z]*$//'; }
rules4() { ip -n "$ns" -4 rule show | tr -s '\t' ' ' | sed 's/ *$//; s/ proto [0-9a-z]*$//'; }
route() { ip -n "$ns" -6 route show table 4787 2>/dev/null | sed 's/ *$//'; }
neighbour() { ip -n "$ns" -6 neighbour show nud permanent | sed 's/ *$//'; }
route_to() { echo "$1 dev wan proto 78 src $1 metric 1 pref medium"; }
neighbour_of() { echo "$1 dev wan lladdr $(mac) PERMANENT proto 78"; }

boot_rules="0: from all lookup local
32766: from all lookup main"
hairpin_rules="100: from all iif lo ipproto tcp lookup 4787
100: from all iif lan ipproto tcp lookup 4787
100: from all iif lo ipproto udp lookup 4787
100: from all iif lan ipproto udp lookup 4787
200: from all lookup local
32766: from all lookup main"

# takes ADDRESS: has it said that this is external, with hairpinning?
takes() { until_true said "wan: $1 ($hook), ports 20000-29999, hairpin lo lan" || { cat "$tmp/log" && false; }; }
ready() { takes $external; }

# opened FIELD VALUE: how many of the daemon's file descriptors are of BPF, and say so?
opened() { cat "/proc/$pid/fdinfo"/* 2>/dev/null | grep -c "^$1:[[:space:]]*$2\$"; }

# loaded FAMILIES: the programs of so many families, and no more
loaded()
{
	echo "programs: $(opened prog_type '.*'), maps: $(opened map_type '.*'), attached: $(attached)"
	[ "$(opened prog_type '.*')" -eq $(($1 * 3)) ] && [ "$(attached)" -eq $(($1 * 2)) ]
}

attached() { router "$NETSTATE" | grep -c -e '^tcx dev wan ' -e '^filter dev wan .*handle 0x[0-9a-f]*e1a[46] '; }

# The map `endpoints` has keys of 8 bytes in IPv4 and of 20 in IPv6.
test_costs_nothing_while_off()
{
	start -i wan
	until_true grep -q 203.0.113.2 "$tmp/log"
	hook=$(sed -n 's/.*(\(tcx\|clsact\)).*/\1/p' "$tmp/log")
	check "NAT44: the programs of one family" loaded 1
	check "NAT44: no map of IPv6" [ "$(opened key_size 8),$(opened key_size 20)" = 1,0 ]
	maps=$(opened map_type '.*')
	check "NAT44: one line" says_only "wan: 203.0.113.2 ($hook), ports 20000-29999"
	check "NAT44: stops" stop TERM 0
	start -i wan --nat66
	until_true grep -q $external "$tmp/log"
	check "NAT66: the programs of one family" loaded 1
	check "NAT66: no map of IPv4" [ "$(opened key_size 8),$(opened key_size 20)" = 0,1 ]
	maps=$((maps + $(opened map_type '.*')))
	check "NAT66: one line" says_only "wan: $external ($hook), ports 20000-29999"
	check "NAT66: stops" stop TERM 0
	start -i wan --nat44 --nat66
	until_true grep -q $external "$tmp/log"
	check "both: the programs of both" loaded 2
	check "both: the maps of both" [ "$(opened map_type '.*')" -eq "$maps" ]
	check "both: a line for each" says_only "wan: 203.0.113.2 ($hook), ports 20000-29999
einat: wan: $external ($hook), ports 20000-29999"
	check "both: stops" stop TERM 0
	check "all as it was" as_before
}

# As on a kernel before 6.6: both families' filters hang on one qdisc.
test_clsact()
{
	by="$REFUSE 28 22" # BPF_LINK_CREATE, EINVAL
	start -i wan --nat44 --nat66
	check "clsact: starts" until_true said "wan: $external (clsact), ports 20000-29999"
	check "clsact: the filters of both" loaded 2
	router tc qdisc delete dev wan clsact
	check "clsact removed by somebody: the filters of both are back" until_true loaded 2
	check "clsact: stops" stop TERM 0
	check "clsact: all as it was" as_before
	start -i wan --nat44 --nat66
	until_true loaded 2
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	start -i wan --nat66
	check "clsact, killed: starts with one family" until_true said "wan: $external (clsact), ports 20000-29999"
	check "clsact, killed: its filters are taken over" until_true loaded 1
	check "clsact, killed: stops" stop TERM 0
	check "clsact, killed: all as it was" as_before
	by=
}

test_hairpin_routing()
{
	for families in --nat66 "--nat44 --nat66"; do
		# shellcheck disable=SC2086 # words
		start -i wan $families --hairpin-if lo lan
		check "$families: starts" ready
		check "$families: rules in front of the local table's, which has moved" is rules "$hairpin_rules"
		check "$families: a route out of wan" is route "$(route_to $external)"
		check "$families: a neighbour with wan's own hardware address" is neighbour "$(neighbour_of $external)"
		check "$families: IPv4's rules are touched with it alone" \
			[ "$(rules4 | grep -c 4787)" -eq $((${#families} > 8 ? 4 : 0)) ]
		check "$families: stops" stop TERM 0
		check "$families: all as it was" as_before
	done
	ip -n "$ns" -6 route add $external dev lan table 4787
	ip -n "$ns" -6 rule add pref 0 lookup local protocol static
	ip -n "$ns" -6 rule delete pref 0 lookup local protocol kernel
	state "$tmp/before"
	start -i wan --nat66 --hairpin-if lo lan
	ready
	check "a foreign route for the address: ours comes first" [ "$(route | head -n 1)" = "$(route_to $external)" ]
	check "foreign routes and rules: stops" stop TERM 0
	check "foreign routes and rules: all as it was" as_before
	ip -n "$ns" -6 rule add pref 0 lookup local protocol kernel
	ip -n "$ns" -6 rule delete pref 0 lookup local protocol static
	ip -n "$ns" -6 route flush table 4787
	state "$tmp/before"
}

# asked PROTOCOL FROM TO: who the peer says that asked it
asked() { "$where" "$PEER" ask "$1" "$2" "$3" -w "${wait-2000}"; }
# sees WHERE ANSWER PROTOCOL FROM TO
sees()
{
	where=$1 answer="you $2"
	shift 2
	got=$(asked "$@" 2>&1)
	echo "$got"
	[ "$got" = "$answer" ]
}

# hold_on PROTOCOL: inside, fd00::200 holds port 24000 open
hold_on()
{
	inside "$PEER" hold "$1" '[fd00::200]:24000' "[$server]:7000" >"$tmp/holder" 2>&1 &
	holder=$!
	until_true grep -q mapped "$tmp/holder"
}

# A connection that the other end has reset has ended it already.
hold_off() { kill "$holder" 2>/dev/null; wait "$holder" 2>/dev/null; }

traffic()
{
	for protocol in udp tcp; do
		check "$protocol: leaves from the external address" \
			sees inside "[$external]:22000" $protocol '[fd00::100]:22000' "[$server]:7000"
		hold_on $protocol
		check "$protocol: a stranger reaches a host inside" \
			sees outside "[$stranger]:23000" $protocol "[$stranger]:23000" "[$external]:24000"
		check "$protocol: so does another one inside, from the external address" \
			sees inside "[$external]:25000" $protocol '[fd00::100]:25000' "[$external]:24000"
		check "$protocol: the host itself" \
			sees inside "[$external]:25001" $protocol '[fd00::200]:25001' "[$external]:24000"
		check "$protocol: and the router" \
			sees router "[$external]:26000" $protocol "[$external]:26000" "[$external]:24000"
		hold_off
	done
}

# serve WHERE PROTOCOL ENDPOINT: in the background, until unserve
serve()
{
	: >"$tmp/service"
	"$1" "$PEER" serve "$2" "$3" >"$tmp/service" 2>&1 &
	service=$!
	until_true grep -q serving "$tmp/service"
}

unserve() { kill "$service" && wait "$service" 2>/dev/null; }

# The router's own services by its external address, on a port that is not managed and on one that is.
services()
{
	for port in 8080 28080; do
		for protocol in udp tcp; do
			serve router $protocol "[$external]:$port"
			check "$protocol $port: the router is reached from inside" \
				sees inside "[$external]:25002" $protocol '[fd00::100]:25002' "[$external]:$port"
			check "$protocol $port: and from outside" \
				sees outside "[$stranger]:25002" $protocol "[$stranger]:25002" "[$external]:$port"
			check "$protocol $port: and from itself" \
				sees router "[$external]:27002" $protocol "[$external]:27002" "[$external]:$port"
			unserve
		done
	done
}

test_traffic()
{
	start -i wan --nat44 --nat66 --hairpin-if lo lan
	ready
	traffic
	services
	check "traffic: stops" stop TERM 0
	start -i wan --nat66 --hairpin-if lan
	until_true said "wan: $external ($hook), ports 20000-29999, hairpin lan"
	services
	check "without lo: stops" stop TERM 0
	# The twins: without NAT nothing comes back, without hairpinning the router answers for itself.
	wait=300
	check "without NAT no answer" not sees inside "[$external]:22000" udp '[fd00::100]:22000' "[$server]:7000"
	start -i wan --nat66
	until_true said "wan: $external ($hook), ports 20000-29999"
	for protocol in udp tcp; do
		hold_on $protocol
		check "$protocol: without hairpinning no host inside reaches another" \
			not sees inside "[$external]:25000" $protocol '[fd00::100]:25000' "[$external]:24000"
		hold_off
	done
	unset wait
	check "without hairpinning: stops" stop TERM 0
	start -i wan --nat66 --internal fd01::/16
	until_true said "wan: $external ($hook), ports 20000-29999"
	wait=300
	check "not an internal network: not translated" \
		not sees inside "[$external]:22000" udp '[fd00::100]:22000' "[$server]:7000"
	unset wait
	check "not an internal network: stops" stop TERM 0
	check "traffic: all as it was" as_before
}

link_local() { ip -n "$1" -6 -o address show dev "$2" scope link | sed 's/.*inet6 \([^/]*\).*/\1/'; }

# counted RULE: has nftables outside seen a packet of this kind?
counted() { outside nft list ruleset | grep -F "$1" | grep -qv 'packets 0'; }

seen_outside="icmpv6 type nd-router-solicit ip6 saddr fe80::/10
icmpv6 type mld2-listener-report ip6 saddr fe80::/10
icmpv6 type nd-neighbor-solicit ip6 saddr fe80::/10
udp sport 546 udp dport 547 ip6 saddr fe80::/10"

known_outside() { ip -n "$out_ns" -6 neighbour show dev eth0 | grep "^$1 lladdr $(mac) "; }

# What neighbours say to each other, while everything is translated that can be.
test_neighbours()
{
	outside nft -f - <<-RULES
		table ip6 seen {
			chain input {
				type filter hook prerouting priority 0
				$(echo "$seen_outside" | sed 's/ip6 saddr/counter ip6 saddr/; s/counter \(.*\)/\1 counter/')
			}
		}
	RULES
	start -i wan --nat66 --hairpin-if lo lan
	ready
	ip -n "$ns" -6 neighbour flush dev wan
	ip -n "$out_ns" -6 neighbour flush dev eth0
	check "neighbours: ours is still there after a flush" is neighbour "$(neighbour_of $external)"
	check "neighbours: the gateway is found again" \
		sees inside "[$external]:22000" udp '[fd00::100]:22000' "[$server]:7000"
	check "neighbours: and has found the router" known_outside $external
	ours=$(link_local "$ns" wan) theirs=$(link_local "$out_ns" eth0)
	serve outside udp "[$theirs%eth0]:547"
	check "link-local: DHCPv6's ports stay" sees router "[$ours]:546" udp "[$ours%wan]:546" "[$theirs%wan]:547"
	check "link-local: managed ports stay" sees router "[$ours]:25000" udp "[$ours%wan]:25000" "[$theirs%wan]:547"
	unserve
	serve router udp "[$ours%wan]:25547"
	check "link-local: a managed port is reached" sees outside "[$theirs]:546" udp "[$theirs%eth0]:546" "[$ours%eth0]:25547"
	unserve
	ip -n "$ns" link set wan down # and up: it solicits routers, and tells of the groups that it has joined
	ip -n "$ns" link set wan up
	ip -n "$ns" address add $external/64 dev wan
	echo "$seen_outside" >"$tmp/kinds"
	while read -r kind; do
		check "seen outside: $kind" until_true counted "$kind"
	done <"$tmp/kinds"
	"${CC:-cc}" -Wall -Wextra -o "$tmp/send-ra" "$top/src/tests/send-ra.c"
	outside "$tmp/send-ra" eth0 2001:db8:5ca1::
	check "a router advertisement arrives: an address is made" until_true autoconfigured
	check "and a default route" until_true grep_route "default via $theirs dev wan proto ra"
	check "neighbours: stops" stop TERM 0
	outside nft flush ruleset
	wan_again
}

autoconfigured() { ip -n "$ns" -6 address show dev wan | grep -q 'inet6 2001:db8:5ca1:.*dynamic'; }
grep_route() { ip -n "$ns" -6 route show | grep -F "$1"; }

wan_again()
{
	ip -n "$ns" link delete wan
	wan_add
	state "$tmp/before"
}

external_is() { is route "$(route_to "$1")"; }

test_addresses()
{
	start -i wan --nat44 --nat66 --hairpin-if lo lan
	ready
	ip -n "$ns" address add 2001:db8:203::9/64 dev wan
	ip -n "$ns" address add fd00:203::9/64 dev wan
	ip -n "$ns" address add 203.0.113.9/24 dev wan
	ip -n "$ns" address delete 2001:db8:203::9/64 dev wan
	ip -n "$ns" address add 2001:db8:203::8/64 dev wan
	check "more addresses: it stays" says_only "wan: 203.0.113.2 ($hook), ports 20000-29999, hairpin lo lan
einat: wan: $external ($hook), ports 20000-29999, hairpin lo lan"
	check "more addresses: stops" stop TERM 0
	start -i wan --nat66 --hairpin-if lo lan
	check "a restart takes the oldest again" ready
	check "the router's traffic from its other address is its own" \
		sees router '[2001:db8:203::8]:25000' udp '[2001:db8:203::8]:25000' "[$server]:7000"
	ip -n "$ns" address delete $external/64 dev wan
	check "it goes: the next one" external_is 2001:db8:203::8
	check "it goes: said" takes 2001:db8:203::8
	check "it goes: its neighbour goes" is neighbour "$(neighbour_of 2001:db8:203::8)"
	check "it goes: packets leave from the next one" \
		sees inside '[2001:db8:203::8]:22000' udp '[fd00::100]:22000' "[$server]:7000"
	ip -n "$ns" address change 2001:db8:203::8/64 dev wan preferred_lft 0
	ip -n "$ns" address add $external/64 dev wan
	check "deprecated: another one" external_is $external
	ip -n "$ns" address delete $external/64 dev wan
	check "deprecated, the only one: better than none, or than fd00:203::9" external_is 2001:db8:203::8
	ip -n "$ns" address delete 2001:db8:203::8/64 dev wan
	check "only a unique local one" external_is fd00:203::9
	ip -n "$ns" address add $external/64 dev wan
	check "a global one comes" external_is $external
	: >"$tmp/log"
	ip -n "$ns" address delete fd00:203::9/64 dev wan
	ip -n "$ns" address delete $external/64 dev wan
	check "the last one goes: said" until_true said "wan: no external IPv6 address, waiting for one"
	check "the last one goes: no rules" is rules "$boot_rules"
	check "the last one goes: no neighbour" is neighbour ""
	wait=300
	check "without an address nothing leaves" \
		not sees inside "[$external]:22000" udp '[fd00::100]:22000' "[$server]:7000"
	unset wait
	check "addresses: stops" stop TERM 0
	wan_again
}

# Duplicate address detection: 1 s on a link where nobody answers.
test_detection()
{
	start -i wan --nat66 --hairpin-if lo lan
	ready
	ip -n "$ns" address delete $external/64 dev wan
	until_true said "wan: no external IPv6 address, waiting for one"
	: >"$tmp/log"
	router sysctl -qw net.ipv6.conf.wan.accept_dad=1
	ip -n "$ns" address add 2001:db8:203::1/64 dev wan # the gateway's
	check "a duplicate: found out" until_true duplicate
	check "a duplicate: never external" [ ! -s "$tmp/log" ]
	ip -n "$ns" address delete 2001:db8:203::1/64 dev wan
	ip -n "$ns" address add $external/64 dev wan
	check "being checked: not yet external" [ ! -s "$tmp/log" ]
	check "checked: external" ready
	ip -n "$ns" -6 route replace default via 2001:db8:203::1
	check "checked: packets leave from it" until_true \
		sees inside "[$external]:22000" udp '[fd00::100]:22000' "[$server]:7000"
	check "detection: stops" stop TERM 0
	wan_again
}

duplicate() { ip -n "$ns" -6 address show dev wan | grep -q 'inet6 2001:db8:203::1/.*dadfailed'; }

test_interface()
{
	start -i wan --nat44 --nat66 --hairpin-if lo lan
	ready
	ip -n "$ns" link set wan down # takes its IPv6 addresses away
	check "down: no rules" is rules "$boot_rules"
	: >"$tmp/log"
	ip -n "$ns" link set wan up
	ip -n "$ns" address add $external/64 dev wan
	check "up again: said" ready
	check "up again: rules" is rules "$hairpin_rules"
	: >"$tmp/log"
	ip -n "$ns" link delete wan
	check "gone: said once" until_true said "wan: not there, waiting for it"
	check "gone: no rules" is rules "$boot_rules"
	wan_add
	check "back: said" ready
	check "back: said of IPv4 too" takes 203.0.113.2
	check "back: rules" is rules "$hairpin_rules"
	check "back: route" external_is $external
	check "back: the programs of both are on it" loaded 2
	check "interface: stops" stop TERM 0
	wan_again
}

killed()
{
	start -i wan --nat44 --nat66 --hairpin-if lo lan
	ready
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	pid=
}

test_killed()
{
	killed
	check "after SIGKILL its rules are still there" is rules "$hairpin_rules"
	killed
	start -i wan --nat66 --hairpin-if lo lan
	check "the next start copes" ready
	check "the next start has the same rules" is rules "$hairpin_rules"
	check "the next start, without NAT44: its rules are gone" [ "$(rules4 | grep -c 4787)" -eq 0 ]
	check "the next start: stops" stop TERM 0
	check "and takes all of it back" as_before
	killed
	start -i wan
	check "a next start without NAT66" until_true said "wan: 203.0.113.2 ($hook), ports 20000-29999"
	check "takes its rules back at once" is rules "$boot_rules"
	check "next start without NAT66: stops" stop TERM 0
	check "next start without NAT66: all as it was" as_before
}

# One family cannot be loaded: nothing starts, and it is said which. The loads of IPv6's programs come after IPv4's.
test_failure()
{
	if ! strace -qq -o /dev/null true 2>/dev/null; then
		skip "a family that fails" "strace is not there, or may not trace"
		return
	fi
	router timeout 2 strace -qq -e trace=bpf -o "$tmp/strace" "$EINAT" -i wan --nat44 2>/dev/null
	calls=$(grep -n -e BPF_LINK_CREATE -e TCX "$tmp/strace" | sed -n '1s/:.*//p')
	router timeout 5 strace -qq -o /dev/null -e trace=bpf -e "inject=bpf:error=EINVAL:when=$((${calls:-60} + 4))+" \
		"$EINAT" -i wan --nat44 --nat66 >"$tmp/out" 2>&1
	check "NAT66 fails: exit status 1" [ $? -eq 1 ]
	cp "$tmp/out" "$tmp/check"
	check "NAT66 fails: said which" grep -qx "einat: wan: NAT66 failed" "$tmp/out"
	check "NAT66 fails: all as it was" as_before
}

if ! topology 2>/dev/null; then
	echo "1..0 # SKIP network namespaces need root"
	exit 0
fi
test_costs_nothing_while_off
test_clsact
test_hairpin_routing
test_traffic
test_neighbours
test_addresses
test_detection
test_interface
test_killed
test_failure
echo "1..$checks"
