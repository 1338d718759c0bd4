#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The workflows in .github, as far as they can be checked away from there.
set -u
cd "$(dirname "$0")/.." || exit
tmp=$(mktemp -d) || exit
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=toolchains/tap.sh
. toolchains/tap.sh

# is_yaml FILE: does it parse, and has each job a machine and steps that do one thing each?
is_yaml()
{
	python3 - "$1" <<'END'
import sys, yaml
workflow = yaml.safe_load(open(sys.argv[1]))
assert workflow["name"] and workflow[True] and workflow["permissions"] == {"contents": "read"}, workflow.keys()
for name, job in workflow["jobs"].items():
    assert job["runs-on"] and job["steps"], name
    for step in job["steps"]:
        assert ("run" in step) != ("uses" in step), (name, step)
END
}

# targets FILE: each word that a make in it is to make
targets()
{
	grep -E '^ *- run: .*\<make ' "$1" | grep -v apt-get | sed 's/.*\<make //; s/\${{[^}]*}}/x/g' | tr ' ' '\n' | grep -vE '^-|=|^$'
}

known() { grep -qE "^$1:" Makefile; }

targets_known()
{
	[ -n "$(targets "$1")" ] || return 1
	for target in $(targets "$1"); do
		known "$target" || { echo "no such target: $target"; return 1; }
	done
}

only_actions() { grep -oE 'uses: .*' "$1" | grep -vE '^uses: actions/[a-z-]+@v[0-9]+$'; }
names_host() { grep -E '://|[a-z0-9]+\.(io|com|org|net)\>' "$1"; }
every_arch() { [ "$(sed -n 's/^ *arch: \[\(.*\)\]$/\1/p' "$1")" = "$(cd toolchains && echo ./*.mk | sed 's|\./||g; s/\.mk//g; s/ /, /g')" ]; }

for file in .github/workflows/*.yml; do
	name=${file##*/}
	if python3 -c 'import yaml' 2>/dev/null; then
		check "$name: it is YAML, of jobs with steps" is_yaml "$file"
	else
		skip "$name: it is YAML, of jobs with steps" "python3-yaml is not there"
	fi
	check "$name: every target that it makes exists" targets_known "$file"
	check "$name: it uses nobody's actions but the platform's own" not only_actions "$file"
	check "$name: it names no host" not names_host "$file"
done
check "every architecture is tested on its kernels" every_arch .github/workflows/ci.yml
printf 'jobs:\n  a:\n    steps:\n      - run: make releas\n' >"$tmp/wrong.yml"
check "a target that does not exist is found" not targets_known "$tmp/wrong.yml"
echo "1..$checks"
