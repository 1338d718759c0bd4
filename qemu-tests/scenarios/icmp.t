# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# RFC 5508 REQ-1, REQ-4 and REQ-5: ping out, and the errors that traceroute
# lives on back in. Without einat none returns.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# trace HOW ADDRESS: up to the second hop, with UDP, or with -I, which only IPv4's has, with echo requests.
trace()
{
	echo "$traceroute $1 -n -q 1 -w $seconds -m 2 -s $(bare "$host") $(bare "$2")"
}

steps()
{
	for source in "$host" "$other"; do
		step "$(bare "$source") pings the server" lan ' 0% packet loss' \
			"$ping" -c 1 -W $seconds -I "$(bare "$source")" "$(bare "$server")"
	done
	for how in '' -I; do
		[ "$ip$how" != IPv6-I ] || continue
		step "$ip traceroute $how: the gateway's time exceeded arrives" lan "^ *2  $(bare "$gateway") " \
			"$(trace "$how" "$beyond")"
	done
	step "$ip traceroute: the server's port unreachable arrives" lan "^ *2  $(bare "$server") " \
		"$(trace '' "$server")"
	step "$ip: a socket learns of its port unreachable" lan refused \
		"! peer ask udp $host:28000 $server:9 -w $deadline_ms"
	always "$ip: the Internet pings the router" wan ' 0% packet loss' \
		"$ping" -c 1 -W 2 "$(bare "$external")"
	always "$ip: the router pings the Internet" router ' 0% packet loss' \
		"$ping" -c 1 -W 2 "$(bare "$server")"
}

plan 30
twice einat '' families steps
