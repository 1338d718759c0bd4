# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# RFC 4787 REQ-1 and REQ-8, RFC 5382 REQ-1 and REQ-3: what a STUN client on the
# LAN finds out about its NAT (RFC 5780, tests I to III), and that two hosts may
# use the same port. Without einat there is no answer at all.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# behaviour PROTOCOL HOST
behaviour()
{
	who="$2 over $1"
	step "$who: the server answers" lan 'Binding test: success' \
		stun-client "$(bare "$server")" --mode full --protocol "$1" \
		--localaddr "$2" --localport 21000 --timeout $deadline_ms
	also "$who: behavior test succeeds"		'Behavior test: success'
	also "$who: mapping is endpoint-independent"	'Nat behavior: Endpoint Independent Mapping'
	also "$who: filtering test succeeds"		'Filtering test: success'
	also "$who: filtering is endpoint-independent"	'Nat filtering: Endpoint Independent Filtering'
	also "$who: the external address is the router's" "Mapped address: $external:"
	mapped=$(printf '%s' "$answer" | sed -n 's/^Mapped address: //p')
}

steps()
{
	for protocol in udp tcp; do
		behaviour $protocol "$(bare "$host")"
		also "$ip $protocol: the port is kept where it is free" ':21000$'
		first=$mapped
		behaviour $protocol "$(bare "$other")"
		[ -n "$mapped" ] && [ "$mapped" != "$first" ]
		judge $? "$ip $protocol: the same port of another host is mapped to another one"
	done
}

plan 112
twice einat '' families steps
