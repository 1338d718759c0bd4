# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# einat --persist is killed and stopped under traffic, and started again: no
# packet of live flows is lost, and their mappings are the same. Without
# --persist there are losses.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# bring_up: a flow of each family, 50 messages a second by UDP and as many by TCP.
bring_up()
{
	need lan start "flow$version" flow send "$host:27100" "$server:7100" 50
	need lan await "flow$version" '^flowing$'
}

settle()
{
	need lan stop "flow$version"
	for protocol in udp tcp; do
		step "$ip $protocol: no packet is lost, and the mapping is the same" lan \
			"^$protocol: [0-9]* sent, 0 lost,( 0 sent again,)? endpoints $external:27100\$" \
			cat "/run/flow$version.log"
	done
}

# A start takes seconds, more where the host is busy.
SECONDS_EACH=180

# restarts OPTIONS SIGNAL...: with these options, once by each signal
restarts()
{
	options=$1
	shift
	families bring_up
	for signal; do
		need router "stop einat $signal && with $options"
		for family in IPv4 IPv6; do
			step "SIG$signal: the next einat takes over the mappings of $family" router "takes over the $family mappings" \
				cat /run/einat.log
		done
	done
	families settle
}

# serve: what the flows go to.
serve()
{
	need wan start "serve$version" flow serve "$server:7100"
	need wan await "serve$version" '^serving$'
}

cease()
{
	need wan stop "serve$version"
}

plan 16
families serve
with "$ROUTER_EINAT --persist"
restarts "$ROUTER_EINAT --persist" KILL TERM
with "$ROUTER_EINAT"
with ''
always "started without it, and stopped: the state is as before" router '' same
without=--persist others=$ROUTER_EINAT
# Killed it would leave its programs where there is no TCX, and UDP might lose nothing; stopped it takes them away.
off restarts "$ROUTER_EINAT" TERM
families cease
with ''
always "and now, too" router '' same
