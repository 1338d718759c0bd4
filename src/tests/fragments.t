#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# RFC 4787 REQ-14 through the running daemon: datagrams whose last fragment comes first, out and in, IPv4 and IPv6, are put
# together where they arrive. While the daemon does nothing they are not, and those in order are.

# shellcheck source=src/tests/network.sh
. "$(dirname "$0")/network.sh"

pieces=$tmp/pieces

# receive WHERE AT: in the background, what has come is in $tmp/received
receive()
{
	: >"$tmp/received"
	ip netns exec "$1" "$pieces" receive "$2" >"$tmp/received" 2>&1 &
	receiver=$!
	until_true grep -qx receiving "$tmp/received"
}

received() { until_true has_received "$1" "$2" || { cat "$tmp/received" && false; }; }
has_received() { grep -qxF "$1 bytes from $2" "$tmp/received"; }

receiver_end()
{
	kill "$receiver"
	wait "$receiver" 2>/dev/null
}

# both_ways FAMILY INTERNAL EXTERNAL SERVER
both_ways()
{
	receive "$out_ns" "$4"
	inside "$pieces" send "$2" "$4" 1500
	check "$1, outwards: the last fragment first" received 1500 "$3"
	kill -STOP "$pid"
	inside "$pieces" send "$2" "$4" 1600
	inside "$pieces" send "$2" "$4" 1700 in-order
	check "$1, outwards: in order, while the daemon does nothing" received 1700 "$3"
	check "$1, outwards: the last one first is not, then" not has_received 1600 "$3"
	kill -CONT "$pid"
	receiver_end
	receive "$in_ns" "$2"
	outside "$pieces" send "$4" "$3" 1500
	check "$1, inwards: the last fragment first" received 1500 "$4"
	outside "$pieces" send "$4" "$3" 1700 in-order
	check "$1, inwards: in order" received 1700 "$4"
	receiver_end
}

topology_or_nothing "fragments"
"${CC:-cc}" -Wall -Wextra -o "$pieces" "$top/src/tests/pieces.c" || exit 1
start -i wan --nat44 --nat66
check "starts" until_true grep -q "^einat: wan: 2001:db8:203::2 (" "$tmp/log"
both_ways IPv4 192.168.1.100:25000 203.0.113.2:25000 198.51.100.1:7100
both_ways IPv6 '[fd00::100]:25000' '[2001:db8:203::2]:25000' '[2001:db8:198::1]:7100'
check "stops" stop TERM 0
echo "1..$checks"
