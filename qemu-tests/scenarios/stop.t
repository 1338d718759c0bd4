# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# einat takes everything back: rules, routes, qdisc, filters and sysctls are
# what they were before it first started, however it ends. That this can be
# seen is the first check: while it runs they differ.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

works()
{
	always "after SIGKILL the next one works: $ip" lan "you $external:29000" \
		peer ask udp "$host:29000" "$server:7000"
}

plan 13
with "$ROUTER_EINAT"
always "while einat runs, the router's state differs" router '^[-+][^-+]' "! same"
always "it has given up every capability but NET_ADMIN, NET_RAW, PERFMON and BPF" router '^4$' \
	"until_true 50 prints 4 grep -cE '^Cap(Prm|Eff|Bnd):.000000c000003000\$|^CapAmb:.0{16}\$' /proc/\$(cat /run/einat.pid)/status"
for signal in TERM INT; do
	with "$ROUTER_EINAT"
	always "SIG$signal ends it with success" router '^0$' stop einat $signal
	always "SIG$signal: the state is as before" router '' same
done

always "stopped while it starts, it leaves nothing" router '^3 stopped$' interrupted
always "a start that fails, at each step, leaves nothing" router '^[1-9][0-9]* failed$' starved
always "bad arguments leave nothing" router '' \
	"einat -i wan --ports 9-1; [ \$? -eq 2 ] && same"
always "an interface that is not there yet is waited for, and leaves nothing" router '' \
	"start einat einat -i wan7 && await einat wan7 && stop einat && same"

with "$ROUTER_EINAT"
need router 'stop einat KILL'
with "$ROUTER_EINAT"
families works
always "and takes back all that was left" router '' \
	"stop einat && same"
