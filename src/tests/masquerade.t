#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# take_over_masquerade: beside a masquerade rule the NAT is endpoint-independent, and without the daemon masquerading
# serves again. nft is the witness.
#
#   lan                       router                        wan
#   192.168.1.2 ---- lan 192.168.1.1
#   192.168.2.2          192.168.2.1
#                             wan 203.0.113.2  ------ 203.0.113.10, 203.0.113.11
#
# Three network namespaces of this machine. Needs root.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=toolchains/tap.sh
. "$top/toolchains/tap.sh"
EINAT=${EINAT:-$top/build/$(uname -m)/einat}
PEERS=${PEERS:-$top/build/$(uname -m)/peers}
PATH=$PATH:/usr/sbin:/sbin
lan=einat-m-lan-$$
router=einat-m-router-$$
wan=einat-m-wan-$$
tmp=$(mktemp -d)
port=20000
einat=
started=

cleanup()
{
	# shellcheck disable=SC2086 # a list
	[ -z "$einat$started" ] || kill -KILL $einat $started 2>/dev/null
	for name in "$lan" "$router" "$wan"; do
		ip netns delete "$name" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

in_lan() { timeout 20 ip netns exec "$lan" "$@"; }
in_router() { timeout 20 ip netns exec "$router" "$@"; }
in_wan() { timeout 20 ip netns exec "$wan" "$@"; }
# What a home router has: masquerading, and no stranger let in.
rules()
{
	in_router nft -f - <<-RULES
		table ip nat {
			chain postrouting {
				type nat hook postrouting priority srcnat
				oifname "wan" counter masquerade
			}
		}
		table ip filter {
			chain input {
				type filter hook input priority filter
				iifname "wan" ct state new drop
			}
		}
	RULES
}

topology()
{
	for name in "$lan" "$router" "$wan"; do
		ip netns add "$name" && ip -n "$name" link set lo up || return 1
	done
	ip -n "$router" link add lan type veth peer name eth0 netns "$lan"
	ip -n "$router" link add wan type veth peer name eth0 netns "$wan"
	while read -r where interface address; do
		ip -n "$where" address add "$address" dev "$interface"
		ip -n "$where" link set "$interface" up
	done <<-ADDRESSES
		$lan eth0 192.168.1.2/24
		$lan eth0 192.168.2.2/24
		$router lan 192.168.1.1/24
		$router lan 192.168.2.1/24
		$router wan 203.0.113.2/24
		$wan eth0 203.0.113.10/24
		$wan eth0 203.0.113.11/24
	ADDRESSES
	ip -n "$lan" route add default via 192.168.1.1
	ip -n "$router" route add default via 203.0.113.10
	in_router sysctl -qw net.ipv4.ip_forward=1
	rules
	ip netns exec "$wan" "$PEERS/stun-server" 203.0.113.10 203.0.113.11 >"$tmp/stun" 2>&1 &
	started=$!
	for address in 203.0.113.10 203.0.113.11; do
		ip netns exec "$wan" "$PEERS/peer" serve udp $address:9 >"$tmp/serve-$address" 2>&1 &
		started="$started $!"
	done
	until_true [ -s "$tmp/stun" ]
}

# einat_start KEY...: lines of [[interfaces]]
einat_start()
{
	{
		printf '[[interfaces]]\nif_name = "wan"\nnat44 = true\n'
		printf '%s\n' "$@"
	} >"$tmp/einat.toml"
	: >"$tmp/log"
	ip netns exec "$router" "$EINAT" -c "$tmp/einat.toml" 2>>"$tmp/log" &
	einat=$!
	until_true grep -q "wan: 203.0.113.2" "$tmp/log" || sed 's/^/# /' "$tmp/log"
}

# einat_end SIGNAL: the shell's word of the death is not for the reader
einat_end()
{
	kill "-$1" "$einat"
	wait "$einat" 2>/dev/null
	einat=
}

# filtering_is KIND PROTOCOL [FROM]: seen by a host of the LAN, from a port that is new
filtering_is()
{
	port=$((port + 1))
	in_lan "$PEERS/stun-client" --mode full --protocol "$2" --localaddr "${3:-192.168.1.2}" --localport $port \
		--timeout 500 203.0.113.10 >"$tmp/seen" 2>&1
	cat "$tmp/seen"
	grep -qx "Nat filtering: $1 Filtering" "$tmp/seen" && grep -q "^Nat behavior: Endpoint Independent Mapping" "$tmp/seen"
}

# asks LOCAL REMOTE: a datagram and its answer, by way of the router
asks() { in_lan "$PEERS/peer" ask udp "$1" "$2:9"; }
translated_to()
{
	pattern=$1
	shift
	"$@" >"$tmp/seen" 2>&1
	cat "$tmp/seen"
	grep -qx "$pattern" "$tmp/seen"
}

table_is_there() { in_router nft list table inet einat-wan >"$tmp/table" 2>&1; }
masqueraded() { in_router nft list table ip nat | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'; }

# masquerades_more COMMAND...: has the rule taken something while the command ran?
masquerades_more()
{
	before=$(masqueraded)
	"$@" || return 1
	after=$(masqueraded)
	echo "masqueraded: $before before, $after after"
	[ "$after" -gt "$before" ]
}

masquerades_nothing()
{
	before=$(masqueraded)
	"$@" || return 1
	after=$(masqueraded)
	echo "masqueraded: $before before, $after after"
	[ "$after" -eq "$before" ]
}

full="Endpoint Independent"
port_restricted="Address and Port Dependent"

test_without()
{
	check "masquerading alone filters" filtering_is "$port_restricted" udp
	einat_start
	for protocol in udp tcp; do
		check "$protocol: the masquerade rule wins where nothing is taken over" filtering_is "$port_restricted" $protocol
	done
	check "and there is no table of ours" not table_is_there
	einat_end TERM
}

test_with()
{
	einat_start "take_over_masquerade = true"
	check "taken over: there is a table with an owner" table_is_there
	check "nft says so" grep -q "flags owner" "$tmp/table"
	for protocol in udp tcp; do
		check "$protocol: nothing is masqueraded" masquerades_nothing filtering_is "$full" $protocol
	done
	in_router nft flush ruleset
	check "a firewall's flush of the rules leaves the table" table_is_there
	sed -i '/take_over/d' "$tmp/einat.toml"
	kill -HUP "$einat"
	check "SIGHUP without the key: the table is gone" until_true not table_is_there
	echo "take_over_masquerade = true" >>"$tmp/einat.toml"
	kill -HUP "$einat"
	check "SIGHUP with it: the table is back" until_true table_is_there
	einat_end KILL
	check "killed: the table is gone" until_true not table_is_there
}

test_after()
{
	rules
	einat_start "take_over_masquerade = true" 'snat_internals = ["192.168.1.0/24"]' 'no_snat_dests = ["203.0.113.11/32"]'
	check "internal networks: the one that is named is translated" \
		masquerades_nothing asks 192.168.1.2:21000 203.0.113.10
	check "the other is left to the masquerade rule" masquerades_more asks 192.168.2.2:21001 203.0.113.10
	# From a port that einat does not manage: the answer has to come back past it.
	check "and so is a destination that is left alone" \
		masquerades_more asks 192.168.1.2:41002 203.0.113.11
	einat_end TERM
	check "stopped: the table is gone" not table_is_there
}

# A connection that began before keeps its translation: conntrack remembers it.
test_old()
{
	check "a connection through the masquerade rule" masquerades_more asks 192.168.1.2:40000 203.0.113.10
	einat_start "take_over_masquerade = true"
	check "keeps its translation when einat comes" translated_to "you 203.0.113.2:40000" asks 192.168.1.2:40000 203.0.113.10
	check "a new one gets one of einat's ports" translated_to "you 203.0.113.2:2[0-9]*" asks 192.168.1.2:40001 203.0.113.10
	einat_end KILL
	check "after SIGKILL masquerading serves again, by itself" masquerades_more filtering_is "$port_restricted" udp
}

for program in "$EINAT" "$PEERS/stun-client" "$PEERS/peer"; do
	[ -x "$program" ] || {
		echo "Bail out! no $program: run make first"
		exit 1
	}
done
if ! topology 2>/dev/null; then
	echo "# SKIPPED: network namespaces need root. NOTHING of take_over_masquerade was tested." >&2
	echo "1..0 # SKIP needs root"
	exit 0
fi
test_without
test_with
test_after
test_old
echo "1..$checks"
