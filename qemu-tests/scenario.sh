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
# How long a peer waits for an answer, and a command that counts in seconds or
# in tenths, and how often a VM tries. An answer that comes takes about 50 ms;
# where none can come the waits are cut short.
deadline_ms=3000
seconds=3
tenths=10
tries=6
# As the router's own init starts it: the VM's shell fills it in.
# shellcheck disable=SC2016
ROUTER_EINAT='$EINAT'
trap '' PIPE

# family 4|6: who is who in it, as endpoints have them: `$server:7000`.
# shellcheck disable=SC2034 # scenarios use them
family()
{
	ip=IPv$1
	case $1 in
	4)	host=192.168.1.100 other=192.168.1.200 router=192.168.1.1
		external=203.0.113.2 renumbered=203.0.113.3 gateway=203.0.113.1
		server=198.51.100.1 stranger=192.0.2.1 beyond=192.0.2.77
		ping=ping traceroute=traceroute ;;
	6)	host='[fd00::100]' other='[fd00::200]' router='[fd00::1]'
		external='[2001:db8:203::2]' renumbered='[2001:db8:203::3]' gateway='[2001:db8:203::1]'
		server='[2001:db8:198::1]' stranger='[2001:db8:192::1]' beyond='[2001:db8:192:64::77]'
		ping=ping6 traceroute=traceroute6 ;;
	esac
}

# bare ADDRESS: without the brackets that endpoints need.
bare()
{
	echo "$1" | tr -d '[]'
}

# families STEPS: with IPv4, and with IPv6.
families()
{
	for version in 4 6; do
		family $version
		"$1"
	done
}

# plan NUMBER: how many checks there will be. Each file starts from the same
# state, whatever became of the one before, but for einat: see with and twice.
plan()
{
	echo "1..$1"
	need lan fresh
	need router fresh
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
	echo "$(date +%T.%2N) $asked: $*" >>"$EINAT_VM/steps.log"
	requests=$((requests + 1))
	id=$$.$requests
	answer=
	echo "$id ${SECONDS_EACH:-60} $*" >&$to || bail "$asked is gone"
	while IFS= read -r line <&$from; do
		case $line in
		"$id "*)
			answer="$answer${line#"$id "}
"
			echo "	${line#"$id "}" >>"$EINAT_VM/steps.log"
			;;
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
	printf '%s\n' "$1" | sed '/^$/d; s/^/#   /'
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

# matches PATTERN: does a line of the answer match the extended regular
# expression? No answer matches none but the empty one. An IPv6 endpoint in
# it, which has brackets, stands for itself.
matches()
{
	[ -z "$1" ] || printf '%s' "$answer" |
		grep -qE -e "$(echo "$1" | sed -E 's/\[([0-9a-f]+:[0-9a-f:]+)\]/\\[\1\\]/g')"
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
	judge $status "$sentence" "$where" "$* (want $pattern)"
}

# also SENTENCE PATTERN: another look at the last answer.
also()
{
	matches "$2"
	judge $? "$1" "$where" "the same (want $2)"
}

# judge STATUS SENTENCE [VM COMMAND]: report, the other way round without the feature.
judge()
{
	if [ $feature = off ]; then
		status=$(($1 != 1)) sentence="fails without $without: $2"
		shift 2
		set -- $status "$sentence" "$@"
	fi
	report "$@"
}

# behaviour PROTOCOL ADDRESS: what a STUN client at this address of the lan VM finds out, six checks; what it is mapped to
# goes into $mapped.
behaviour()
{
	who="$2 over $1"
	step "$who: the server answers" lan 'Binding test: success' \
		stun-client "$(bare "$server")" --mode full --protocol "$1" \
		--localaddr "$2" --localport 21000 --timeout $deadline_ms
	also "$who: behavior test succeeds"		'Behavior test: success'
	also "$who: mapping is endpoint-independent"	'Nat behavior: Endpoint Independent Mapping'
	also "$who: filtering test succeeds"		'Filtering test: success'
	also "$who: filtering is endpoint-independent"	'Nat filtering: Endpoint Independent Filtering'
	also "$who: the external address is the router's" "Mapped address: $external:"
	# shellcheck disable=SC2034 # scenarios use it
	mapped=$(printf '%s' "$answer" | sed -n 's/^Mapped address: //p')
}

# holds EXTERNAL: a LAN host gets a mapping at this address, and a stranger reaches it there. Two checks a protocol.
holds()
{
	for protocol in udp tcp; do
		need lan start holder peer hold $protocol "$host:27000" "$server:7000" -w $deadline_ms
		step "$ip $protocol: a LAN host has a mapping" lan "mapped $1:27000" \
			await holder mapped
		step "$ip $protocol: a stranger reaches it there" wan "you $stranger:23000" \
			peer ask $protocol "$stranger:23000" "$1:27000" -w $deadline_ms
		need lan stop holder KILL
	done
}

# unreached EXTERNAL...: what was mapped there is mapped no more, although the LAN host would answer. A check each.
unreached()
{
	need lan start holder peer serve udp "$host:27000"
	for address in "$@"; do
		always "$ip: nobody is reached at the old port of $address" wan 'peer: ' \
			"! peer ask udp $stranger:23000 $address:27000 -w 1000"
	done
	need lan stop holder KILL
}

# always SENTENCE VM PATTERN COMMAND...: a step that does not depend on the feature.
always()
{
	was=$feature feature=on
	step "$@"
	feature=$was
}

# need VM COMMAND...: preparation, without which the rest of the file makes no sense.
need()
{
	ask "$@" && return
	echo "# failed: $*"
	explain "$answer"
	exit 1
}

# with OPTIONS: einat runs with these and no others from here on; without, not at all.
with()
{
	need router with "$@"
}

# on STEPS...: with einat as the router has it.
on()
{
	with "$ROUTER_EINAT"
	"$@"
}

# off STEPS...: without the feature.
# shellcheck disable=SC2034 # scenarios use them
off()
{
	feature=off deadline_ms=300 seconds=1 tenths=5 tries=1
	with "$others"
	"$@"
	feature=on deadline_ms=3000 seconds=3 tenths=10 tries=6
}

# twice WITHOUT OPTIONS STEPS...: with einat as the router has it, and with
# these options, or none at all, that is, without the feature, where the steps
# must fail. A start takes seconds: what runs already comes first, and what came
# last goes on.
twice()
{
	without=$1 others=$2
	shift 2
	if ask router runs "$others"; then
		off "$@"
		on "$@"
	else
		on "$@"
		off "$@"
	fi
}
