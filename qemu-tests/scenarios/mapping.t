# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# RFC 4787 REQ-1 and REQ-8, RFC 5382 REQ-1 and REQ-3: what a STUN client on the
# LAN finds out about its NAT (RFC 5780, tests I to III), and that two hosts may
# use the same port. Without einat there is no answer at all.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

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
