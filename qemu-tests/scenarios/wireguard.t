# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The external interface is a WireGuard tunnel, through the link wan and to the
# Internet's other end. It appears later, as another type of device at first,
# and is deleted and made anew with another number and other addresses: the old
# mappings are gone, new ones work.
#
#	[lan] ----- lan [router] wg0 ===== wg0 [wan]
#	        192.0.2.130, then .131     192.0.2.129
#	 2001:db8:192:128::130, ::131      2001:db8:192:128::129

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# addressed NUMBER: the tunnel's end has these addresses, and is up.
addressed()
{
	echo "ip addr add 192.0.2.$1/26 dev wg0 && ip addr add 2001:db8:192:128::$1/64 dev wg0 && ip link set wg0 up"
}

# dial NUMBER: the router's end of the tunnel is made, and leads to the Internet.
dial()
{
	need router "ip link add wg0 type wireguard && wireguard wg0 1 51820 203.0.113.1:51820 && $(addressed "$1")"
	need router 'ip route replace default dev wg0 && ip -6 route replace default dev wg0'
	always "einat takes its addresses" router . await einat "'wg0: 2001:db8:192:128::$1 '" 300
	number=$1
}

# tunnel NUMBER: the address of the router's end.
tunnel()
{
	case $ip in
	IPv4)	echo "192.0.2.$1" ;;
	IPv6)	echo "[2001:db8:192:128::$1]" ;;
	esac
}

works()
{
	holds "$(tunnel "$number")"
}

# gone: at neither of the link's addresses.
gone()
{
	unreached "$(tunnel 130)" "$(tunnel 131)"
}

plan 33
need wan "ip link add wg0 type wireguard && wireguard wg0 2 51820 203.0.113.2:51820 && $(addressed 129)"
with ''
need router start einat einat -i wg0 --nat44 --nat66
always "wg0 is waited for" router . await einat "'wg0: not there'"
need router "ip link add wg0 type dummy && $(addressed 140)"
always "an Ethernet device of that name comes" router . await einat "'wg0: 2001:db8:192:128::140 '" 300
need router ip link del wg0
dial 130
families works
need router ip link del wg0
need router ': >/run/einat.log'
dial 131
families gone
families works
without=einat others=
off families works
need router fresh
need wan ip link del wg0
always "the state is as before" router '' same
