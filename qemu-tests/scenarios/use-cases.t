# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What people do with it, beside what scenarios of their own show: a LAN host
# holds a TCP port by a connection to somewhere, as Natter and natmap do, and
# serves HTTP on it; a STUN server of the router tells the LAN its external
# endpoints; a WireGuard server gives its clients an endpoint-independent NAT.
#
#	[lan] wg0 ===== wg0 [router] wan ----- wan [wan]
#	 10.172.17.2        10.172.17.1
#	  fd00:17::2         fd00:17::1

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# http VM SENTENCE: the page, from the held port
http()
{
	step "$2" "$1" '^It works$' \
		"(echo GET / HTTP/1.0; echo) | nc -w $seconds $(bare "$external") 20000"
}

steps()
{
	need lan start holder peer hold tcp "$host:20000" "$server:7000" -c -w $deadline_ms
	step "$ip: a connection holds the external port" lan "mapped $external:20000" \
		await holder mapped
	need lan start web httpd -f -p "$host:20000" -h /run/www
	http wan "$ip: HTTP on the held port, from the Internet"
	need lan ip route add "$(bare "$external")" via "$(bare "$router")" src "$(bare "$other")"
	http lan "$ip: and from another LAN host, by the external address"
	need lan ip route del "$(bare "$external")" via "$(bare "$router")"
	need lan stop web KILL
	need lan stop holder KILL
	for protocol in udp tcp; do
		step "$ip $protocol: the router's STUN server says the external endpoint" lan \
			"Mapped address: $external:21001" \
			stun-client "$(bare "$external")" --mode basic --protocol $protocol \
			--localaddr "$(bare "$host")" --localport 21001 --timeout $deadline_ms
	done
}

# tunnel VM NUMBER PEER: one end of it, up and with its addresses.
tunnel()
{
	need "$1" "ip link add wg0 type wireguard && wireguard wg0 $2 51820 $3:51820"
	need "$1" "ip addr add 10.172.17.$2/24 dev wg0 && ip addr add fd00:17::$2/64 dev wg0 && ip link set wg0 up"
}

clients()
{
	client=10.172.17.2
	[ "$ip" = IPv4 ] || client=fd00:17::2
	for protocol in udp tcp; do
		behaviour $protocol $client
	done
}

# The STUN server of the router is reached as what one is inside.
unseen()
{
	for protocol in udp tcp; do
		always "$ip $protocol: without --hairpin-if it says the internal endpoint" lan \
			"Mapped address: $host:21002" \
			stun-client "$(bare "$external")" --mode basic --protocol $protocol \
			--localaddr "$(bare "$host")" --localport 21002 --timeout $deadline_ms
	done
}

plan 73
need lan 'mkdir -p /run/www && echo It works >/run/www/index.html'
need router start stun stun-server 203.0.113.2 192.168.1.1 3478 3479
need router start stun6 stun-server 2001:db8:203::2 fd00::1 3478 3479
twice einat '' families steps
with '-i wan --nat44 --nat66'
families unseen
need router stop stun KILL
need router stop stun6 KILL

tunnel router 1 192.168.1.100
tunnel lan 2 203.0.113.2
need lan 'ip route add 198.51.100.0/24 dev wg0 && ip route add 2001:db8:198::/64 dev wg0'
with '-i wan --nat44 --nat66 --ports 20000-29999 --hairpin-if wg0 --internal 10.172.17.0/24 fd00:17::/64'
families clients
# shellcheck disable=SC2034 # off says them
without=einat others=''
off families clients
with ''
need lan ip link del wg0
need router fresh
always "the state is as before" router '' same
