#!/bin/zsh -f
# SPDX-License-Identifier: GPL-2.0-or-later
# What zsh offers after these words, the last of which may be begun, one a line and sorted. A shell on a terminal of its own is
# asked, as zsh completes nowhere else: its Tab key writes down what completion adds.
#
#	packaging/complete.zsh WORDS

zmodload zsh/zpty
zmodload zsh/datetime
local folder=$(mktemp -d) completion=${0:A:h}/completion line
cat >$folder/.zshrc <<END
PS1=
fpath=($completion \$fpath)
autoload -Uz compinit
compinit -u -d $folder/dump
compadd() {
	local -a added
	if [[ -z \${(M)@:#-[OAD]} ]]; then
		builtin compadd -O added "\$@"
		print -rl -- \$added >>$folder/added
	fi
	builtin compadd "\$@"
}
tab() { _main_complete; : >$folder/done }
zle -C tab complete-word tab
bindkey '^I' tab
: >$folder/ready
END

await() {
	local -i end=$((EPOCHSECONDS + 20))
	until [[ -e $1 ]] {
		zpty -rt shell line # or it would wait to be read
		(( EPOCHSECONDS < end )) || { print -u 2 "zsh does not answer"; exit 1 }
		sleep 0.02
	}
}

{
	: >$folder/added
	export ZDOTDIR=$folder TERM=vt100
	zpty shell exec zsh -d -i
	await $folder/ready
	zpty -w -n shell "$1"$'\t'
	await $folder/done
	zpty -d shell
	sort -u $folder/added | sed '/^$/d'
} always {
	rm -r $folder
}
