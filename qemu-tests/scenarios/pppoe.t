# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The external interface is a PPP link over Ethernet, as a provider's customers
# have it, through the link wan and to the Internet's other end. It appears
# later; then it is redialled: the session ends, ppp0 is gone, and comes again
# with another number and other addresses. Of the old mappings nothing is left,
# new ones work. Its MTU is 1492: TCP's segments are made to fit.
#
#	[lan] ----- lan [router] ppp0 ===== ppp0 [wan]
#	         192.0.2.130, then .131      192.0.2.129
#	 2001:db8:192:128::130, ::131        2001:db8:192:128::129

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

if ! ask router '[ -e /dev/ppp ]'; then
	echo "1..0 # SKIP Linux $EINAT_KERNEL has no PPPoE: a kernel with -generic behind it has"
	exit
fi

# session VM NUMBER MAC ADDRESS REMOTE: one end of the link, up and with its addresses.
session()
{
	need "$1" start ppp pppoe wan "$2" "$3" 1492
	need "$1" await ppp '^ppp0$'
	need "$1" "ip addr add 192.0.2.$4 peer 192.0.2.$5 dev ppp0 && ip link set ppp0 up"
	need "$1" "ip addr add 2001:db8:192:128::$4/64 dev ppp0"
}

# dial SESSION NUMBER: the link is made, and leads to the Internet.
dial()
{
	session wan "$1" 02:00:00:00:02:01 129 "$2"
	session router "$1" 02:00:00:00:02:02 "$2" 129
	need router 'ip route replace default dev ppp0 && ip -6 route replace default dev ppp0'
	always "einat takes its addresses" router . await einat "'ppp0: 2001:db8:192:128::$2 '" 300
	number=$2
	need router cat /sys/class/net/ppp0/ifindex
	ifindex=$answer
}

hang_up()
{
	need router stop ppp
	need wan stop ppp
}

# link NUMBER: the address of the router's end.
link()
{
	case $ip in
	IPv4)	echo "192.0.2.$1" ;;
	IPv6)	echo "[2001:db8:192:128::$1]" ;;
	esac
}

# mss SENTENCE BYTES: what a stranger may send a LAN host, and a LAN host a server, in a segment, but for the 12 bytes
# of TCP's time stamps.
mss()
{
	need lan start holder peer hold tcp "$host:27000" "$server:7000" -w $deadline_ms
	need lan await holder mapped
	step "$ip: $1: of a stranger's connection" wan "^mss $2\$" \
		peer ask tcp "$stranger:23000" "$(link "$number"):27000" -m -w $deadline_ms
	need lan stop holder KILL
	step "$ip: $1: of a LAN host's connection" lan "^mss $2\$" \
		peer ask tcp "$host:27001" "$server:7000" -m -w $deadline_ms
}

works()
{
	step "$ip: a LAN host reaches the Internet" lan "Mapped address: $(link "$number"):" \
		stun-client "$(bare "$server")" --mode full --protocol udp \
		--localaddr "$(bare "$host")" --localport 21000 --timeout $deadline_ms
	also "$ip: mapping is endpoint-independent"	'Nat behavior: Endpoint Independent Mapping'
	also "$ip: filtering is endpoint-independent"	'Nat filtering: Endpoint Independent Filtering'
	holds "$(link "$number")"
}

# gone: at neither of the link's addresses.
gone()
{
	unreached "$(link 130)" "$(link 131)"
}

unclamped()
{
	case $ip in
	IPv4)	mss "without tcp_mss_clamp, what fits the link" 1440 ;;
	IPv6)	mss "without tcp_mss_clamp, what fits the link" 1420 ;;
	esac
}

clamped() { mss "with tcp_mss_clamp = 1400" 1388; }

plan 61
with ''
need router "(echo '[[interfaces]]'; echo 'if_name = \"ppp0\"'; echo nat44 = true; echo nat66 = true) >/run/pppoe.toml"
need router start einat einat -c /run/pppoe.toml
always "ppp0 is waited for" router . await einat "'ppp0: not there'"
dial 7 130
always "the link has no Ethernet, and a shorter MTU" router ' link/ppp' 'ip link show ppp0 | grep -A 1 " mtu 1492 "'
families works
families unclamped
# shellcheck disable=SC2016 # for the VM's shell
need router ': >/run/einat.log; echo "tcp_mss_clamp = 1400" >>/run/pppoe.toml; kill -HUP $(cat /run/einat.pid)'
need router await einat "'ppp0: 2001:db8:192:128::130 '" 300
families clamped
before=$ifindex
need router ': >/run/einat.log'
hang_up
always "the session ends, ppp0 is gone and waited for" router . await einat "'ppp0: not there'"
dial 8 131
[ "$ifindex" -gt "$before" ]
report $? "ppp0 is another link than before"
families gone
families works
without=einat others=
off families works
need router fresh
need wan fresh
always "the state is as before" router '' same
