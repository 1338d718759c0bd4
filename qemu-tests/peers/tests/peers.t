#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The programs of the test machines tell apart what they are there to tell
# apart: every kind of mapping and filtering that nftables can be made to do.
#
#   lan                       router                        wan
#   192.168.1.2 ---- lan 192.168.1.1
#   2001:db8:1::2        2001:db8:1::1
#                             wan 192.0.2.1    ------ 192.0.2.10, 192.0.2.11
#                                 2001:db8:2::1       2001:db8:2::10, ::11
#
# Three network namespaces of this machine. Needs root. PEERS is the folder of
# the programs, default build/<this machine>/peers.

# shellcheck source=toolchains/tap.sh
. "$(dirname "$0")/../../../toolchains/tap.sh"
PEERS=${PEERS:-$(dirname "$0")/../../../build/$(uname -m)/peers}
[ -x "$PEERS/stun-client" ] || {
	echo "Bail out! no programs in $PEERS: run make first"
	exit 1
}
if ! ip netns add "peers-probe-$$" 2>/dev/null; then
	echo "# SKIPPED: network namespaces need root. NOTHING of the peers' programs was tested."
	echo "1..0 # SKIP needs root"
	exit 0
fi
ip netns delete "peers-probe-$$"
for tool in "${CC:-cc}" nft tc; do
	command -v "$tool" >/dev/null || {
		echo "Bail out! needs $tool"
		exit 1
	}
done

lan=peers-lan-$$
router=peers-router-$$
wan=peers-wan-$$
tmp=$(mktemp -d)
server=192.0.2.10
alternate=192.0.2.11
client=192.168.1.2
port=20000
started=

cleanup()
{
	# shellcheck disable=SC2086 # a list
	[ -z "$started" ] || kill $started 2>/dev/null
	for name in "$lan" "$router" "$wan"; do
		ip netns delete "$name" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# Everything that may wait is bounded: a hung program is a failed check.
in_lan()	{ timeout 20 ip netns exec "$lan" "$@"; }
in_router()	{ timeout 20 ip netns exec "$router" "$@"; }
in_wan()	{ timeout 20 ip netns exec "$wan" "$@"; }

# start NAME NAMESPACE COMMAND...: in the background, and waits for its first line.
start()
{
	log=$tmp/$1
	where=$2
	shift 2
	: >"$log"
	timeout 120 ip netns exec "$where" "$@" >"$log" 2>&1 &
	last=$!
	started="$started $last"
	until_true [ -s "$log" ] || echo "# nothing heard of: $*"
}

# stop: the one started last.
stop()
{
	kill "$last" 2>/dev/null
	wait "$last" 2>/dev/null
}

# report STATUS WHAT: what was seen is in $tmp/seen.
report()
{
	checks=$((checks + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $checks - $2"
	else
		echo "not ok $checks - $2"
		sed 's/^/# /' "$tmp/seen"
	fi
}

# expect WHAT STATUS PATTERN COMMAND...: the exit status, and a line of the output.
expect()
{
	expectation=$1 status=$2 pattern=$3
	shift 3
	"$@" >"$tmp/seen" 2>&1
	seen=$?
	echo "exit status $seen" >>"$tmp/seen"
	[ $seen -eq "$status" ] && grep -qx -- "$pattern" "$tmp/seen"
	report $? "$expectation"
}

# behaves WHAT PROTOCOL MAPPING FILTERING, from a local port that is new.
behaves()
{
	port=$((port + 1))
	in_lan "$PEERS/stun-client" --mode full --protocol "$2" --localport $port --timeout 500 $server \
		>"$tmp/seen" 2>&1
	seen=$?
	echo "exit status $seen" >>"$tmp/seen"
	[ $seen -eq 0 ] && grep -qx "Behavior test: success" "$tmp/seen" &&
		grep -qx "Nat behavior: $3" "$tmp/seen" &&
		grep -qx "Filtering test: success" "$tmp/seen" &&
		grep -qx "Nat filtering: $4" "$tmp/seen"
	report $? "$1, $2: $3, $4"
}

# router_is POSTROUTING [PREROUTING [FORWARD]]: nft rules, and none of an earlier router.
router_is()
{
	in_router nft -f - <<-RULES || echo "# nft refused: $*"
		flush ruleset
		table ip nat {
			chain postrouting {
				type nat hook postrouting priority 100
				$1
			}
			chain prerouting {
				type nat hook prerouting priority -100
				${2:-}
			}
		}
		table inet filter {
			chain input {
				type filter hook input priority 0
				$refuse_strangers
			}
			chain forward {
				type filter hook forward priority 0
				${3:-}
			}
		}
	RULES
}

topology()
{
	for name in "$lan" "$router" "$wan"; do
		ip netns add "$name" && ip -n "$name" link set lo up
	done
	ip -n "$router" link add lan type veth peer name eth0 netns "$lan"
	ip -n "$router" link add wan type veth peer name eth0 netns "$wan"
	while read -r where interface address; do
		case $address in
		*:*)	ip -n "$where" address add "$address" dev "$interface" nodad ;;
		*)	ip -n "$where" address add "$address" dev "$interface" ;;
		esac
		ip -n "$where" link set "$interface" up
	done <<-ADDRESSES
		$lan eth0 192.168.1.2/24
		$lan eth0 2001:db8:1::2/64
		$router lan 192.168.1.1/24
		$router lan 2001:db8:1::1/64
		$router wan 192.0.2.1/24
		$router wan 192.0.2.2/24
		$router wan 2001:db8:2::1/64
		$wan eth0 192.0.2.10/24
		$wan eth0 192.0.2.11/24
		$wan eth0 2001:db8:2::10/64
		$wan eth0 2001:db8:2::11/64
	ADDRESSES
	ip -n "$lan" route add default via 192.168.1.1
	ip -n "$lan" route add default via 2001:db8:1::1
	ip -n "$wan" route add 192.168.1.0/24 via 192.0.2.1
	ip -n "$wan" route add 2001:db8:1::/64 via 2001:db8:2::1
	in_router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.wan.promote_secondaries=1
}

# Refused before they become connections of the router's, whose ports a
# connection from inside would then not get. A reset saves the server's patience.
refuse_strangers='iifname "wan" ct state new meta l4proto tcp reject with tcp reset
	iifname "wan" ct state new drop'
masquerade='oifname "wan" masquerade'
to_client="dport 20000-20999 dnat to $client"
independent="Endpoint Independent"
by_address="Address Dependent"
by_endpoint="Address and Port Dependent"

test_stun()
{
	start stun-server "$wan" "$PEERS/stun-server" $server $alternate
	for protocol in udp tcp; do
		router_is ""
		behaves "no NAT" $protocol "Direct Mapping" "$independent Filtering"
		router_is "" "" "$refuse_strangers"
		behaves "no NAT but a firewall" $protocol "Direct Mapping" "$by_endpoint Filtering"
		router_is "$masquerade"
		behaves "masquerade" $protocol "$independent Mapping" "$by_endpoint Filtering"
		router_is "$masquerade random"
		behaves "masquerade random" $protocol "$by_endpoint Mapping" "$by_endpoint Filtering"
		router_is "ip daddr $server meta l4proto $protocol masquerade to :$((port + 11001))
			ip daddr $alternate meta l4proto $protocol masquerade to :$((port + 12001))"
		behaves "a port for each remote address" $protocol "$by_address Mapping" "$by_endpoint Filtering"
		router_is "$masquerade" "iifname \"wan\" $protocol $to_client"
		behaves "masquerade, all forwarded back" $protocol "$independent Mapping" "$independent Filtering"
		router_is "$masquerade" "iifname \"wan\" ip saddr $server $protocol $to_client"
		behaves "masquerade, known addresses forwarded back" $protocol \
			"$independent Mapping" "$by_address Filtering"
	done
	router_is ""
	behaves "for the first time from this port" tcp "Direct Mapping" "$independent Filtering"
	port=$((port - 1))
	behaves "again at once" tcp "Direct Mapping" "$independent Filtering"
}

test_stun_failures()
{
	for protocol in udp tcp; do
		set -- in_lan "$PEERS/stun-client" --mode full --protocol $protocol --timeout 300
		router_is "" "" "ip daddr $alternate drop; ip saddr $alternate drop"
		expect "$protocol: an alternate address out of reach is no result" 1 "Behavior test: fail" \
			"$@" $server
		expect "$protocol: nor does its silence tell of filtering" 1 "Filtering test: fail" "$@" $server
		expect "$protocol: no server, no result" 1 "Binding test: fail" "$@" 192.0.2.99
	done
	expect "a host name is a usage error" 2 "usage: .*" in_lan "$PEERS/stun-client" localhost
	expect "an address that is not here is an error" 1 ".*192.0.2.77:3478: .*" \
		in_wan "$PEERS/stun-server" 192.0.2.77 $alternate
	stop
}

test_stun_vectors()
{
	set -- "$(dirname "$0")/stun-vectors.c" "$(dirname "$0")/../stun.c" "$(dirname "$0")/../endpoint.c"
	${CC:-cc} -D_GNU_SOURCE -Wall -Wextra -g -fsanitize=address,undefined -o "$tmp/stun-vectors" "$@"
	expect "the messages are as in RFC 5769, and damaged ones do no damage" 0 "as in the RFC" "$tmp/stun-vectors"
}

test_stun_ipv6()
{
	router_is ""
	start stun-server6 "$wan" "$PEERS/stun-server" 2001:db8:2::10 2001:db8:2::11 1000 1001
	for protocol in udp tcp; do
		expect "IPv6 without NAT, $protocol" 0 "Nat behavior: Direct Mapping" \
			in_lan "$PEERS/stun-client" --mode full --protocol $protocol \
			--localaddr 2001:db8:1::2 --localport 20000 2001:db8:2::10 1000
	done
	stop
}

heard()	{ grep -qxF "$1" "$log"; }
literal()	{ printf '%s\n' "$1" | sed 's/[].[]/\\&/g'; }

# test_peers_of PROTOCOL CLIENT SERVER: brackets included
test_peers_of()
{
	router_is ""
	start serve "$wan" "$PEERS/peer" serve "$1" "$3:7000"
	for time in first second; do
		expect "$1 $2: the peer says who asks, the $time time from the same port" 0 "you $(literal "$2"):21000" \
			in_lan "$PEERS/peer" ask "$1" "$2:21000" "$3:7000"
	done
	serving=$last
	start hold "$lan" "$PEERS/peer" hold "$1" "$2:21001" "$3:7000"
	: >"$tmp/seen"
	heard "mapped $2:21001"
	report $? "$1 $2: a holder prints its mapping"
	expect "$1 $2: a holder serves strangers" 0 "you $(literal "$3"):7001" \
		in_wan "$PEERS/peer" ask "$1" "$3:7001" "$2:21001"
	cp "$log" "$tmp/seen"
	heard "stranger $3:7001"
	report $? "$1 $2: and prints them"
	stop
	last=$serving
	stop
	expect "$1 $2: nobody there, no answer" 1 "peer: ask .*" \
		in_lan "$PEERS/peer" ask "$1" "$2:21002" "$3:7000" -w 300
}

test_peers()
{
	for protocol in udp tcp; do
		test_peers_of $protocol $client $server
		test_peers_of $protocol '[2001:db8:1::2]' '[2001:db8:2::10]'
	done
	expect "an IPv6 endpoint without brackets is a usage error" 2 "usage: .*" \
		in_lan "$PEERS/peer" ask udp 2001:db8:1::2:21000 2001:db8:2::10:7000
}

# A holder hears of a new external address through its keep-alives.
test_mapping_change()
{
	router_is "$masquerade"
	start serve "$wan" "$PEERS/peer" serve udp $server:7000
	serving=$last
	start hold "$lan" "$PEERS/peer" hold udp $client:21003 $server:7000 -k 100
	heard "mapped 192.0.2.1:21003" && ip -n "$router" address delete 192.0.2.1/24 dev wan &&
		until_true heard "mapped 192.0.2.2:21003"
	status=$?
	cp "$log" "$tmp/seen"
	report $status "a holder prints its new mapping when the external address changes"
	stop
	last=$serving
	stop
}

# difference: what netstate says now that it did not say before.
difference()
{
	in_router "$PEERS/netstate" net.ipv4.conf.wan.rp_filter net/ipv4/ip_forward >"$tmp/now" || return 3
	cmp -s "$tmp/before" "$tmp/now" && return 1
	diff "$tmp/before" "$tmp/now"
	return 0
}

# leftover WHAT PATTERN UNDO COMMAND...: COMMAND's effect shows, and nothing after UNDO.
leftover()
{
	what=$1 pattern=$2 undo=$3
	shift 3
	in_router "$@"
	expect "netstate shows $what" 0 "> $pattern" difference
	in_router sh -c "$undo"
	expect "netstate: without $what all is as before" 1 "exit status 1" difference
}

test_netstate()
{
	in_router tc qdisc add dev lan clsact
	in_router ip neighbour flush all
	in_router "$PEERS/netstate" net.ipv4.conf.wan.rp_filter net/ipv4/ip_forward >"$tmp/before"
	# Nobody answers, but the router gets to know its neighbours.
	in_lan "$PEERS/peer" ask udp $client:21004 $server:9 -w 200 2>/dev/null
	expect "netstate is the same after traffic" 1 "exit status 1" difference
	leftover "a rule" 'rule inet .* iif lan .*' 'ip rule delete pref 100' \
		ip rule add pref 100 iif lan to 192.0.2.1 ipproto udp lookup 4787
	leftover "an IPv6 rule" 'rule inet6 .* priority 100.*' 'ip -6 rule delete pref 100' \
		ip -6 rule add pref 100 lookup 4787
	leftover "the local rule's preference" 'rule inet .* table 255 .* priority 200.*' \
		'ip rule add pref 0 lookup local protocol kernel; ip rule delete pref 200' \
		sh -c 'ip rule add pref 200 lookup local protocol kernel; ip rule delete pref 0'
	leftover "a route of another table" 'route inet .* table 4787 dev wan.*' 'ip route flush table 4787' \
		ip route add default dev wan table 4787
	leftover "an IPv6 route" 'route inet6 .* to 2001:db8:9::.*' 'ip route delete 2001:db8:9::/64' \
		ip route add 2001:db8:9::/64 dev wan
	leftover "a neighbour" 'neighbour inet dev wan .* to 192.0.2.7 lladdr 020000000007' \
		'ip neighbour delete 192.0.2.7 dev wan' \
		ip neighbour add 192.0.2.7 lladdr 02:00:00:00:00:07 dev wan
	leftover "a clsact qdisc" 'qdisc dev wan handle 0xffff0000 .*clsact.*' 'tc qdisc delete dev wan clsact' \
		tc qdisc add dev wan clsact
	leftover "a BPF filter" 'filter dev lan parent 0xfffffff3 priority 7 protocol 0x0003 handle 0x1 .*' \
		'tc filter delete dev lan egress pref 7' \
		tc filter add dev lan egress pref 7 bpf bytecode '1,6 0 0 0'
	leftover "an nftables table" 'nftables family 2 name leftover flags 0' 'nft delete table ip leftover' \
		nft add table ip leftover
	leftover "a sysctl" 'sysctl net.ipv4.conf.wan.rp_filter = 2' 'sysctl -qw net.ipv4.conf.wan.rp_filter=0' \
		sysctl -qw net.ipv4.conf.wan.rp_filter=2
	expect "netstate: a sysctl that does not exist is an error" 1 ".*No such file or directory" \
		in_router "$PEERS/netstate" net.ipv4.nonsense
}

test_netstate_tcx()
{
	${CC:-cc} -Wall -Wextra -o "$tmp/tcx-attach" "$(dirname "$0")/tcx-attach.c"
	mkfifo "$tmp/tcx-input"
	in_router "$tmp/tcx-attach" wan <"$tmp/tcx-input" >"$tmp/tcx" 2>&1 &
	exec 3>"$tmp/tcx-input"
	until_true [ -s "$tmp/tcx" ]
	cp "$tmp/tcx" "$tmp/seen"
	if ! grep -qx attached "$tmp/tcx"; then
		checks=$((checks + 1))
		echo "ok $checks - netstate shows a TCX program # SKIP this kernel has no TCX"
	else
		expect "netstate shows a TCX program" 0 '> tcx dev wan ingress position 0 name leftover tag .*' \
			difference
	fi
	exec 3>&-
	wait $!
	expect "netstate: without it all is as before" 1 "exit status 1" difference
}

topology
test_stun_vectors
test_stun
test_stun_failures
test_stun_ipv6
test_peers
test_netstate
test_netstate_tcx
test_mapping_change
echo "1..$checks"
