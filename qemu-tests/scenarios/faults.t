# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# einat ends too early: stopped while it starts, refused a system call at each
# step of the start, killed. Nothing is left, or the next one takes it away.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

works()
{
	always "after SIGKILL the next one works: $ip" lan "you $external:29000" \
		peer ask udp "$host:29000" "$server:7000"
}

plan 7
with ''
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
