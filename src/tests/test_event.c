// SPDX-License-Identifier: GPL-2.0-or-later
/* event: what --bpf-log prints. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "event.h"

static struct nat_event event_make(int family, const char *internal, const char *remote)
{
	struct nat_event event = { .protocol = NAT_UDP };

	assert_int_equal(inet_pton(family, internal, event.internal_addr), 1);
	assert_int_equal(inet_pton(family, remote, event.remote_addr), 1);
	event.internal_port = htons(25000);
	event.external_port = htons(20001);
	event.remote_port = htons(53);
	return event;
}

static void test_lines(void **state)
{
	struct nat_event event = event_make(AF_INET, "192.168.1.100", "198.51.100.1");
	char text[256];

	(void)state;
	event.type = EVENT_MAPPING_NEW;
	event_format(&event, AF_INET, text, sizeof(text));
	assert_string_equal(text, "mapping made: udp 192.168.1.100:25000, external port 20001");
	event.type = EVENT_MAPPING_END;
	event_format(&event, AF_INET, text, sizeof(text));
	assert_string_equal(text, "mapping ended: udp 192.168.1.100:25000, external port 20001");
	event.type = EVENT_PACKET;
	event.direction = NAT_EGRESS;
	event.reason = WHY_NO_PORT;
	event_format(&event, AF_INET, text, sizeof(text));
	assert_string_equal(text, "out: dropped: no free external port: udp 192.168.1.100:25000 to 198.51.100.1:53");
	event.reason = WHY_OUT;
	event_format(&event, AF_INET, text, sizeof(text));
	assert_string_equal(text, "out: translated outwards: udp 192.168.1.100:25000 to 198.51.100.1:53");
	event.direction = NAT_INGRESS; /* then the local address is the external one */
	event.reason = WHY_UNMANAGED;
	event.protocol = NAT_TCP;
	event_format(&event, AF_INET, text, sizeof(text));
	assert_string_equal(text,
			    "in: passed: external port is not managed: tcp 198.51.100.1:53 to 192.168.1.100:20001");
	memset(&event, 0, sizeof(event));
	event.reason = WHY_NOT_IP;
	event_format(&event, AF_INET, text, sizeof(text));
	assert_string_equal(text, "out: passed: not this IP family");
}

static void test_ipv6(void **state)
{
	struct nat_event event = event_make(AF_INET6, "2001:db8::100", "2001:db8:1::1");
	char text[256];

	(void)state;
	event.type = EVENT_MAPPING_NEW;
	event_format(&event, AF_INET6, text, sizeof(text));
	assert_string_equal(text, "mapping made: udp [2001:db8::100]:25000, external port 20001");
}

/* What a newer data plane may send must not make an older daemon read beyond its tables. */
static void test_unknown_numbers(void **state)
{
	struct nat_event event;
	char text[256], small[8];
	int reason;

	(void)state;
	memset(&event, 0xff, sizeof(event));
	event_format(&event, AF_INET, text, sizeof(text));
	assert_non_null(strstr(text, "reason 255"));
	event_format(&event, AF_INET, small, sizeof(small));
	assert_int_equal(strlen(small), sizeof(small) - 1);
	for (reason = 0; reason < NAT_REASON_COUNT; reason++) {
		event.reason = (__u8)reason;
		event_format(&event, AF_INET, text, sizeof(text));
		assert_null(strstr(text, "(null)"));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_unknown_numbers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
