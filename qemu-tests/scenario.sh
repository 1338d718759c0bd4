# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The words that scenarios are written in. A scenario runs on the host, inside
# `run`, which has booted the VMs and holds their control ports open (topology.sh
# has the numbers). It is a list of steps, each a sentence, a VM, what the
# output must match, and a command. It is run with the feature and once more
# without, where every step must fail: a check that cannot fail proves nothing.

count=0
requests=0
feature=on
ROUTER_EINAT='-i wan --hairpin-if lo lan'
trap '' PIPE

plan()
{
	echo "1..$1"
}

# ask VM COMMAND...: run it in the VM; its output goes into $answer. Returns its
# exit status. The shell in the VM splits and expands the words.
ask()
{
	case $1 in
	router)	from=3 to=6 ;;
	lan)	from=4 to=7 ;;
	wan)	from=5 to=8 ;;
	*)	bail "no VM $1" ;;
	esac
	asked=$1
	shift
	requests=$((requests + 1))
	id=$$.$requests
	answer=
	echo "$id ${SECONDS_EACH:-60} $*" >&$to || bail "$asked is gone"
	while IFS= read -r line <&$from; do
		case $line in
		"$id "*) answer="$answer${line#"$id "}
" ;;
		"$id="*) return "${line#"$id="}" ;;
		esac
	done
	bail "$asked is gone"
}

bail()
{
	echo "Bail out! $*"
	exit 255
}

# explain TEXT: as TAP's comments.
explain()
{
	printf '%s' "$1" | sed 's/^/#   /'
}

# report STATUS SENTENCE [VM COMMAND]: one TAP line; where it failed, what was seen, and how to see it alone.
report()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
		return
	fi
	echo "not ok $count - $2"
	[ $# -lt 4 ] || echo "# $3: $4"
	explain "$answer"
	echo "# rerun: qemu-tests/run $EINAT_ARCH $EINAT_KERNEL $(basename "$0" .t)"
}

# matches PATTERN: does a line of the answer match the extended regular expression?
matches()
{
	printf '%s' "$answer" | grep -qE -e "$1"
}

# step SENTENCE VM PATTERN COMMAND...: with the feature, the command must
# succeed and print the pattern. Without, it must say no (1) or print something
# else; any other exit status means that the check itself is broken.
step()
{
	sentence=$1 where=$2 pattern=$3
	shift 3
	ask "$where" "$@"
	status=$?
	[ $status -ne 0 ] || matches "$pattern" || status=1
	if [ $feature = off ]; then
		sentence="without: not so that $sentence"
		status=$((status != 1))
	fi
	report $status "$sentence" "$where" "$* (want $pattern)"
}

# always SENTENCE VM PATTERN COMMAND...: a step that does not depend on the feature.
always()
{
	was=$feature feature=on
	step "$@"
	feature=$was
}

# need VM COMMAND...: preparation, without which the rest makes no sense.
need()
{
	ask "$@" && return
	explain "$answer"
	bail "$*"
}

# with [OPTIONS]: einat runs with these and no others from here on; - is none at all.
with()
{
	need router 'stopped einat || stop einat'
	[ "$1" = - ] || need router "start einat einat $1 && einat_ready"
}

# twice OPTIONS STEPS: with einat as the router has it; then with these
# options, where the steps must fail; then back.
twice()
{
	feature=on
	"$2"
	feature=off
	with "$1"
	"$2"
	with "$ROUTER_EINAT"
	feature=on
}
