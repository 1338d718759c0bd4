# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion for bash: to be installed as /usr/share/bash-completion/completions/einat.

_einat()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options
	local commands="check cleanup doctor status counters mappings sessions hosts watch mapping forward reload metrics top"
	local daemon="--help --version --json --config --ifname --ifindex --nat44 --nat66 --ports --hairpin-if --internal
		--forward --persist --bpf-log --bpf-loader -h -v -c -i"

	case $before in
	-i | --ifname | --hairpin-if)
		mapfile -t COMPREPLY < <(compgen -W "$(cd /sys/class/net && echo *)" -- "$word")
		return
		;;
	-c | --config)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--protocol)
		mapfile -t COMPREPLY < <(compgen -W "tcp udp icmp" -- "$word")
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
	check) options="--config --json -c" ;;
	cleanup) options="--config --ifname -c -i" ;;
	status | counters | reload) options="--ifname --json -i" ;;
	mappings | sessions | hosts | watch) options="--ifname --internal --protocol --external-port --json -i" ;;
	mapping) options="flush --ifname --internal --protocol --external-port --json -i" ;;
	forward) options="list add del --ifname --json -i" ;;
	metrics | top) options="--ifname -i" ;;
	*)
		options=$daemon
		[ "$COMP_CWORD" -gt 1 ] || options="$commands $daemon"
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}
complete -F _einat einat
