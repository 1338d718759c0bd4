// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps a BPF program that does nothing on an interface's TCX ingress hook, for
 * the test of netstate: prints `attached`, and ends with its standard input.
 */
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers, for the host's linux/bpf.h may be older than 6.6. */
#define TCX_INGRESS 46
#define TCX_NEXT    -1

int main(int argc, char **argv)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = TCX_NEXT },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t) "GPL";
	strcpy(attr.prog_name, "leftover");
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0 || argc != 2) {
		perror("tcx-attach: load");
		return 1;
	}
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = fd;
	attr.link_create.target_ifindex = if_nametoindex(argv[1]);
	attr.link_create.attach_type = TCX_INGRESS;
	if (syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)) < 0) {
		perror("tcx-attach: attach");
		return 1;
	}
	puts("attached");
	fflush(stdout);
	return getchar() == EOF ? 0 : 1;
}
