// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The readers of the kernel's messages (netlink_read, routing_read, qdisc_read, facts_read): they find what is there, and
 * survive, under the sanitizers, messages that the kernel would not send: cut at every length, with every attribute of every
 * wrong length, without a NUL, with bytes changed. EINAT_FUZZ_SECONDS (2) and EINAT_FUZZ_SEED (1) change how long and which.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "facts_read.h"
#include "netlink_read.h"
#include "qdisc_read.h"
#include "random.h"
#include "routing_read.h"

enum { LONGEST = 512, WAN = 3, LAN = 2, TABLE = 4787 };

/* What all readers write to. */
static struct {
	struct link link;
	struct interface_addresses addresses;
	struct address_search address_search;
	struct link_settings settings;
	struct altname_search altnames;
	struct event_reader events;
	struct hairpin_items items;
	struct items_reader reader;
	struct table_search table;
	struct filter_list filters;
	struct ingress_search ingress;
	struct family_facts facts;
	struct default_search defaults;
	struct qdisc_filter filter; /* the last one */
	char filter_name[32], event_name[IFNAMSIZ], why[32];
	int event_ifindex;
} sink;

static bool note_event(int ifindex, const char *name, void *arg)
{
	(void)arg;
	sink.event_ifindex = ifindex;
	snprintf(sink.event_name, sizeof(sink.event_name), "%s", name ? name : "");
	return true;
}

static void note_filter(const struct qdisc_filter *filter, void *arg)
{
	(void)arg;
	sink.filter = *filter;
	snprintf(sink.filter_name, sizeof(sink.filter_name), "%s", filter->bpf_name);
}

static void sink_reset(void)
{
	free(sink.addresses.addresses);
	free(sink.altnames.found);
	hairpin_items_free(&sink.items);
	memset(&sink, 0, sizeof(sink));
	sink.address_search = (struct address_search){ &sink.addresses, WAN };
	sink.altnames.prefix = "einat-";
	sink.events.is_ours = note_event;
	sink.reader = (struct items_reader){ &sink.items, AF_INET };
	sink.table = (struct table_search){ .table = TABLE, .family = AF_INET };
	sink.filters.visit = note_filter;
	sink.ingress.ifindex = WAN;
	sink.defaults = (struct default_search){ &sink.facts, WAN, 0 };
}

static int why_read(const struct nlmsghdr *message, void *data)
{
	return error_read(message, data, sizeof(sink.why));
}

static int end_read(const struct nlmsghdr *message, void *data)
{
	(void)data;
	return done_read(message);
}

/* Messages as the kernel sends them: one for each reader. */
static void *message_start(struct nlmsghdr *message, uint16_t type, size_t size)
{
	mnl_nlmsg_put_header(message);
	message->nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(message, size);
}

static void link_make(struct nlmsghdr *message)
{
	struct ifinfomsg *info = message_start(message, RTM_NEWLINK, sizeof(*info));

	info->ifi_index = WAN;
	info->ifi_type = ARPHRD_ETHER;
	info->ifi_flags = IFF_UP;
	mnl_attr_put_strz(message, IFLA_IFNAME, "wan");
	mnl_attr_put(message, IFLA_ADDRESS, 6, "\2\0\0\0\2\1");
}

/* With two other names, the second ours, and settings. */
static void properties_make(struct nlmsghdr *message)
{
	struct ifinfomsg *info = message_start(message, RTM_NEWLINK, sizeof(*info));
	const uint32_t values[3] = { 7, 8, 9 };
	struct nlattr *nest, *family;

	info->ifi_index = WAN;
	nest = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	family = mnl_attr_nest_start(message, AF_INET);
	mnl_attr_put(message, IFLA_INET_CONF, sizeof(values), values);
	mnl_attr_nest_end(message, family);
	mnl_attr_nest_end(message, nest);
	nest = mnl_attr_nest_start(message, IFLA_PROP_LIST);
	mnl_attr_put_strz(message, IFLA_ALT_IFNAME, "enp1s0");
	mnl_attr_put_strz(message, IFLA_ALT_IFNAME, "einat-before");
	mnl_attr_nest_end(message, nest);
}

static void address_make(struct nlmsghdr *message)
{
	struct ifaddrmsg *info = message_start(message, RTM_NEWADDR, sizeof(*info));

	info->ifa_family = AF_INET;
	info->ifa_prefixlen = 24;
	info->ifa_index = WAN;
	mnl_attr_put_u32(message, IFA_ADDRESS, htonl(0xcb007101));
	mnl_attr_put_u32(message, IFA_LOCAL, htonl(0xcb007102));
	mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_PERMANENT);
}

static void rule_make(struct nlmsghdr *message)
{
	struct fib_rule_hdr *header = message_start(message, RTM_NEWRULE, sizeof(*header));
	struct fib_rule_port_range ports = { 20000, 29999 };

	header->family = AF_INET;
	header->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(message, FRA_PRIORITY, 100);
	mnl_attr_put_u32(message, FRA_TABLE, TABLE);
	mnl_attr_put_u32(message, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	mnl_attr_put_u8(message, FRA_PROTOCOL, HAIRPIN_OWNER);
	mnl_attr_put_strz(message, FRA_IIFNAME, "lan");
	mnl_attr_put_u8(message, FRA_IP_PROTO, IPPROTO_TCP);
	mnl_attr_put(message, FRA_DPORT_RANGE, sizeof(ports), &ports);
}

static void route_make(struct nlmsghdr *message)
{
	struct rtmsg *header = message_start(message, RTM_NEWROUTE, sizeof(*header));

	header->rtm_family = AF_INET;
	header->rtm_dst_len = 32;
	header->rtm_protocol = HAIRPIN_OWNER;
	header->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(message, RTA_TABLE, TABLE);
	mnl_attr_put_u32(message, RTA_DST, htonl(0xcb007102));
	mnl_attr_put_u32(message, RTA_OIF, WAN);
}

/* Two hops, of which the second is the last thing in the message. */
static void default_make(struct nlmsghdr *message)
{
	struct rtmsg *header = message_start(message, RTM_NEWROUTE, sizeof(*header));
	struct rtnexthop hops[2] = { { .rtnh_len = sizeof(*hops), .rtnh_ifindex = LAN },
				     { .rtnh_len = sizeof(*hops), .rtnh_ifindex = WAN } };

	header->rtm_family = AF_INET;
	header->rtm_protocol = RTPROT_BOOT;
	header->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(message, RTA_TABLE, TABLE);
	mnl_attr_put_u32(message, RTA_OIF, LAN);
	mnl_attr_put(message, RTA_MULTIPATH, sizeof(hops), hops);
}

static void neighbour_make(struct nlmsghdr *message)
{
	struct ndmsg *header = message_start(message, RTM_NEWNEIGH, sizeof(*header));

	header->ndm_family = AF_INET;
	header->ndm_ifindex = WAN;
	header->ndm_state = NUD_PERMANENT;
	mnl_attr_put_u32(message, NDA_DST, htonl(0xcb007102));
	mnl_attr_put(message, NDA_LLADDR, 6, "\2\0\0\0\2\1");
	mnl_attr_put_u8(message, NDA_PROTOCOL, HAIRPIN_OWNER);
}

static void filter_make(struct nlmsghdr *message)
{
	struct tcmsg *tc = message_start(message, RTM_NEWTFILTER, sizeof(*tc));
	struct nlattr *nest;

	tc->tcm_ifindex = WAN;
	tc->tcm_handle = 7;
	tc->tcm_info = 5 << 16;
	mnl_attr_put_strz(message, TCA_KIND, "bpf");
	nest = mnl_attr_nest_start(message, TCA_OPTIONS);
	mnl_attr_put_u32(message, TCA_BPF_FLAGS, 1);
	mnl_attr_put_strz(message, TCA_BPF_NAME, "nat_egress:[23]");
	mnl_attr_nest_end(message, nest);
}

static void qdisc_make(struct nlmsghdr *message)
{
	struct tcmsg *tc = message_start(message, RTM_NEWQDISC, sizeof(*tc));

	tc->tcm_ifindex = WAN;
	tc->tcm_parent = TC_H_INGRESS;
	mnl_attr_put_strz(message, TCA_KIND, "ingress");
}

static void error_make(struct nlmsghdr *message)
{
	struct nlmsgerr *error = message_start(message, NLMSG_ERROR, sizeof(*error));

	message->nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
	error->error = -ENOENT;
	mnl_attr_put_strz(message, NLMSGERR_ATTR_MSG, "FIB table does not exist");
}

static void done_make(struct nlmsghdr *message)
{
	int *error = message_start(message, NLMSG_DONE, sizeof(*error));

	*error = -ENOENT;
}

static const struct reader {
	const char *name;
	void (*make)(struct nlmsghdr *message);
	int (*read)(const struct nlmsghdr *message, void *data);
	void *data;
	size_t header; /* what must be there */
} readers[] = {
	{ "link", link_make, link_read, &sink.link, sizeof(struct ifinfomsg) },
	{ "other names", properties_make, altname_read, &sink.altnames, sizeof(struct ifinfomsg) },
	{ "settings", properties_make, settings_read, &sink.settings, sizeof(struct ifinfomsg) },
	{ "address", address_make, address_read, &sink.address_search, sizeof(struct ifaddrmsg) },
	{ "link event", link_make, event_read, &sink.events, sizeof(struct ifinfomsg) },
	{ "address event", address_make, event_read, &sink.events, sizeof(struct ifaddrmsg) },
	{ "rule", rule_make, rule_read, &sink.reader, sizeof(struct fib_rule_hdr) },
	{ "route", route_make, route_read, &sink.reader, sizeof(struct rtmsg) },
	{ "table", default_make, table_read, &sink.table, sizeof(struct rtmsg) },
	{ "neighbour", neighbour_make, neighbour_read, &sink.reader, sizeof(struct ndmsg) },
	{ "filter", filter_make, filter_read, &sink.filters, sizeof(struct tcmsg) },
	{ "qdisc", qdisc_make, ingress_read, &sink.ingress, sizeof(struct tcmsg) },
	{ "default route", default_make, default_route_read, &sink.defaults, sizeof(struct rtmsg) },
	{ "rule of ours", rule_make, left_rule_read, &sink.facts, sizeof(struct fib_rule_hdr) },
	{ "error", error_make, why_read, sink.why, sizeof(struct nlmsgerr) },
	{ "end", done_make, end_read, NULL, 0 },
};

enum { READERS = sizeof(readers) / sizeof(*readers) };

/* From a copy that ends with its memory, so that the sanitizer sees a step over the end. */
static int feed(const struct reader *reader, const void *bytes, uint32_t length)
{
	struct nlmsghdr *copy = malloc(length);
	int result;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	copy->nlmsg_len = length;
	errno = 0;
	result = reader->read(copy, reader->data);
	free(copy);
	return result;
}

static void test_good(void **state)
{
	_Alignas(struct nlmsghdr) char buffer[LONGEST];
	struct nlmsghdr *message = (void *)buffer;
	size_t i;

	(void)state;
	sink_reset();
	for (i = 0; i < READERS; i++) {
		readers[i].make(message);
		assert_int_equal(feed(&readers[i], message, message->nlmsg_len),
				 readers[i].read == why_read || readers[i].read == end_read ? MNL_CB_ERROR : MNL_CB_OK);
		if (readers[i].make == link_make && readers[i].read == event_read) {
			assert_string_equal(sink.event_name, "wan");
			assert_int_equal(sink.events.changes, NETLINK_LINKS_CHANGED);
		}
		if (readers[i].read == why_read || readers[i].read == end_read)
			assert_int_equal(errno, ENOENT);
	}
	assert_string_equal(sink.link.name, "wan");
	assert_int_equal(sink.link.mac[5], 1);
	assert_int_equal(sink.altnames.count, 1);
	assert_int_equal(sink.altnames.found[0].ifindex, WAN);
	assert_string_equal(sink.altnames.found[0].name, "einat-before");
	assert_int_equal(sink.settings.count, 3);
	assert_int_equal(sink.settings.values[2], 9);
	assert_int_equal(sink.event_ifindex, WAN);
	assert_int_equal(sink.addresses.count, 1);
	assert_int_equal(sink.addresses.addresses[0].flags, IFA_F_PERMANENT);
	assert_int_equal(sink.addresses.addresses[0].local[0], htonl(0xcb007102));
	assert_int_equal(sink.items.count, 3);
	assert_string_equal(sink.items.items[0].iif, "lan");
	assert_int_equal(sink.items.items[0].to_ports.last, 29999);
	assert_false(sink.items.items[0].is_foreign);
	assert_int_equal(sink.items.items[1].addr[0], htonl(0xcb007102));
	assert_int_equal(sink.items.items[1].table, TABLE);
	assert_int_equal(sink.items.items[2].mac[0], 2);
	assert_true(sink.table.is_foreign);
	assert_int_equal(sink.filter.priority, 5);
	assert_string_equal(sink.filter_name, "nat_egress:[23]");
	assert_int_equal(sink.ingress.found, 1);
	assert_true(sink.facts.has_static_default);
	assert_int_equal(sink.defaults.other, LAN);
	assert_int_equal(sink.facts.left_rules, 1);
	assert_string_equal(sink.why, "FIB table does not exist");
}

static void test_truncated(void **state)
{
	_Alignas(struct nlmsghdr) char buffer[LONGEST];
	struct nlmsghdr *message = (void *)buffer;
	uint32_t length;
	size_t i;

	(void)state;
	sink_reset();
	for (i = 0; i < READERS; i++) {
		readers[i].make(message);
		for (length = NLMSG_HDRLEN; length < message->nlmsg_len; length++) {
			const int result = feed(&readers[i], message, length);

			if (length >= NLMSG_HDRLEN + readers[i].header)
				continue;
			if (result != MNL_CB_ERROR || errno != EBADMSG)
				fail_msg("%s of %u bytes: %d", readers[i].name, length, result);
		}
	}
}

/* Every attribute, nested ones too, says each length that it has not. What looks like one may be none: the better. */
static void test_wrong_lengths(void **state)
{
	_Alignas(struct nlmsghdr) char buffer[LONGEST];
	struct nlmsghdr *message = (void *)buffer;
	uint32_t at, length, whole;
	struct nlattr *attr;
	uint16_t before;
	size_t i;

	(void)state;
	for (i = 0; i < READERS; i++) {
		readers[i].make(message);
		whole = message->nlmsg_len;
		for (at = NLMSG_HDRLEN + NLMSG_ALIGN(readers[i].header); at + NLA_HDRLEN <= whole; at += NLA_ALIGNTO) {
			attr = (void *)(buffer + at);
			before = attr->nla_len;
			for (length = 0; length <= whole - at + 8; length++) {
				sink_reset();
				attr->nla_len = (uint16_t)length;
				feed(&readers[i], message, whole);
			}
			attr->nla_len = UINT16_MAX;
			feed(&readers[i], message, whole);
			attr->nla_len = before;
		}
	}
}

/* A text that fills its attribute, at the end of the message. */
static void test_no_end(void **state)
{
	static const char text[] = "nobody ever ends this";
	_Alignas(struct nlmsghdr) char buffer[LONGEST];
	struct nlmsghdr *message = (void *)buffer;
	struct nlattr *nest;
	uint16_t type;
	size_t i;

	(void)state;
	sink_reset();
	for (i = 0; i < READERS; i++)
		for (type = 0; type < 32; type++) {
			readers[i].make(message);
			mnl_attr_put(message, type, 20, text);
			feed(&readers[i], message, message->nlmsg_len);
			message_start(message, message->nlmsg_type, readers[i].header);
			mnl_attr_put(message, type, 20, text);
			feed(&readers[i], message, message->nlmsg_len);
		}
	filter_make(message);
	message->nlmsg_len = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct tcmsg));
	mnl_attr_put_strz(message, TCA_KIND, "bpf");
	nest = mnl_attr_nest_start(message, TCA_OPTIONS);
	mnl_attr_put(message, TCA_BPF_NAME, 20, text);
	mnl_attr_nest_end(message, nest);
	sink_reset();
	for (i = 0; i < READERS; i++)
		if (readers[i].read == filter_read)
			assert_int_equal(feed(&readers[i], message, message->nlmsg_len), MNL_CB_OK);
	assert_int_equal(sink.filter.handle, 7);
	assert_string_equal(sink.filter_name, "");
	/* the right word, but for its end */
	message_start(message, RTM_NEWQDISC, sizeof(struct tcmsg));
	((struct tcmsg *)mnl_nlmsg_get_payload(message))->tcm_ifindex = WAN;
	((struct tcmsg *)mnl_nlmsg_get_payload(message))->tcm_parent = TC_H_INGRESS;
	mnl_attr_put(message, TCA_KIND, strlen("ingress"), "ingress");
	for (i = 0; i < READERS; i++)
		if (readers[i].read == ingress_read)
			assert_int_equal(feed(&readers[i], message, message->nlmsg_len - 1), MNL_CB_OK);
	assert_int_equal(sink.ingress.found, 0);
}

/* Several messages in a row, some bytes of them changed, cut anywhere: to every reader, as if it had been received. */
static void feed_all(void)
{
	_Alignas(struct nlmsghdr) char buffer[4 * LONGEST];
	uint32_t length = 0, changes, i, messages = 1 + random_below(4);
	char *copy;

	for (i = 0; i < messages; i++) {
		struct nlmsghdr *message = (void *)(buffer + length);

		readers[random_below(READERS)].make(message);
		length += NLMSG_ALIGN(message->nlmsg_len);
	}
	if (!random_below(2))
		length = random_below(length + 1);
	copy = malloc(length);
	assert_non_null(copy);
	memcpy(copy, buffer, length);
	for (changes = random_below(8); changes && length; changes--)
		copy[random_below(length)] = (char)(random_below(2) ? random_below(256) : random_below(24));
	for (i = 0; i < READERS; i++)
		mnl_cb_run(copy, length, 0, 0, readers[i].read, readers[i].data);
	free(copy);
}

static void test_fuzz(void **state)
{
	const time_t end = random_begin();
	unsigned long count = 0;

	(void)state;
	while (time(NULL) < end) {
		if (!(count++ % 64))
			sink_reset();
		feed_all();
	}
	sink_reset();
	print_message("# %lu times, to %d readers\n", count, (int)READERS);
	assert_true(count > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),   cmocka_unit_test(test_truncated), cmocka_unit_test(test_wrong_lengths),
		cmocka_unit_test(test_no_end), cmocka_unit_test(test_fuzz),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("netlink_read", tests, NULL, NULL);
}
