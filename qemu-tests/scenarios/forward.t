# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Static mappings: an HTTP server inside a VPN is published on the external
# address of the VPN's server, the router. Its host is somewhere on the Internet,
# by a link of its own, and knows the way into the VPN only as far as
# 10.172.16.0/24: so it must see the router as who asks, which is what the einat
# on wg0 is for.
#
#	[lan] ----- lan [router] wg0 ===== wg0 [wan]
#	             10.172.16.1         10.172.16.2
#	              fd00:16::1         fd00:16::2

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

external_wan='-i wan --nat44 --nat66 --hairpin-if lo lan wg0'
forward='--forward tcp:8000=10.172.16.2:8000 tcp:8000=[fd00:16::2]:8000'
forward="$forward tcp,udp:8001=10.172.16.2:7000 tcp,udp:8001=[fd00:16::2]:7000"

# tunnel VM NUMBER PEER: one end of it, up and with its addresses.
tunnel()
{
	need "$1" "ip link add wg0 type wireguard && wireguard wg0 $2 51820 $3:51820"
	need "$1" "ip addr add 10.172.16.$2/24 dev wg0 && ip addr add fd00:16::$2/64 dev wg0 && ip link set wg0 up"
}

# serve PROTOCOL: what says who asks, in the VPN.
serve()
{
	need wan start "seen-$1" peer serve "$1" 10.172.16.2:7000
	need wan start "seen6-$1" peer serve "$1" '[fd00:16::2]:7000'
}

unserve()
{
	for server in web web6 seen-udp seen6-udp seen-tcp seen6-tcp; do
		need wan stop $server KILL
	done
}

steps()
{
	as=10.172.16.1
	[ "$ip" = IPv4 ] || as='[fd00:16::1]'
	for vm in wan lan router; do
		step "$ip: HTTP from $vm" $vm '^in the VPN$' \
			"(echo GET / HTTP/1.0; echo) | nc -w $seconds $(bare "$external") 8000"
	done
	for protocol in udp tcp; do
		step "$ip $protocol: who asks from outside is the router" wan "you $as:23000" \
			peer ask $protocol "$stranger:23000" "$external:8001" -w $deadline_ms
		step "$ip $protocol: so is a LAN host" lan "you $as:23001" \
			peer ask $protocol "$host:23001" "$external:8001" -w $deadline_ms
		step "$ip $protocol: and the router itself" router "you $as:23002" \
			peer ask $protocol "$external:23002" "$external:8001" -w $deadline_ms
	done
}

plan 56
tunnel router 1 203.0.113.1
tunnel wan 2 203.0.113.2
need wan 'mkdir -p /run/www && echo in the VPN >/run/www/index.html'
need wan start web httpd -f -p 10.172.16.2:8000 -h /run/www
need wan start web6 httpd -f -p '[fd00:16::2]:8000' -h /run/www
serve udp
serve tcp
need router start vpn einat -i wg0 --nat44 --nat66
always "einat is on the tunnel" router . await vpn "'^einat: wg0: fd00:16::1 '" 300
with "$external_wan $forward"
families steps
without=--forward others=$external_wan
off families steps
need router stop vpn
# shellcheck disable=SC2034 # off says it
without="einat on wg0" others="$external_wan $forward"
off families steps
with ''
unserve
need wan ip link del wg0
need router fresh
always "the state is as before" router '' same
