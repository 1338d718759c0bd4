# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# A server shares the router's external address: it is configured as if it were
# connected to the Internet's link, with 203.0.113.1 for its gateway. It is a
# network namespace of the LAN's VM, behind a VLAN of the LAN's link, so that its
# packets cross the same wire in frames of their own.
#
#	[lan]	 ----- lan [router] wan ----- wan [wan]
#	[server] ===== dmz			203.0.113.1
#	203.0.113.2

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

family 4

# In the server: the process that holds its namespace is there once its link is.
# shellcheck disable=SC2016 # for the VM's shell
in_server='nsenter -t $(cat /run/server.pid) -n'

dmz_make()
{
	for vm in router lan; do
		need $vm ip link add link lan name dmz type vlan id 7
	done
	need router ip link set dmz up
	need lan start server unshare -n sleep 100000
	# shellcheck disable=SC2016
	need lan 'until_true 50 ip link set dmz netns $(cat /run/server.pid)'
	need lan "$in_server ip addr add $external/24 dev dmz && $in_server ip link set dmz up"
	need lan "$in_server ip link set lo up && $in_server ip route add default via $gateway"
}

serve()
{
	need lan "start web $in_server peer serve tcp $external:80"
	need lan "start dns $in_server peer serve udp $external:53"
	need lan "start sctp $in_server raw serve 132 $external"
	need lan "start gre $in_server raw serve 47 $external"
	need wan start esp raw serve 50 "$1"
	need lan start inside peer serve tcp "$host:8080"
	need router start ssh peer serve tcp "$external:22"
}

unserve()
{
	for program in web dns sctp gre inside server; do
		need lan stop $program KILL
	done
	need wan stop esp KILL
	need router stop ssh KILL
}

steps()
{
	step "TCP from outside reaches the server" wan "you $stranger:23000" \
		peer ask tcp "$stranger:23000" "$external:80" -w $deadline_ms
	step "UDP" wan "you $stranger:23000" peer ask udp "$stranger:23000" "$external:53" -w $deadline_ms
	step "SCTP's number" wan "you $stranger" raw ask 132 "$external" "$stranger"
	step "GRE's number" wan "you $stranger" raw ask 47 "$external" "$stranger"
	step "the server's TCP leaves as it is" lan "you $external:5000" \
		"$in_server peer ask tcp $external:5000 $remote:7000 -w $deadline_ms"
	step "UDP, from a managed port" lan "you $external:25000" \
		"$in_server peer ask udp $external:25000 $remote:7000 -w $deadline_ms"
	step "ESP's number" lan "you $external" "$in_server raw ask 50 $remote $external"
	step "it pings, past the router" lan ' 0% packet loss' "$in_server ping -c 1 -w $seconds $stranger"
	step "the LAN reaches the server, which sees its own address" lan "you $host:23001" \
		peer ask tcp "$host:23001" "$external:80" -w $deadline_ms
	step "UDP" lan "you $host:23001" peer ask udp "$host:23001" "$external:53" -w $deadline_ms
	step "SCTP's number" lan "you $host" raw ask 132 "$external" "$host"
	step "the server reaches the LAN" lan "you $external:5001" \
		"$in_server peer ask tcp $external:5001 $host:8080 -w $deadline_ms"
	step "and the router, by its address inside" lan ' 0% packet loss' "$in_server ping -c 1 -w $seconds 192.168.1.1"
}

# With or without a server.
as_ever()
{
	always "$1: the LAN is translated" lan "you $external:22000" \
		peer ask udp "$host:22000" "$remote:7000" -w $deadline_ms
	need lan start holder peer hold udp "$host:24000" "$remote:7000" -w $deadline_ms
	need lan await holder mapped
	always "$1: and its mapping lets everybody in" wan "you $stranger:23002" \
		peer ask udp "$stranger:23002" "$external:24000" -w $deadline_ms
	need lan stop holder KILL
	always "$1: the router's own listener is kept" wan "you $stranger:23003" \
		peer ask tcp "$stranger:23003" "$external:22" -w $deadline_ms
	always "$1: the LAN reaches it, too" lan "you " peer ask tcp "$host:23004" "$external:22" -w $deadline_ms
	always "$1: the router reaches the Internet" router "you $external:5002" \
		peer ask tcp "$external:5002" "$remote:7000" -w $deadline_ms
	always "$1: and pings it" router ' 0% packet loss' ping -c 1 -w $seconds "$stranger"
}

remote=198.51.100.1

plan 37
with ''
dmz_make
settings='netstate net.ipv4.conf.dmz.accept_local net.ipv4.conf.dmz.rp_filter net.ipv4.conf.dmz.proxy_arp | grep ^sysctl'
need router "$settings >/run/dmz.boot"
serve $remote
need router "(echo '[[interfaces]]'; echo 'if_name = \"wan\"'; echo nat44 = true) >/run/plain.toml"
need router "(cat /run/plain.toml; echo 'designated_server.if_name = \"dmz\"') >/run/designated.toml"
need router start einat einat -c /run/designated.toml
always "einat has a designated server" router . await einat "'designated server behind dmz'" 300
steps
as_ever "with a server"
always "it is taken back" router '^0$' stop einat
always "the settings are as before" router '' "$settings | diff -U 0 /run/dmz.boot -"
need router start einat einat -c /run/plain.toml
need router await einat "'^einat: wan: 203'" 300
# Now the router takes the server for a martian, and may say so in vain.
need router sysctl -qw net.ipv4.conf.all.log_martians=0 net.ipv4.conf.dmz.log_martians=0
# shellcheck disable=SC2034 # step says them
without=designated_server feature=off deadline_ms=300 seconds=1
steps
# shellcheck disable=SC2034
feature=on deadline_ms=3000 seconds=3
always "without it: the LAN is translated" lan "you $external:22000" \
	peer ask udp "$host:22000" "$remote:7000" -w $deadline_ms
need router stop einat
unserve
need router ip link del dmz
need router sysctl -qw net.ipv4.conf.all.log_martians=1
need router fresh
always "the state is as before" router '' same
