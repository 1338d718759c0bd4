# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the README of the original program says of itself and has its users type,
# where no other scenario has it: docs/use-cases.md has the list.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# run PROGRAM...: as it stands, instead of what ran before; ready when one family is.
run()
{
	with ''
	need router start einat "$@"
	need router await einat "'^einat: wan: [0-9a-f]+[.:]'" 300 '&&' '! stopped einat'
}

# lacks WHAT STEPS...: which must fail.
lacks()
{
	without=$1 feature=off deadline_ms=300 seconds=1 tenths=5
	shift
	"$@"
	feature=on deadline_ms=3000 seconds=3 tenths=10
}

# translates HOW: the LAN reaches the Internet.
translates()
{
	for protocol in udp tcp; do
		step "$1: $ip $protocol leaves from the external address" lan "you $external:22000" \
			peer ask $protocol "$host:22000" "$server:7000" -w $deadline_ms
	done
	step "$1: $ip, a LAN host pings the server" lan ' 0% packet loss' \
		"$ping" -c 1 -W $seconds -I "$(bare "$host")" "$(bare "$server")"
}

# hairpins HOW: from the LAN, and from the router itself, which is lo.
hairpins()
{
	need lan start holder peer hold udp "$other:24000" "$server:7000"
	need lan await holder mapped
	step "$1: $ip, the LAN reaches a LAN host by the external address" lan "you $external:25000" \
		peer ask udp "$host:25000" "$external:24000" -w $deadline_ms
	step "$1: $ip, so does the router" router "you $external:26000" \
		peer ask udp "$external:26000" "$external:24000" -w $deadline_ms
	need lan stop holder KILL
}

# The commands, in the order of the text; wan0 and lan0 are wan and lan here.
commands()
{
	family 4
	run einat --ifname wan --hairpin-if lo lan
	need router sysctl -q net.ipv4.ip_forward=0
	lacks ip_forward translates "einat --ifname"
	always "sysctl net.ipv4.ip_forward=1" router 'net.ipv4.ip_forward *= *1' sysctl net.ipv4.ip_forward=1
	translates "einat --ifname"
	hairpins "einat --ifname"
	family 6
	lacks --nat66 translates "einat --ifname"
	family 4
	need router "echo 'interfaces = [{ if_name = \"wan\", nat44 = true, ipv4_hairpin_route.internal_if_names = [\"lo\", \"lan\"] }]' >/run/config.toml"
	run einat --config /run/config.toml
	translates "einat --config"
	hairpins "einat --config"
}

# One option at a time: what it gives, and that it gives nothing else.
options()
{
	run einat -i wan
	family 4
	translates "einat -i wan"
	lacks --hairpin-if hairpins "einat -i wan"
	always "the programs are on wan's TC hooks, egress and ingress" router "$both" "$hooks"
	# shellcheck disable=SC2016 # for the VM's shell
	run einat --nat66 --ifindex '$(cat /sys/class/net/wan/ifindex)'
	lacks --nat44 translates "einat --nat66 --ifindex"
	family 6
	translates "einat --nat66 --ifindex"
	with ''
	always "stopped: nothing is on the hooks" router '^ *$' "$hooks"
	family 4
	lacks einat translates "stopped"
}

# Which, of wan's; a filter's parent is the ingress or the egress half of its qdisc.
hooks='netstate | grep -oE "^tcx dev wan (e|in)gress |^filter dev wan parent 0xfffffff[23] " | sort -u | xargs'
both='^(tcx dev wan egress tcx dev wan ingress|filter dev wan parent 0xfffffff2 filter dev wan parent 0xfffffff3)$'

# The router keeps the others for itself: a LAN host that uses one gets another.
reserved()
{
	step "a port of the second range is kept" lan "you $external:30005" \
		peer ask udp "$host:30005" "$server:7000" -w $deadline_ms
	step "one of neither is not" lan "you $external:(2000|3000)[0-9]\$" \
		peer ask udp "$host:25000" "$server:7000" -w $deadline_ms
	need lan start holder peer hold udp "$host:25001" "$server:7000"
	need lan await holder mapped
	step "nor is it taken from the router" router "you $external:25001" \
		peer ask udp "$external:25001" "$server:7000" -w $deadline_ms
	need lan stop holder KILL
}

ranges()
{
	family 4
	run einat -i wan --ports 20000-20009 30000-30009
	reserved
	run einat -i wan
	lacks --ports reserved
}

# The identifier of a query is its port: one mapping for all remotes, and for all strangers.
queries()
{
	for address in "$server" "$stranger"; do
		address=$(bare "$address")
		need wan start hears query hear "$address"
		need wan await hears hearing
		need lan query ask 21000 "$(bare "$host")" "$address"
		step "$ip: a query to $address leaves with its identifier" wan . \
			await hears "'^request $(bare "$external") 21000'" $tenths
		need wan stop hears KILL
	done
	need lan start hears query hear "$(bare "$host")"
	need lan await hears hearing
	for id in 21001 21000; do
		need wan query answer $id "$(bare "$gateway")" "$(bare "$external")"
	done
	step "$ip: an answer from somebody else is let in" lan . \
		await hears "'^answer $(bare "$gateway") 21000'" $tenths
	always "$ip: not with an identifier that has no mapping" lan '^0$' \
		'grep -c "^answer .* 21001" /run/hears.log || :'
	need lan stop hears KILL
}

# What the original's service files give: SYS_ADMIN for BPF and PERFMON, which came later. NET_RAW it did not ask for.
capabilities()
{
	with ''
	need router 'mkdir -p /run/user && chown 65534 /run/user && chmod 700 /run/user'
	always "SYS_ADMIN and NET_ADMIN: NET_RAW is asked for, too" router 'missing capabilities: NET_RAW; run it as root' \
		'! as-user 65534 sys_admin net_admin -- einat -i wan'
	need router "ulimit -l unlimited; RUNTIME_DIRECTORY=/run/user \
		start einat as-user 65534 sys_admin net_admin net_raw -- einat -i wan"
	need router await einat "'^einat: wan: 203'" 300
	family 4
	translates "SYS_ADMIN, NET_ADMIN and NET_RAW"
}

# A host whose router is the LAN's VM, by an einat of its own: what the world outside does counts as well.
behind_another()
{
	port=$((port + 1))
	step "behind another NAT: endpoint-independent mapping" lan 'Nat behavior: Endpoint Independent Mapping' \
		stun-client "$server" --mode full --protocol udp --localaddr 10.9.9.2 --localport $port --timeout 1000
	was=$feature feature=$1
	also "behind another NAT: endpoint-independent filtering" 'Nat filtering: Endpoint Independent Filtering'
	feature=$was
}

double()
{
	need lan 'ip link add inner type dummy && ip addr add 10.9.9.2/32 dev inner && ip link set inner up'
	need lan start inner einat -i lan
	need lan await inner "'^einat: lan: 192'" 300
	port=23000
	run einat -i wan
	behind_another on
	need router "echo 'interfaces = [{ if_name = \"wan\", nat44 = true, filtering = \"address-and-port-dependent\" }]' >/run/strict.toml"
	run einat -c /run/strict.toml
	# shellcheck disable=SC2034 # judge says it
	without="a full cone outside"
	behind_another off
	need lan stop inner
	need lan ip link del inner
}

plan 65
commands
options
ranges
with "$ROUTER_EINAT"
families queries
with ''
lacks einat families queries
capabilities
double
always "the kernel tracks no connection, if it can at all" router '^0$' \
	'cat /proc/sys/net/netfilter/nf_conntrack_count 2>/dev/null || echo 0'
with ''
need router fresh
always "the state is as before" router '' same
