# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# No kernel complained on any VM's console so far. This file comes last.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# complaints: those in a console's log on stdin.
complaints()
{
	grep -E 'WARNING:|BUG:|Oops|Call [Tt]race|Kernel panic|general protection|stall|blocked for more than|martian|refcount_t|init: '
}

# shellcheck disable=SC2086 # one word each
set -- $EINAT_VMS
echo 1..$(($# + 1))
for role in "$@"; do
	answer=$(complaints <"$EINAT_VM/$role.console")
	report $((${#answer} > 0)) "the kernel of $role has nothing to complain of"
done
# The twin: a complaint that we make ourselves does arrive there.
need router 'echo "<4>WARNING: from the test" >/dev/kmsg'
tries=50
until complaints <"$EINAT_VM/router.console" >/dev/null || [ $tries -eq 0 ]; do
	tries=$((tries - 1))
	sleep 0.1
done
answer=$(cat "$EINAT_VM/router.console")
report $((tries == 0)) "a warning of the kernel would have been seen"
