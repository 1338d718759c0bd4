#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Beside a firewall that forwards nothing that comes in unasked: strangers are kept out, and with inbound_mark and the rule
# that packaging/INSTALL.in gives for it they reach what has a mapping, and that alone. The topology is network.sh's.
set -u

# shellcheck source=src/tests/network.sh
. "$(dirname "$0")/network.sh"

host=192.168.1.100 external=203.0.113.2 stranger=198.51.100.11
holder=

firewall()
{
	router nft -f - <<-RULES
		table inet filter {
			chain forward {
				type filter hook forward priority filter; policy drop
				ct state established,related accept
				iifname "lan" accept
			}
		}
	RULES
}

# started KEY...: of [[interfaces]]
started()
{
	printf '%s\n' '[[interfaces]]' 'if_name = "wan"' 'nat44 = true' "$@" >"$tmp/einat.toml"
	start -c "$tmp/einat.toml"
	until_true grep -q "wan: $external " "$tmp/log"
}

# opened PORT: a LAN host has a mapping there, and goes on listening
opened()
{
	inside "$PEER" hold udp "$host:$1" "$server" -w 20000 >"$tmp/holder" 2>&1 &
	holder=$!
	until_true grep -q mapped "$tmp/holder" || { cat "$tmp/holder" && false; }
}

closed()
{
	kill "$holder"
	wait "$holder" 2>/dev/null
}

# reaches PROTOCOL PORT WAIT: does a stranger?
reaches() { outside "$PEER" ask "$1" "$stranger:0" "$external:$2" -w "$3" | grep "^you $stranger:"; }

topology_or_nothing "a firewall"
if ! firewall 2>/dev/null; then
	echo "1..0 # SKIP nft does not work here"
	exit
fi
check "without a mark: starts" started
check "a LAN host has a mapping" opened 22000
check "the firewall keeps strangers out" not reaches udp 22000 500
closed
check "without a mark: stops" stop TERM 0

rule=$(sed -n 's/^	\(nft .*\)$/\1/p' "$top/packaging/INSTALL.in")
key=$(sed -n 's/^	\(inbound_mark = .*\)$/\1/p' "$top/packaging/INSTALL.in")
# shellcheck disable=SC2086 # words
check "the rule: $rule" router $rule
check "$key: starts" started "$key"
check "a LAN host has another mapping" opened 22001
check "a stranger reaches it" reaches udp 22001 5000
check "but no port without one" not reaches udp 22002 500
ip -n "$out_ns" route add "$host/32" via $external
check "nor a LAN host by its own address" not outside "$PEER" ask udp "$stranger:0" "$host:22001" -w 500
closed
check "$key: stops" stop TERM 0
echo "1..$checks"
