#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hairpin routing under traffic: for both families, several internal interfaces and each protocol, beside foreign policy rules
# and tables, with strict and loose rp_filter, and while an internal interface comes and goes. The LAN of network.sh, and
#
#   [second] eth0 ------- lan2 [router]
#   192.168.2.100         192.168.2.1
#   fd00:2::100           fd00:2::1

# shellcheck source=src/tests/network.sh
. "$(dirname "$0")/network.sh"

second_ns=$ns-second
namespaces="$namespaces $second_ns"
external=203.0.113.2
external6=2001:db8:203::2

second() { ip netns exec "$second_ns" "$@"; }

lan2_add()
{
	ip -n "$ns" link add lan2 address 02:00:00:00:00:12 type veth peer name eth0 netns "$second_ns"
	ip -n "$second_ns" address add 192.168.2.100/24 dev eth0
	ip -n "$second_ns" address add fd00:2::100/64 dev eth0 nodad
	ip -n "$second_ns" link set eth0 up
	ip -n "$second_ns" route add default via 192.168.2.1
	ip -n "$second_ns" -6 route add default via fd00:2::1
	ip -n "$ns" address add 192.168.2.1/24 dev lan2
	ip -n "$ns" address add fd00:2::1/64 dev lan2 nodad
	ip -n "$ns" link set lan2 up
	until_true settled lan2
}

# start_hairpin PROTOCOLS: as TOML has them
start_hairpin()
{
	cat >"$tmp/hairpin.toml" <<-TOML
		[[interfaces]]
		if_name = "wan"
		nat44 = true
		nat66 = true
		ipv4_hairpin_route = { internal_if_names = ["lo", "lan", "lan2"], ip_protocols = [$1] }
		ipv6_hairpin_route = { internal_if_names = ["lo", "lan", "lan2"], ip_protocols = [$1] }
	TOML
	start -c "$tmp/hairpin.toml"
	hook_find
	until_true ready || { cat "$tmp/log" && false; }
}

ready() { [ "$(grep -c "^einat: wan: .*, hairpin lo lan lan2" "$tmp/log")" -eq 2 ]; }

# serve WHERE PROTOCOL ENDPOINT: in the background, until unserve
serve()
{
	ip netns exec "$1" "$PEER" serve "$2" "$3" >"$tmp/service" 2>&1 &
	service=$!
	until_true grep -q serving "$tmp/service"
}

unserve() { kill "$service" && wait "$service" 2>/dev/null; }

# hosts WHEN PROTOCOL EXTERNAL LAN LAN2 SERVER: one inside is reached by the external address from everywhere inside
hosts()
{
	hold "$in_ns" "$2" "$4:24000" "$6"
	check "$1, $2 to $3: from another interface" sees second "$3:25000" "$2" "$5:25000" "$3:24000"
	check "$1, $2 to $3: from the host itself" sees inside "$3:25001" "$2" "$4:25001" "$3:24000"
	check "$1, $2 to $3: from the router" sees router "$3:25002" "$2" "$3:25002" "$3:24000"
	unhold
	hold "$second_ns" "$2" "$5:24001" "$6"
	check "$1, $2 to $3: and the other way" sees inside "$3:25003" "$2" "$4:25003" "$3:24001"
	unhold
	serve "$ns" "$2" "$3:8080"
	check "$1, $2 to $3: the router's own service" sees inside "$3:25004" "$2" "$4:25004" "$3:8080"
	check "$1, $2 to $3: the router's own service, from the other interface" \
		sees second "$3:25005" "$2" "$5:25005" "$3:8080"
	unserve
}

all_hosts()
{
	for protocol in udp tcp; do
		hosts "$1" $protocol $external 192.168.1.100 192.168.2.100 $server
		hosts "$1" $protocol "[$external6]" '[fd00::100]' '[fd00:2::100]' "$server6"
	done
}

# wanted_rules PROTOCOL...: with these protocols, up to the main table
wanted_rules()
{
	for protocol; do
		for interface in lo lan lan2; do
			echo "100: from all iif $interface ipproto $protocol lookup 4787"
		done
	done
	echo "200: from all lookup local"
	echo "32766: from all lookup main"
}

test_families_and_interfaces()
{
	check "IPv4 and IPv6, several internal interfaces: starts" start_hairpin '"tcp", "udp"'
	check "IPv4: rules for each interface and protocol" is rules "$(wanted_rules tcp udp)
32767: from all lookup default"
	check "IPv6: rules for each interface and protocol" is rules6 "$(wanted_rules tcp udp)"
	all_hosts "hairpin"
	check "several internal interfaces: stops" stop TERM 0
	check "several internal interfaces: as it was" as_before
	check "without us nobody is reached so" is_deaf inside udp 192.168.1.100:25000 $external:24000
}

# only PROTOCOL OTHER: hairpinning for the one leaves the other alone
only()
{
	check "$1 alone: starts" start_hairpin "\"$1\""
	check "$1 alone: rules" is rules "$(wanted_rules "$1")
32767: from all lookup default"
	hold "$in_ns" "$1" 192.168.1.100:24000 $server
	check "$1 alone: is hairpinned" sees second $external:25000 "$1" 192.168.2.100:25000 $external:24000
	unhold
	hold "$in_ns" "$2" 192.168.1.100:24000 $server
	check "$1 alone: $2 is not" is_deaf second "$2" 192.168.2.100:25000 $external:24000
	unhold
	check "$1 alone: stops" stop TERM 0
	check "$1 alone: as it was" as_before
}

# pings ADDRESS: an echo request from inside, answered?
pings() { inside "$tmp/echo" "$1"; }

# came_back: has the LAN seen an echo request from the external address, which is what a hairpinned one looks like?
came_back() { ! inside nft list ruleset | grep "$1" | grep -q 'packets 0 '; }

test_protocols()
{
	only udp tcp
	only tcp udp
	"${CC:-cc}" -Wall -Wextra -o "$tmp/echo" "$top/src/tests/echo.c"
	inside sysctl -qw net.ipv4.ping_group_range="0 2147483647"
	inside nft -f - <<-RULES
		table inet seen {
			chain input {
				type filter hook prerouting priority raw
				icmp type echo-request ip saddr $external counter
				icmpv6 type echo-request ip6 saddr $external6 counter
			}
		}
	RULES
	check "udp alone: starts" start_hairpin '"udp"'
	for address in $external $external6; do
		check "without icmp: the router answers for $address" pings "$address"
		check "without icmp: itself" not came_back "$address"
	done
	check "udp alone: stops" stop TERM 0
	check "icmp: starts" start_hairpin '"icmp"'
	check "icmp: rules" is rules "$(wanted_rules icmp)
32767: from all lookup default"
	check "icmp: rules for IPv6" is rules6 "$(wanted_rules ipv6-icmp)"
	for address in $external $external6; do
		check "icmp: an answer from $address" pings "$address"
		check "icmp: hairpinned" came_back "$address"
	done
	check "icmp: stops" stop TERM 0
	check "icmp: as it was" as_before
	inside nft delete table inet seen
}

# filter VALUE: of every interface, those to come, too
filter()
{
	for interface in all default lan lan2 wan wan2; do
		router sysctl -qw net.ipv4.conf.$interface.rp_filter="$1"
	done
}

test_rp_filter()
{
	for how in "1 strict" "2 loose"; do
		filter "${how% *}"
		state "$tmp/before"
		check "${how#* } rp_filter: starts" start_hairpin '"tcp", "udp"'
		for protocol in udp tcp; do
			hosts "${how#* } rp_filter" $protocol $external 192.168.1.100 192.168.2.100 $server
			check "${how#* } rp_filter, $protocol: and out" \
				sees inside $external:22000 $protocol 192.168.1.100:22000 $server
		done
		check "${how#* } rp_filter: stops" stop TERM 0
		check "${how#* } rp_filter: as it was" as_before
	done
	filter 0
	state "$tmp/before"
}

# An administrator's: one rule in front of ours, one between ours and the local table's, one behind, each with its table.
foreign()
{
	for family in -4 -6; do
		ip -n "$ns" $family rule "$1" pref 50 fwmark 7 lookup 100
		ip -n "$ns" $family rule "$1" pref 150 iif lan2 ipproto udp dport 9000 lookup 101
		ip -n "$ns" $family rule "$1" pref 300 iif lan2 ipproto udp dport 9001 lookup 101
	done
	ip -n "$ns" route "$1" unreachable default table 100
	ip -n "$ns" -6 route "$1" unreachable default table 100
	ip -n "$ns" route "$1" default via 192.0.2.1 dev wan2 table 101
	ip -n "$ns" -6 route "$1" default via 2001:db8:192::1 dev wan2 table 101
	ip -n "$ns" route "$1" 192.0.2.128/25 dev lan table 4788
}

through_wan2() { outside nft list ruleset | grep "dport $1" | grep -qv 'packets 0 '; }

test_foreign()
{
	foreign add
	outside nft -f - <<-RULES
		table inet seen {
			chain input {
				type filter hook prerouting priority raw
				iifname "eth1" udp dport 9000 counter
				iifname "eth1" udp dport 9001 counter
			}
		}
	RULES
	state "$tmp/before"
	check "foreign policy rules and tables: starts" start_hairpin '"tcp", "udp"'
	all_hosts "foreign rules"
	for table in 100 101 4788; do
		check "foreign policy rules and tables: table $table is not used" [ "$(route_table $table | grep -c 'proto 78')" -eq 0 ]
	done
	for port in 9000 9001; do
		second "$PEER" ask udp 192.168.2.100:0 198.51.100.1:$port -w 50 >/dev/null 2>&1
		check "foreign policy rules and tables: packets to port $port still go as they say" through_wan2 $port
	done
	check "foreign policy rules and tables: stops" stop TERM 0
	check "foreign policy rules and tables: neither used nor removed" as_before
	outside nft delete table inet seen
	foreign del
	state "$tmp/before"
}

# A table that somebody else has filled, and whose routes our rules would lead to.
test_foreign_table()
{
	ip -n "$ns" route add 192.0.2.128/25 dev lan table 4787
	start_hairpin '"udp"'
	check "a table with foreign routes: warned of" said "warning: wan: hairpin table 4787 has IPv4 routes of others, which \
what comes from inside takes now: table_id names another"
	check "a table with foreign routes: IPv6 has none" [ "$(grep -c warning "$tmp/log")" -eq 1 ]
	check "a table with foreign routes: stops" stop TERM 0
	ip -n "$ns" route delete 192.0.2.128/25 dev lan table 4787
	ip -n "$ns" -6 route add 2001:db8:128::/48 dev lan table 4787
	start_hairpin '"udp"'
	check "a table with foreign routes: of IPv6 alone" \
		[ "$(grep warning "$tmp/log" | grep -o 'IPv[46]')" = IPv6 ]
	check "a table with foreign routes, IPv6: stops" stop TERM 0
	ip -n "$ns" -6 route delete 2001:db8:128::/48 dev lan table 4787
	check "a table with foreign routes: as it was" as_before
}

test_internal_goes()
{
	ip -n "$ns" link delete lan2
	cp "$tmp/before" "$tmp/with-lan2"
	check "an internal interface that is not there: starts" start_hairpin '"tcp", "udp"'
	hosts_of_lan "it is not there"
	lan2_add
	all_hosts "an internal interface comes"
	ip -n "$ns" link delete lan2
	hosts_of_lan "an internal interface goes"
	lan2_add
	ip -n "$ns" link set lan down
	ip -n "$ns" link set lan up
	ip -n "$ns" address add fd00::1/64 dev lan nodad
	until_true settled lan
	all_hosts "and comes again"
	check "an internal interface comes and goes: stops" stop TERM 0
	check "an internal interface comes and goes: as it was" as_before
}

hosts_of_lan()
{
	for protocol in udp tcp; do
		hold "$in_ns" $protocol 192.168.1.200:24100 $server
		check "$1: the other goes on, $protocol" \
			sees inside $external:25100 $protocol 192.168.1.100:25100 $external:24100
		unhold
	done
}

topology_or_nothing "hairpin routing"
lan2_add
state "$tmp/before"
test_families_and_interfaces
test_protocols
test_rp_filter
test_foreign
test_foreign_table
test_internal_goes
echo "1..$checks"
