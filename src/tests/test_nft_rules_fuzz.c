// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nft_rules: messages that the kernel would not send, under the sanitizers: whole ones of all kinds, with bytes changed and
 * ends cut. EINAT_FUZZ_SECONDS (2) and EINAT_FUZZ_SEED (1) change how long and which.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "nft_batch.h"
#include "nft_rules.h"
#include "random.h"

enum { LONGEST = 4096, MESSAGES_PER_RULESET = 64 };

/* Attributes at random, some of them nests, with the names that mean something. */
static void put_attributes(struct nlmsghdr *message, int depth)
{
	static const char *const names[] = { "meta",	     "cmp",	   "masq",   "nat",	 "immediate",
					     "flow_offload", "exthdr",	   "target", "lookup",	 "wan",
					     "payload",	     "MASQUERADE", "TCPMSS", "einat-wan" };
	uint8_t bytes[20];
	struct nlattr *nest;
	uint32_t n, i;

	for (n = random_below(5); n > 0 && message->nlmsg_len < LONGEST / 2; n--) {
		const uint16_t type = (uint16_t)random_below(14);

		switch (random_below(4)) {
		case 0:
			mnl_attr_put_strz(message, type, names[random_below(sizeof(names) / sizeof(*names))]);
			break;
		case 1:
			mnl_attr_put_u32(message, type, htonl(random_below(12)));
			break;
		case 2:
			for (i = 0; i < sizeof(bytes); i++)
				bytes[i] = (uint8_t)random_below(256);
			mnl_attr_put(message, type, random_below(sizeof(bytes) + 1), bytes);
			break;
		default:
			nest = mnl_attr_nest_start(message, type);
			if (depth < 6)
				put_attributes(message, depth + 1);
			mnl_attr_nest_end(message, nest);
		}
	}
}

static void message_make(struct nlmsghdr *message)
{
	static const int types[] = { NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE, NFT_MSG_NEWFLOWTABLE };
	struct nfgenmsg *header;

	mnl_nlmsg_put_header(message);
	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | types[random_below(3)]);
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = (uint8_t)random_below(11);
	put_attributes(message, 0);
}

/* A copy that ends with its memory, so that the sanitizer sees a step over the end. */
static void message_feed(struct nft_ruleset *ruleset, const struct nlmsghdr *message, bool is_broken)
{
	uint32_t length = message->nlmsg_len, changes;
	uint8_t *copy;

	if (is_broken && !random_below(3))
		length = NLMSG_HDRLEN + random_below(length - NLMSG_HDRLEN + 1);
	copy = malloc(length);
	assert_non_null(copy);
	memcpy(copy, message, length);
	for (changes = is_broken ? random_below(8) : 0; changes && length > NLMSG_HDRLEN; changes--)
		copy[NLMSG_HDRLEN + random_below(length - NLMSG_HDRLEN)] = (uint8_t)random_below(256);
	((struct nlmsghdr *)(void *)copy)->nlmsg_len = length;
	mnl_cb_run(copy, length, 0, 0, nft_ruleset_read, ruleset);
	free(copy);
}

static void test_fuzz(void **state)
{
	const time_t end = random_begin();
	struct nft_ruleset ruleset = { .ifname = "wan", .ifindex = 3 };
	struct nlmsghdr *message = malloc(LONGEST * 4);
	struct masquerade_config config = { "wan", true, true, { 1, 1, 1 }, NULL, 0, NULL, 0 };
	const struct nlmsghdr *ours;
	unsigned long count = 0;
	struct nft_batch batch;
	int left;

	(void)state;
	assert_non_null(message);
	assert_int_equal(nft_batch_build(&batch, &config, false), 0);
	while (time(NULL) < end) {
		ours = batch.buffer;
		left = (int)batch.length;
		for (; mnl_nlmsg_ok(ours, left); ours = mnl_nlmsg_next(ours, &left), count++)
			message_feed(&ruleset, ours, true);
		for (; count % MESSAGES_PER_RULESET; count++) {
			message_make(message);
			message_feed(&ruleset, message, random_below(2));
		}
		count++;
		nft_ruleset_judge(&ruleset);
		nft_ruleset_free(&ruleset);
		strcpy(ruleset.ifname, "wan");
	}
	print_message("# %lu messages\n", count);
	assert_true(count > 1000);
	free(batch.buffer);
	free(message);
}

/* What we make is read as what it is: source NAT in front of the others, but not in the way. */
static void test_our_own(void **state)
{
	struct masquerade_config config = { "wan", true, true, { 1, 1, 1 }, NULL, 0, NULL, 0 };
	struct nft_ruleset ruleset = { .ifname = "wan", .ifindex = 3 };
	struct nft_batch batch;
	unsigned int nat = 0;
	size_t i;

	(void)state;
	assert_int_equal(nft_batch_build(&batch, &config, false), 0);
	mnl_cb_run(batch.buffer, batch.length, 0, 0, nft_ruleset_read, &ruleset);
	free(batch.buffer);
	nft_ruleset_judge(&ruleset);
	assert_int_equal(ruleset.chains_count, 2);
	assert_int_equal(ruleset.rules_count, 6);
	for (i = 0; i < ruleset.rules_count; i++) {
		nat += ruleset.rules[i].action == NFT_ACTION_SOURCE_NAT;
		assert_false(ruleset.rules[i].is_in_the_way);
		strcpy(ruleset.rules[i].chain.table, "nat");
	}
	assert_int_equal(nat, 2);
	for (i = 0; i < ruleset.chains_count; i++)
		strcpy(ruleset.chains[i].place.table, "nat");
	nft_ruleset_judge(&ruleset);
	for (i = 0, nat = 0; i < ruleset.rules_count; i++)
		nat += ruleset.rules[i].is_in_the_way;
	assert_int_equal(nat, 2);
	nft_ruleset_free(&ruleset);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_our_own),
		cmocka_unit_test(test_fuzz),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("nft_rules", tests, NULL, NULL);
}
