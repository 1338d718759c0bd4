#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A server that shares the router's external address: it is configured as if it were connected to the network outside, and
# its interface on the router, dmz, is not configured at all. The LAN and the Internet of network.sh, and
#
#   [server] eth0 ------- dmz [router]
#   203.0.113.2/24        no address
#   its gateway is 203.0.113.1, outside

# shellcheck source=src/tests/network.sh
. "$(dirname "$0")/network.sh"

RAW=${RAW:-$top/build/$(uname -m)/peers/raw}
server_ns=$ns-server
namespaces="$namespaces $server_ns"
external=203.0.113.2
remote=198.51.100.1
host=192.168.1.100

on_server() { ip netns exec "$server_ns" "$@"; }

dmz_add()
{
	ip -n "$ns" link add dmz address 02:00:00:00:00:03 type veth peer name eth0 netns "$server_ns"
	ip -n "$server_ns" address add $external/24 dev eth0
	ip -n "$server_ns" link set eth0 up
	ip -n "$server_ns" route add default via 203.0.113.1
	ip -n "$ns" link set dmz up
	until_true settled_dmz
}

# The link-local address of IPv6, which the kernel makes by itself.
settled_dmz() { settled dmz && ip -n "$server_ns" -6 address show dev eth0 scope link | grep -q 'inet6 fe80:'; }

services=
# serve NAMESPACE PROGRAM...: in the background, until unserve
serve()
{
	in=$1
	shift
	: >"$tmp/service"
	ip netns exec "$in" "$@" >"$tmp/service" 2>&1 &
	services="$services $!"
	until_true grep -q serving "$tmp/service"
}

unserve()
{
	# shellcheck disable=SC2086 # numbers
	kill $services 2>/dev/null
	wait_for_services
	services=
}

wait_for_services() { for one in $services; do wait "$one" 2>/dev/null; done; }

write_config()
{
	cat >"$tmp/einat.toml" <<-TOML
		[[interfaces]]
		if_name = "wan"
		nat44 = true
		$1
	TOML
}

designated='designated_server.if_name = "dmz"'
ready_line() { printf 'wan: %s (%s), ports 20000-29999%s' $external "$hook" "$1"; }
is_ready() { until_true said "$(ready_line "$1")" || { cat "$tmp/log" && false; }; }

start_designated()
{
	write_config "$designated"
	start -c "$tmp/einat.toml"
	hook_find
	is_ready ", designated server behind dmz"
}

# asks WHERE PROTOCOL TO ANSWER: of a protocol without ports
asks()
{
	got=$("$1" "$RAW" ask "$2" "$3" "$4")
	echo "$got"
	[ "$got" = "you $4" ]
}

designated_rules="110: from 203.0.113.2 iif dmz goto 112
111: from all iif dmz blackhole
112: from all fwmark 0x12b4 lookup 4788
112: from all iif lo ipproto tcp dport 20000-29999 lookup 4789
112: from all iif lo ipproto udp dport 20000-29999 lookup 4789
112: from all iif dmz ipproto tcp dport 20000-29999 lookup 4789
112: from all iif dmz ipproto udp dport 20000-29999 lookup 4789
113: from 0.0.0.0 iif lo lookup local
113: from 203.0.113.2 iif lo lookup local
113: from all iif wan lookup local
114: from all iif dmz lookup 4788
114: from all iif lo lookup 4788
115: from all lookup 4789
200: from all lookup local
32766: from all lookup main
32767: from all lookup default"

test_routing()
{
	check "rules" is_sorted rules "$designated_rules"
	check "what is for the server goes to its interface" [ "$(route_table 4788)" = "203.0.113.2 dev dmz proto 78 scope link src 203.0.113.2" ]
	check "all else to the address goes to wan" [ "$(route_table 4789)" = "203.0.113.2 dev wan proto 78 scope link src 203.0.113.2" ]
}

# WHEN
test_from_outside()
{
	check "$1: TCP from outside reaches the server" sees outside $remote:40000 tcp $remote:40000 $external:80
	check "$1: UDP" sees outside $remote:40000 udp $remote:40000 $external:53
	check "$1: UDP to a managed port that nobody has" sees outside $remote:40000 udp $remote:40000 $external:25000
	check "$1: SCTP's number" asks outside 132 $external $remote
	check "$1: GRE's number" asks outside 47 $external $remote
	check "$1: a ping" outside "$tmp/echo" $external
	check "$1: it was the server that was pinged" server_was_pinged
}

# shellcheck disable=SC2016 # awk's
pings() { on_server awk '/^Icmp:/ { if (names) print $column; else for (i = 1; i <= NF; i++) if ($i == "InEchos") column = i; names = 1 }' /proc/net/snmp; }

server_was_pinged()
{
	before=$(pings)
	outside "$tmp/echo" $external
	[ "$(pings)" -eq $((before + 1)) ]
}

test_to_outside()
{
	check "$1: the server's TCP leaves as it is" sees on_server $external:5000 tcp $external:5000 $server
	check "$1: UDP" sees on_server $external:5000 udp $external:5000 $server
	check "$1: TCP from a managed port" sees on_server $external:25001 tcp $external:25001 $server
	check "$1: UDP from a managed port" sees on_server $external:25001 udp $external:25001 $server
	check "$1: ESP's number" asks on_server 50 $remote $external
	check "$1: it pings" on_server "$tmp/echo" $remote
	check "$1: it pings the gateway, to which the router stands in the way" on_server "$tmp/echo" 203.0.113.1
}

test_lan()
{
	check "$1: the LAN reaches the server, which sees its own address, by TCP" \
		sees inside $host:40000 tcp $host:40000 $external:80
	check "$1: UDP" sees inside $host:40000 udp $host:40000 $external:53
	check "$1: SCTP's number" asks inside 132 $external $host
	check "$1: a ping" inside "$tmp/echo" $external
	check "$1: the server reaches the LAN" sees on_server $external:5001 tcp $external:5001 $host:8080
	check "$1: UDP" sees on_server $external:5001 udp $external:5001 $host:8080
	check "$1: a ping" on_server "$tmp/echo" $host
	check "$1: the server reaches the router, by its address inside" on_server "$tmp/echo" 192.168.1.1
	check "$1: the LAN is translated" sees inside $external:22000 tcp $host:22000 $server
	hold "$in_ns" udp $host:24000 $server
	check "$1: by the same mapping to another, which has not been asked" \
		sees outside 198.51.100.11:5000 udp 198.51.100.11:5000 $external:24000
	check "$1: the mapping is $external:24000" [ "$(head -n 1 "$tmp/holder")" = "mapped $external:24000" ]
	unhold
	check "$1: it pings" inside "$tmp/echo" $remote
}

test_router()
{
	serve "$ns" "$PEER" serve tcp $external:2222
	serve "$ns" "$PEER" serve udp $external:2222
	check "$1: the router's own listener is kept" sees outside $remote:40001 tcp $remote:40001 $external:2222
	check "$1: and its UDP socket" sees outside $remote:40001 udp $remote:40001 $external:2222
	check "$1: from the LAN, too, by the external address" sees inside $external:23000 tcp $host:23000 $external:2222
	check "$1: the router asks from a port that is not managed" sees router $external:5002 tcp $external:5002 $server
	check "$1: and by UDP" sees router $external:5002 udp $external:5002 $server
	check "$1: it pings" router "$tmp/echo" $remote
	check "$1: it asks itself" sees router $external:5003 tcp $external:5003 $external:2222
}

services_start()
{
	services=
	serve "$server_ns" "$PEER" serve tcp $external:80
	serve "$server_ns" "$PEER" serve udp $external:53
	serve "$server_ns" "$PEER" serve udp $external:25000
	serve "$server_ns" "$RAW" serve 132 $external
	serve "$server_ns" "$RAW" serve 47 $external
	serve "$out_ns" "$RAW" serve 50 $remote
	serve "$in_ns" "$PEER" serve tcp $host:8080
	serve "$in_ns" "$PEER" serve udp $host:8080
}

# The firewall of the router sees what is forwarded to the server, and its mark.
test_firewall()
{
	serve "$server_ns" "$PEER" serve tcp $external:80
	router nft -f - <<-RULES
		table ip designated_test {
			chain forward {
				type filter hook forward priority filter
				iifname "wan" oifname "dmz" meta mark 4788 tcp dport 80 drop
			}
		}
	RULES
	check "the router's firewall keeps who is outside from the server" is_deaf outside tcp $remote:40004 $external:80
	check "and not the LAN, of which it says nothing" sees inside $host:40004 tcp $host:40004 $external:80
	router nft delete table ip designated_test
	check "without that rule" sees outside $remote:40005 tcp $remote:40005 $external:80
	unserve
}

test_all()
{
	services_start
	test_from_outside "$1"
	test_to_outside "$1"
	test_lan "$1"
	test_router "$1"
	unserve
}

# How many datagrams have got anywhere.
# shellcheck disable=SC2016 # awk's
heard()
{
	for where in inside router outside; do
		$where awk '/^Udp:/ && names { print $2 + $3 } /^Udp:/ { names = 1 }' /proc/net/snmp
	done | awk '{ n += $1 } END { print n }'
}

# The kernel's count, of all namespaces, of packets that it has no route for.
unrouted()
{
	tail -n +2 /proc/net/stat/rt_cache | while read -r _ _ _ _ number _; do echo $((0x$number)); done | awk '{ n += $1 } END { print n }'
}

# sends FROM: the server does, by UDP, to the Internet, to the LAN, and to the router; how many got there
sends()
{
	before=$(heard)
	for to in $server $host:8080 192.168.1.1:2223; do
		on_server "$PEER" ask udp "$1:5010" "$to" -w 100 >/dev/null 2>&1
	done
	echo $(($(heard) - before))
}

# Its interface's settings let any source in. The rules do not.
test_sources()
{
	check "$1: what the server sends from its address arrives" [ "$(sends $external)" -eq 3 ]
	for from in 192.168.1.1 192.168.1.101 203.0.113.9 198.51.100.77; do
		ip -n "$server_ns" address add $from/32 dev eth0
		before_them=$(unrouted)
		check "$1: not from $from" [ "$(sends $from)" -eq 0 ]
		check "$1: from $from: the kernel counts it" [ "$(unrouted)" -ge $((before_them + 2)) ] # to itself it does not send
		ip -n "$server_ns" address delete $from/32 dev eth0
	done
	ip -n "$server_ns" address add 192.168.7.9/24 dev eth0
	check "$1: from the network of dmz: $2" [ "$(sends 192.168.7.9)" -eq "$2" ]
	ip -n "$server_ns" address delete 192.168.7.9/24 dev eth0
}

test_goes_and_comes()
{
	ip -n "$ns" link delete dmz
	check "dmz gone: said" until_true said \
		"warning: wan: the designated server's interface dmz is not there, or down: waiting for it"
	check "its interface goes: so do the rules" is rules "$boot_rules"
	check "a ping is the router's" outside "$tmp/echo" $external
	check "LAN and Internet do not notice" sees inside $external:22001 tcp $host:22001 $server
	dmz_add
	check "its interface comes again: so do the rules" is_sorted rules "$designated_rules"
	until_true prepared
	test_all "made anew"
	ip -n "$ns" link set dmz down
	check "it goes down: the rules go" is rules "$boot_rules"
	ip -n "$ns" link set dmz up
	check "it comes up: the rules come" is_sorted rules "$designated_rules"
	until_true settled_dmz
	check "dmz is prepared" until_true prepared
	ip -n "$ns" route show dev wan >"$tmp/wan-routes"
	ip -n "$ns" address delete $external/24 dev wan
	check "without an external address there are no rules" is rules "$boot_rules"
	check "nor does dmz let any source in" until_true not prepared
	ip -n "$ns" address add $external/24 dev wan
	while read -r route; do
		# shellcheck disable=SC2086 # words
		ip -n "$ns" route replace $route dev wan
	done <"$tmp/wan-routes"
	check "the address comes again: so do the rules" is_sorted rules "$designated_rules"
	check "and dmz is prepared again" until_true prepared
}

prepared() { [ "$(router sysctl -n net.ipv4.conf.dmz.accept_local)" -eq 1 ]; }

test_twin()
{
	write_config ""
	start -c "$tmp/einat.toml"
	hook_find
	is_ready ""
	services_start
	check "without the key nobody is reached" is_deaf outside tcp $remote:40002 $external:80
	check "by no protocol" not asks outside 132 $external $remote
	check "nor from the LAN" is_deaf inside udp $host:40002 $external:53
	check "the server reaches nobody" is_deaf on_server udp $external:5004 $server
	unserve
	check "without the key: stops" stop TERM 0
}

test_killed()
{
	start_designated
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	check "killed: it is not as it was" not as_before
	check "killed: cleanup" router "$EINAT" cleanup
	check "killed: then it is as it was" as_before
	check "killed: the next cleanup finds nothing" says 0 "einat: nothing was left" router "$EINAT" cleanup
	start_designated
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	write_config ""
	start -c "$tmp/einat.toml"
	check "killed: one without the key starts" is_ready ""
	check "killed: and stops" stop TERM 0
	check "killed: all is as it was" as_before
	start_designated
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	check "killed: the same again" start_designated
	services_start
	test_from_outside "taken over"
	unserve
	check "killed: and stops" stop TERM 0
	check "killed: it remembers what was at first" as_before
	start_designated
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	rm -r "$RUNTIME_DIRECTORY" # as systemd does
	check "killed, and its runtime directory with it: the same again" start_designated
	check "killed, and its runtime directory with it: stops" stop TERM 0
	check "killed, and its runtime directory with it: it remembers what was at first" as_before
}

# renamed FROM TO: before Linux 6.3 not while it is up
renamed()
{
	ip -n "$ns" link set "$1" down
	ip -n "$ns" link set "$1" name "$2"
	ip -n "$ns" link set "$2" up
}

has_mark() { ip -n "$ns" link show "$1" | grep 'altname einat-before-'; }

# What it was goes with the interface, whatever that is called.
test_renamed()
{
	start_designated
	check "its other name says what it was" has_mark dmz
	renamed dmz dmz2
	check "renamed: the rules go" is rules "$boot_rules"
	check "renamed: stops" stop TERM 0
	check "renamed: the other name is gone" not has_mark dmz2
	renamed dmz2 dmz
	until_true settled_dmz
	check "renamed: as it was" as_before
	start_designated
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	renamed dmz dmz2
	check "killed, renamed: cleanup" router "$EINAT" cleanup
	check "killed, renamed: the other name is gone" not has_mark dmz2
	renamed dmz2 dmz
	until_true settled_dmz
	check "killed, renamed: as it was" as_before
}

# A static mapping is not the server's, managed or not, from outside and from inside.
test_forward()
{
	write_config "$designated
		[[interfaces.forwards]]
		protocol = [\"tcp\", \"udp\"]
		external_port = 80
		internal_address = \"$host\"
		internal_port = 8080"
	start -c "$tmp/einat.toml"
	until_true grep -q 'designated server' "$tmp/log"
	until_true prepared
	services_start
	for protocol in tcp udp; do
		check "forward: $protocol goes to the LAN host" sees outside $remote:40003 $protocol $remote:40003 $external:80
		check "forward: $protocol from the LAN, too" sees inside $external:23005 $protocol $host:23005 $external:80
	done
	serve "$server_ns" "$PEER" serve tcp $external:81
	check "forward: its neighbour is the server's" sees outside $remote:40003 tcp $remote:40003 $external:81
	check "forward: from the LAN, too" sees inside $host:23006 tcp $host:23006 $external:81
	unserve
	check "forward: stops" stop TERM 0
	check "forward: as it was" as_before
}

# With `persist` it all goes on without a daemon, and the next one takes it over.
test_persist()
{
	export EINAT_BPFFS="$tmp/bpf"
	mkdir "$EINAT_BPFFS"
	if ! mount -t bpf bpf "$EINAT_BPFFS" 2>/dev/null; then
		skip "persist" "needs a BPF file system"
		return
	fi
	trap 'umount "$EINAT_BPFFS"; cleanup' EXIT
	write_config "persist = true
		$designated"
	start -c "$tmp/einat.toml"
	is_ready ", designated server behind dmz"
	services_start
	check "persist: stops" stop TERM 0
	test_from_outside "persist, no daemon"
	check "persist, no daemon: from the LAN" sees inside $host:40009 tcp $host:40009 $external:80
	start -c "$tmp/einat.toml"
	check "persist: the next one starts" is_ready ", designated server behind dmz"
	test_from_outside "persist, the next one"
	unserve
	check "persist: stops again" stop TERM 0
	check "persist: cleanup" router "$EINAT" cleanup
	check "persist: then it is as it was" as_before
	umount "$EINAT_BPFFS"
	trap cleanup EXIT
	unset EINAT_BPFFS
}

test_reload()
{
	write_config ""
	start -c "$tmp/einat.toml"
	is_ready ""
	write_config "$designated"
	kill -HUP "$pid"
	check "SIGHUP: the server comes" is_ready ", designated server behind dmz"
	services_start
	test_from_outside "SIGHUP"
	unserve
	write_config ""
	kill -HUP "$pid"
	check "SIGHUP: the server goes" is rules "$boot_rules"
	check "SIGHUP: stops" stop TERM 0
	check "SIGHUP: as it was" as_before
}

# What the administrator has set is put back; what is changed meanwhile stays.
test_settings()
{
	router sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.dmz.rp_filter=1 net.ipv4.conf.lan.rp_filter=1 \
		net.ipv4.conf.wan.rp_filter=1
	ip -n "$ns" address add 192.168.7.1/24 dev dmz
	mv "$tmp/before" "$tmp/usual"
	state "$tmp/before"
	check "strict rp_filter: starts" start_designated
	test_all "strict rp_filter"
	test_sources "strict rp_filter" 3
	check "strict rp_filter: stops" stop TERM 0
	check "strict rp_filter: as it was" as_before
	start_designated
	router sysctl -qw net.ipv4.conf.dmz.proxy_arp=0
	check "changed meanwhile: stops" stop TERM 0
	check "changed meanwhile: as it was" as_before
	router sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.dmz.rp_filter=0 net.ipv4.conf.lan.rp_filter=0 \
		net.ipv4.conf.wan.rp_filter=0
	ip -n "$ns" address delete 192.168.7.1/24 dev dmz
	mv "$tmp/usual" "$tmp/before"
	check "settings: as at first" as_before
}

topology_or_nothing "the designated server"
for namespace in $namespaces; do
	ip netns exec "$namespace" sysctl -qw net.ipv4.ping_group_range="0 2147483647"
done
"${CC:-cc}" -Wall -Wextra -o "$tmp/echo" "$top/src/tests/echo.c"
dmz_add
sysctls="$sysctls net.ipv4.conf.dmz.accept_local net.ipv4.conf.dmz.rp_filter net.ipv4.conf.dmz.proxy_arp
net.ipv4.conf.dmz.arp_ignore net.ipv4.conf.all.arp_ignore"
state "$tmp/before"

test_twin
check "designated server: starts" start_designated
test_routing
test_all "usual"
test_sources "usual" 0
test_firewall
test_goes_and_comes
check "designated server: stops" stop TERM 0
check "designated server: all is as it was" as_before
test_settings
test_killed
test_renamed
test_forward
test_persist
test_reload
echo "1..$checks"
