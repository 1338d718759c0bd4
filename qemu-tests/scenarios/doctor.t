# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# einat doctor on a router of this kernel: what stops or harms the NAT is found,
# is gone once it is mended, and nothing is changed by looking. Where a command
# is printed that the router has, that very command mends it. doctor.t of src
# has every finding.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# It loads and attaches the programs on trial, which takes seconds, more where the host is busy.
SECONDS_EACH=180

# examined WHAT STATUS PATTERN: with this exit status, and such a line.
examined()
{
	always "$1: $3" router "$3" "einat doctor -i wan --nat44 --nat66 --json; [ \$? -eq $2 ]"
}

# finds ID SEVERITY STATUS
finds() { examined "found" "$3" "\"severity\":\"$2\",\"id\":\"$1\","; }
well() { examined "$1" 0 '"verdict":"works"'; }

# mends ID: by the command that it prints
mends()
{
	need router "einat doctor -i wan --nat44 --nat66 --json | awk -v RS={ -F '\"mend\":\"'" \
		"'/\"id\":\"$1\"/ { sub(/\".*/, \"\", \$2); print \$2 }' >/run/mend"
	always "$1: the printed command can be run" router '' sh -e /run/mend
	well "$1: gone"
}

plan 15
with ''
well "a router that is well"
need router sysctl -qw net.ipv4.ip_forward=0
finds forwarding-ipv4 error 1
mends forwarding-ipv4
need router sysctl -qw net.ipv6.conf.all.forwarding=0
finds forwarding-ipv6 error 1
mends forwarding-ipv6
need router ip route replace default via 2001:db8:203::1
need router ip link set wan mtu 1492
finds mtu warning 3
need router ip link set wan mtu 1500
well "mtu: gone"
need router firewall masquerade wan
finds masquerade error 1
need router firewall -d nat
well "masquerade: gone"
need router firewall offload lan
well "flow offload of another interface"
need router firewall -d offload
need router firewall offload wan
finds flow-offload warning 3
need router firewall -d offload
well "flow-offload: gone"
need router ip link set wan mtu 1500
always "nothing is changed by looking" router '' same
