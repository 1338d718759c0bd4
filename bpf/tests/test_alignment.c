// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The programs read and write packets at aligned addresses alone, as MIPS and RISC-V demand: their verifier refuses anything
 * else. Here it is told to be as strict.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nat.h"
#include "nat44.skel.h"
#include "nat66.skel.h"

#define LOG_SIZE  (1 << 20)
#define LOG_SHOWN 600

/* What a configuration makes of the programs; the rest is zero. */
static const struct nat_constants bare = { .externals = 1 };
static const struct nat_constants several = { .externals = 2, .pooling = POOLING_PAIRED };
static const struct nat_constants everything = {
	.externals = 2,
	.policy_needs = POLICY_NEED_SOURCE | POLICY_NEED_DESTINATION,
	.turn_mark = 1,
	.inbound_mark = 2,
	.host_limit = { 1, 1, 1 },
	.mss_clamp = 1400,
	.filtering = FILTERING_ADDRESS_AND_PORT,
	.log_level = 5,
	.refresh_inbound = 1,
};

static char log_text[LOG_SIZE];

static struct nat_constants with_header(const struct nat_constants *constants, unsigned int l2_length)
{
	struct nat_constants all = *constants;

	all.l2_length = l2_length;
	all.has_coarse_clock = libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_ktime_get_coarse_ns, NULL) ==
			       1;
	return all;
}

/* Loads an opened object; what the verifier says at the end of a refusal is the message. */
static void load_strictly(struct bpf_object *object, unsigned int l2_length)
{
	struct bpf_program *program;
	size_t length;
	int err;

	bpf_object__for_each_program(program, object)
	{
		bpf_program__set_flags(program, BPF_F_STRICT_ALIGNMENT);
		bpf_program__set_log_buf(program, log_text, sizeof(log_text));
	}
	err = bpf_object__load(object);
	length = strlen(log_text);
	if (err)
		fail_msg("%s, frames with %u bytes before the IP header: %s: ...%s", bpf_object__name(object),
			 l2_length, strerror(-err), log_text + (length > LOG_SHOWN ? length - LOG_SHOWN : 0));
}

static void load_both(const struct nat_constants *constants, unsigned int l2_length)
{
	struct nat_constants all = with_header(constants, l2_length);
	struct nat44_bpf *nat44 = nat44_bpf__open();
	struct nat66_bpf *nat66 = nat66_bpf__open();

	assert_non_null(nat44);
	assert_non_null(nat66);
	nat44->rodata->constants = all;
	nat66->rodata->constants = all;
	load_strictly(nat44->obj, l2_length);
	load_strictly(nat66->obj, l2_length);
	nat44_bpf__destroy(nat44);
	nat66_bpf__destroy(nat66);
}

static void load_for_each_link(void **state)
{
	load_both(*state, 14);
	load_both(*state, 0);
}

/* The twin: a word at an odd place of the packet is refused, so the verifier does look. */
static void misaligned_is_refused(void **state)
{
	static const struct bpf_insn insns[] = {
		{ BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct __sk_buff, data), 0 },
		{ BPF_LDX | BPF_MEM | BPF_W, BPF_REG_3, BPF_REG_1, offsetof(struct __sk_buff, data_end), 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_4, BPF_REG_2, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_4, 0, 0, 8 },
		{ BPF_JMP | BPF_JGT | BPF_X, BPF_REG_4, BPF_REG_3, 1, 0 },
		{ BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_2, 1, 0 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_STRICT_ALIGNMENT);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "misaligned", "GPL", insns, sizeof(insns) / sizeof(*insns),
			       &opts);

	(void)state;
	assert_int_equal(fd, -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misaligned_is_refused),
		{ "as_they_are_by_default", load_for_each_link, NULL, NULL, (void *)&bare },
		{ "with_several_externals", load_for_each_link, NULL, NULL, (void *)&several },
		{ "with_every_feature", load_for_each_link, NULL, NULL, (void *)&everything },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
