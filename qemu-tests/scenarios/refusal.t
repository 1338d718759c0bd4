# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# RFC 5508 REQ-8, RFC 6888 REQ-11b: a LAN host that may have no further mapping
# is told so at once, by an ICMP error that its sockets understand. Over
# Ethernet and through a tunnel without such a header. Without a limit there is
# nothing to tell.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# settings INTERFACE: einat.toml for it.
settings()
{
	echo "(echo '[[interfaces]]'; echo 'if_name = \"$1\"'; echo nat44 = true; echo nat66 = true)"
}

steps()
{
	case $ip in
	IPv4)	says='Host is unreachable' ;;
	IPv6)	says='Permission denied' ;; # what a socket makes of "administratively prohibited"
	esac
	for protocol in udp tcp; do
		need lan start holder peer hold $protocol "$host:27000" "$server:7000" -w 3000
		always "$link, $ip $protocol: the host's one mapping works" lan 'mapped .*:27000' await holder mapped
		step "$link, $ip $protocol: the next socket hears that it gets none" lan "$says" \
			"! peer ask $protocol $host:27002 $server:7000 -w 3000"
		always "$link, $ip $protocol: the next host gets one" lan 'you ' \
			peer ask $protocol "$other:27004" "$server:7000" -w 3000
		need lan stop holder KILL
	done
}

# over INTERFACE: with the limit, and without.
over()
{
	link=$1
	need router "$(settings "$link") >/run/any.toml"
	need router "(cat /run/any.toml; echo host_limit_udp = 1; echo host_limit_tcp = 1) >/run/limit.toml"
	with ''
	need router start einat einat -c /run/limit.toml
	need router await einat "'$link: 2001:db8:'" 300
	families steps
	with ''
	need router start einat einat -c /run/any.toml
	need router await einat "'$link: 2001:db8:'" 300
	without='a limit' feature=off
	families steps
	feature=on
	need router stop einat
}

plan 49
over wan
# a tunnel: as in wireguard.t
need wan 'ip link add wg0 type wireguard && wireguard wg0 2 51820 203.0.113.2:51820 && ip link set wg0 up'
need wan 'ip addr add 192.0.2.129/26 dev wg0 && ip addr add 2001:db8:192:128::129/64 dev wg0'
need router 'ip link add wg0 type wireguard && wireguard wg0 1 51820 203.0.113.1:51820 && ip link set wg0 up'
need router 'ip addr add 192.0.2.130/26 dev wg0 && ip addr add 2001:db8:192:128::130/64 dev wg0'
need router 'ip route replace default dev wg0 && ip -6 route replace default dev wg0'
over wg0
need router fresh
need wan ip link del wg0
always "the state is as before" router '' same
