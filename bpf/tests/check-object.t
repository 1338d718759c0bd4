#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bpf/check-object refuses what it is there to refuse, and nothing else: tiny objects, compiled here.
# Needs clang and libbpf's headers, which `make` has put below build/bpf.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
include=$top/build/bpf/include
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

# compile NAME: standard input, after what every program needs, becomes $work/NAME.o
compile() {
	{
		echo '#include <linux/bpf.h>'
		echo '#include <bpf/bpf_helpers.h>'
		echo 'char _license[] SEC("license") = "GPL";'
		cat
	} >"$work/$1.c"
	"${CLANG:-clang}" -target bpfel -mcpu=v2 -O2 -g -nostdlibinc -isystem "$include" -c "$work/$1.c" -o "$work/$1.o" ||
		{ echo "Bail out! cannot compile $1.c"; exit 1; }
}

# check SENTENCE NAME WANTED: WANTED is what the message must say, or empty for no complaint
check() {
	n=$((n + 1))
	said=$("$top/bpf/check-object" "$work/$2.o" "$include/bpf/bpf_helper_defs.h" 2>&1)
	status=$?
	if [ -z "$3" ] && [ $status -eq 0 ] && [ -z "$said" ]; then
		echo "ok $n - $1"
	elif [ -n "$3" ] && [ $status -ne 0 ] && [ -z "${said##*"$3"*}" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "# exit status $status, want ${3:-silence and 0}, got: $said"
	fi
}

echo 1..7

compile plain <<'END'
SEC("tc") int program(struct __sk_buff *skb) { return bpf_get_prandom_u32() + skb->len; }
END
check "a program that calls a listed helper passes" plain ""

compile relocation <<'END'
struct task { int pid; } __attribute__((preserve_access_index));
SEC("tc") int program(struct __sk_buff *skb) { return ((struct task *)(long)skb->mark)->pid; }
END
check "a CO-RE relocation is refused" relocation "CO-RE relocations"

compile call <<'END'
static __attribute__((noinline)) int other(struct __sk_buff *skb) { return skb->len * 3 + skb->mark; }
SEC("tc") int program(struct __sk_buff *skb) { return other(skb) + other(skb); }
END
check "a call to another BPF function is refused" call "not helpers"

compile kernel <<'END'
extern int kernel_function(struct __sk_buff *skb) __attribute__((section(".ksyms")));
SEC("tc") int program(struct __sk_buff *skb) { return kernel_function(skb); }
END
check "a call to a kernel function is refused" kernel "not helpers"

compile helper <<'END'
SEC("tc") int program(struct __sk_buff *skb) { bpf_trace_printk("x", 2); return skb->len; }
END
check "a helper that is not listed is refused by its name" helper "bpf_trace_printk is not in"

compile constant <<'END'
struct four { int value[4]; };
SEC("tc") int program(struct __sk_buff *skb)
{
	struct four four = { { 3, 1, 4, 1 } };

	asm volatile("" : : "r"(&four) : "memory");
	return four.value[skb->mark & 3];
}
END
check "a constant in a section of its own is refused by the section's name" constant ".rodata.cst16"

compile nothing <<'END'
int value = 1;
END
check "an object without a program is refused" nothing "no "
