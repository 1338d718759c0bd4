# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034 # variables that the tests use
#
# A router with two external interfaces between its LAN and the Internet, for tests that send packets through it:
#
#   192.168.1.100, .200            203.0.113.2/24       203.0.113.1  198.51.100.1
#   fd00::100, ::200               2001:db8:203::2/64   ...:203::1   2001:db8:198::1
#                                    wan ---------------- eth0
#   [inside] eth0 ------- lan [router]                   [outside]
#                192.168.1.1         wan2 --------------- eth1
#                fd00::1           192.0.2.2/24         192.0.2.1    198.51.100.2
#                                  2001:db8:192::2/64   ...:192::1   2001:db8:198::2
#
# Three network namespaces. The servers (port 7000, and a stranger with each, .11 and .12, ::11 and ::12) are behind the link
# that is drawn beside them. The outside has no route to the LAN, so nothing that is not translated is answered.

# shellcheck source=src/tests/harness.sh
. "$(dirname "$0")/harness.sh"

in_ns=$ns-inside
out_ns=$ns-outside
namespaces="$in_ns $ns $out_ns"
server=198.51.100.1:7000 server2=198.51.100.2:7000
server6='[2001:db8:198::1]:7000' server26='[2001:db8:198::2]:7000'

inside() { ip netns exec "$in_ns" "$@"; }
outside() { ip netns exec "$out_ns" "$@"; }

# link_join NAME FAR: addresses and routes of an external link that is there
link_join()
{
	case $1 in
	wan) net=203.0.113 net6=2001:db8:203 n=1 ;;
	wan2) net=192.0.2 net6=2001:db8:192 n=2 ;;
	esac
	for command in "address add $net.1/24 dev $2" "address add $net6::1/64 dev $2 nodad" "link set $2 up"; do
		# shellcheck disable=SC2086 # words
		ip -n "$out_ns" $command
	done
	for command in "address add $net.2/24 dev $1" "address add $net6::2/64 dev $1 nodad" "link set $1 up"; do
		# shellcheck disable=SC2086 # words
		ip -n "$ns" $command
	done
	routes_add "$1" "$n"
	until_true settled "$1"
}

# settled INTERFACE...: has the kernel made the link-local address and the multicast route that it makes by itself?
settled()
{
	for interface; do
		ip -n "$ns" -6 address show dev "$interface" scope link | grep -q 'inet6 fe80:' || return 1
		ip -n "$ns" -6 route show table local dev "$interface" | grep -q '^multicast ff00::/8' || return 1
	done
}

# routes_add NAME N: to the servers that are behind this link. By the device alone where no neighbours are asked for.
routes_add()
{
	case $1 in
	wan) net=203.0.113 net6=2001:db8:203 ;;
	wan2) net=192.0.2 net6=2001:db8:192 ;;
	esac
	ip -n "$ns" route replace "198.51.100.$2" via "$net.1" dev "$1"
	ip -n "$ns" route replace "198.51.100.1$2" via "$net.1" dev "$1"
	ip -n "$ns" -6 route replace "2001:db8:198::$2" via "$net6::1" dev "$1"
	ip -n "$ns" -6 route replace "2001:db8:198::1$2" via "$net6::1" dev "$1"
}

wan_add()
{
	ip -n "$ns" link add wan address 02:00:00:00:00:01 type veth peer name eth0 netns "$out_ns"
	link_join wan eth0
}

wan2_add()
{
	ip -n "$ns" link add wan2 address 02:00:00:00:00:02 type veth peer name eth1 netns "$out_ns"
	link_join wan2 eth1
}

lan_add()
{
	ip -n "$ns" link add lan type veth peer name eth0 netns "$in_ns"
	for address in 192.168.1.100/24 192.168.1.200/24 "fd00::100/64 nodad" "fd00::200/64 nodad"; do
		# shellcheck disable=SC2086 # words
		ip -n "$in_ns" address add $address dev eth0
	done
	ip -n "$in_ns" link set eth0 up
	ip -n "$in_ns" route add default via 192.168.1.1
	ip -n "$in_ns" -6 route add default via fd00::1
	ip -n "$ns" address add 192.168.1.1/24 dev lan
	ip -n "$ns" address add fd00::1/64 dev lan nodad
	ip -n "$ns" link set lan up
}

topology()
{
	for namespace in $namespaces; do
		ip netns add "$namespace" || return 1
		ip netns exec "$namespace" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv4.conf.all.promote_secondaries=1
		ip -n "$namespace" link set lo up
	done
	router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	lan_add
	wan_add
	wan2_add
	for address in 198.51.100.1 198.51.100.2 198.51.100.11 198.51.100.12; do
		ip -n "$out_ns" address add $address/32 dev lo
		ip -n "$out_ns" address add "2001:db8:198::${address##*.}/128" dev lo nodad
	done
	for endpoint in $server $server2 $server6 $server26; do
		for protocol in udp tcp; do
			outside "$PEER" serve $protocol "$endpoint" >/dev/null &
		done
	done
	until_true served
	until_true settled lan wan wan2
	state "$tmp/before"
}

# The servers answer, by a route that needs nobody to translate.
served()
{
	for endpoint in $server $server2 $server6 $server26; do
		for protocol in udp tcp; do
			case $endpoint in
			\[*) from='[::]:0' ;;
			*) from=0.0.0.0:0 ;;
			esac
			outside "$PEER" ask $protocol "$from" "$endpoint" -w 100 || return 1
		done
	done
}

sysctls="net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.all.accept_local net.ipv4.conf.all.rp_filter
net.ipv4.conf.lan.rp_filter net.ipv4.conf.default.rp_filter net.ipv4.conf.default.accept_local"

# shellcheck disable=SC2086 # words
state() { router "$NETSTATE" $sysctls >"$1"; }

rules() { ip -n "$ns" rule show | tr -s '\t' ' ' | sed 's/ *$//; s/ proto [0-9a-z]*$//'; }
rules6() { ip -n "$ns" -6 rule show | tr -s '\t' ' ' | sed 's/ *$//; s/ proto [0-9a-z]*$//'; }
# of a table: route_table TABLE
route_table() { ip -n "$ns" route show table "$1" 2>/dev/null | sed 's/ *$//'; }
route() { route_table 4787; }
neighbour() { ip -n "$ns" -4 neighbour show nud permanent | sed 's/ *$//' | sort; }
attached() { router "$NETSTATE" | grep -c -e "^tcx dev $1 " -e "^filter dev $1 .*handle 0x[0-9a-f]*e1a[46] "; }
is_attached() { [ "$(attached "$1")" -eq "$2" ]; }

boot_rules="0: from all lookup local
32766: from all lookup main
32767: from all lookup default"

# sees WHERE ANSWER PROTOCOL FROM TO: who does the one that is asked say that asked?
sees()
{
	where=$1 answer="you $2"
	got=$("$where" "$PEER" ask "$3" "$4" "$5" -w 10000 2>&1)
	echo "$got"
	[ "$got" = "$answer" ]
}

# is_deaf WHERE PROTOCOL FROM TO: no answer at all, which takes a while to tell
is_deaf() { ! "$1" "$PEER" ask "$2" "$3" "$4" -w 300; }

# hold WHERE PROTOCOL FROM TO [OPTION...]: keeps a mapping open, in the background; what it hears is in $tmp/holder
hold()
{
	: >"$tmp/holder"
	in=$1
	shift
	ip netns exec "$in" "$PEER" hold "$@" >"$tmp/holder" 2>&1 &
	holder=$!
	until_true grep -q mapped "$tmp/holder"
}

unhold() { kill "$holder" && wait "$holder" 2>/dev/null; }
mapped() { tail -n 1 "$tmp/holder"; }

hook_find()
{
	until_true grep -q '(\(tcx\|clsact\))' "$tmp/log"
	hook=$(sed -n 's/.*(\(tcx\|clsact\)).*/\1/p; /(/q' "$tmp/log" | head -n 1)
}

# topology_or_nothing WHAT: may we make namespaces? Ends the test where not.
topology_or_nothing()
{
	topology 2>"$tmp/topology" && return
	echo "# SKIPPED: network namespaces need root. NOTHING of $1 was tested." >&2
	echo "1..0 # SKIP needs root"
	exit 0
}
