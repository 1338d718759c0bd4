// SPDX-License-Identifier: GPL-2.0-or-later
/* nft_batch: the table's name, and messages that are whole. What nft makes of them is masquerade.t's. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "nft_batch.h"

static void test_names(void **state)
{
	static const char *const cases[][2] = {
		{ "wan", "einat-wan" },
		{ "eth0.100", "einat-eth0.100" },
		{ "pppoe-wan", "einat-pppoe-wan" },
		{ "a_b", "einat-a_5fb" },
		{ "a\"b", "einat-a_22b" },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		  "einat-_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff" },
	};
	char name[NFT_NAME_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		nft_table_name(cases[i][0], name);
		assert_string_equal(name, cases[i][1]);
	}
}

static struct internal_network network(const char *text, unsigned int length)
{
	struct internal_network made = { .family = strchr(text, ':') ? AF_INET6 : AF_INET, .prefix.length = length };

	assert_int_equal(inet_pton(made.family, text, made.prefix.addr), 1);
	return made;
}

/* Counts the rules; every message must follow the one before without a gap, numbered from 0. */
static unsigned int batch_rules(const struct nft_batch *batch)
{
	const struct nlmsghdr *message = batch->buffer;
	unsigned int rules = 0, sequence = 0;
	int left = (int)batch->length;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		assert_int_equal(message->nlmsg_seq, sequence++);
		rules += message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE);
	}
	assert_int_equal(left, 0);
	assert_int_equal(sequence, batch->messages + 2);
	return rules;
}

static void test_batches(void **state)
{
	const struct internal_network internals[] = {
		network("192.168.1.0", 24),
		network("10.0.0.0", 8),
		network("2001:db8:1::", 48),
	};
	const struct {
		const char *what;
		struct masquerade_config config;
		unsigned int rules;
	} cases[] = {
		{ "IPv4, every source, three protocols", { "wan", true, false, { 1, 1, 1 }, NULL, 0, NULL, 0 }, 4 },
		{ "both families: ICMP has two numbers", { "wan", true, true, { 1, 1, 1 }, NULL, 0, NULL, 0 }, 6 },
		{ "IPv6 alone", { "wan", false, true, { 1, 1, 1 }, NULL, 0, NULL, 0 }, 4 },
		{ "a protocol that is off", { "wan", true, false, { 0, 1, 0 }, NULL, 0, NULL, 0 }, 2 },
		{ "networks of the other family do not count",
		  { "wan", true, false, { 1, 1, 1 }, internals, 3, NULL, 0 },
		  5 },
		{ "only networks of the other family: nothing, not everything",
		  { "wan", true, false, { 1, 1, 1 }, internals + 2, 1, NULL, 0 },
		  3 },
		{ "destinations that are left alone",
		  { "wan", true, true, { 1, 1, 1 }, internals, 3, internals, 3 },
		  10 },
	};
	struct nft_batch batch;
	size_t i;
	int v;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].what);
		for (v = 0; v < 2; v++) {
			assert_int_equal(nft_batch_build(&batch, &cases[i].config, v), 0);
			assert_int_equal(batch_rules(&batch), cases[i].rules);
			assert_int_equal(batch.chain, 2 + v);
			assert_int_equal(batch.messages, 3 + v + cases[i].rules);
			free(batch.buffer);
		}
	}
}

/* Room is reckoned by the message: many networks at the longest must fit. */
static void test_many(void **state)
{
	struct internal_network *many = calloc(2000, sizeof(*many));
	struct masquerade_config config = { "fifteen_letters", true, true, { 1, 1, 1 }, many, 2000, many, 2000 };
	struct nft_batch batch;
	size_t i;

	(void)state;
	assert_non_null(many);
	for (i = 0; i < 2000; i++)
		many[i] = network("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 128);
	assert_int_equal(nft_batch_build(&batch, &config, true), 0);
	assert_int_equal(batch_rules(&batch), 4004);
	free(batch.buffer);
	free(many);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_many),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("nft_batch", tests, NULL, NULL);
}
