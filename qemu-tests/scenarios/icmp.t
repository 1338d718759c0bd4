# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# RFC 5508 REQ-1, REQ-4 and REQ-5: ping out, and the errors that traceroute
# lives on back in. Without einat none returns.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

steps()
{
	for host in 192.168.1.100 192.168.1.200; do
		step "$host pings the server" lan ' 0% packet loss' \
			ping -c 1 -W $((deadline_ms / 1000)) -I $host 198.51.100.1
	done
	for how in '' -I; do
		step "traceroute $how: the gateway's time exceeded arrives" lan '^ *2  203.0.113.1 ' \
			traceroute $how -n -q 1 -w $((deadline_ms / 1000)) -m 2 -s 192.168.1.100 192.0.2.77
	done
	step "traceroute: the server's port unreachable arrives" lan '^ *2  198.51.100.1 ' \
		traceroute -n -q 1 -w $((deadline_ms / 1000)) -m 2 -s 192.168.1.100 198.51.100.1
	step "a socket learns of its port unreachable" lan refused \
		"! peer ask udp 192.168.1.100:28000 198.51.100.1:9 -w $deadline_ms"
}

plan 14
twice einat - steps
always "the Internet pings the router" wan ' 0% packet loss' \
	ping -c 1 -W 2 203.0.113.2
always "the router pings the Internet" router ' 0% packet loss' \
	ping -c 1 -W 2 198.51.100.1
