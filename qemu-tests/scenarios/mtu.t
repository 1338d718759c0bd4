# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# RFC 4787 REQ-13, and REQ-13a: a packet too long for a link on its way, with
# and without "don't fragment". Whose link it is decides who says so: this
# router, to the inside and to the outside, or a router beyond. Without einat
# only this router's own word to the inside arrives.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# probe TTL WORDS...: one UDP packet of 1400 bytes; prints who answered, and !F for "fragmentation needed".
probe()
{
	ttl=$1
	shift
	echo "traceroute $* -n -q 1 -w $seconds -f $ttl -m $ttl"
}

steps()
{
	need router 'ip link set wan mtu 1280'
	always "too long for the router's external link: the sender hears it" lan '^ *2  192.168.1.1 .*!F' \
		"$(probe 2 -F -s 192.168.1.100) 198.51.100.1 1400"
	need lan 'sysctl -qw net.ipv4.ip_no_pmtu_disc=1' # else the host sets DF itself
	step "without DF it goes in pieces, and is answered" lan '^ *2  198.51.100.2 ' \
		"$(probe 2 -s 192.168.1.100) 198.51.100.2 1400"
	need lan 'sysctl -qw net.ipv4.ip_no_pmtu_disc=0'
	need router 'ip link set wan mtu 1500'
	need wan 'ip link set wan mtu 1280'
	step "too long for a link beyond: the sender hears it" lan '^ *3  203.0.113.1 .*!F' \
		"$(probe 3 -F -s 192.168.1.100) 192.0.2.77 1400"
	need wan 'ip link set wan mtu 1500'
	need router 'ip link set lan mtu 1280'
	need lan start holder peer hold udp 192.168.1.100:27002 198.51.100.1:7000 -w $deadline_ms
	step "the LAN host has a mapping" lan 'mapped 203.0.113.2:27002' \
		await holder mapped
	step "too long for the router's internal link: the stranger hears it" wan '^ *2  203.0.113.2 .*!F' \
		"$(probe 2 -F -s 192.0.2.1 -p 27001) 203.0.113.2 1400"
	need lan stop holder KILL
	need router 'ip link set lan mtu 1500'
	need lan 'ip route flush cache'
	need wan 'ip route flush cache'
}

plan 10
family 4
twice einat '' steps
