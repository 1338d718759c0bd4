// SPDX-License-Identifier: GPL-2.0-or-later
/* control_request: what a client may ask, by line and by argv, and that no bytes do harm. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "control_request.h"

enum { FUZZ_ROUNDS = 200000 };

static void test_refused(void **state)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{ "", "\"\": unknown command" },
		{ "stat", "\"stat\": unknown command" },
		{ "Status", "\"Status\": unknown command" },
		{ " status", "\"\": unknown command" },
		{ "status ", "status: \"\": unknown option" },
		{ "status\tjson", "the request has byte 0x09 in it" },
		{ "status \xff", "the request has byte 0xff in it" },
		{ "status json json", "json: given twice" },
		{ "status json=1", "json: takes no value" },
		{ "status internal=10.0.0.1", "status: \"internal\": unknown option" },
		{ "metrics json", "metrics: \"json\": unknown option" },
		{ "mappings internal", "internal: needs an address or a network" },
		{ "mappings internal=", "internal: \"\": not an address or a network" },
		{ "mappings internal=10.0.0.256", "internal: \"10.0.0.256\": not an address or a network" },
		{ "mappings internal=10.0.0.0/33", "internal: \"10.0.0.0/33\": not an address or a network" },
		{ "mappings protocol=sctp", "protocol: \"sctp\": not tcp, udp or icmp" },
		{ "mappings external-port=0", "external-port: \"0\": not a port from 1 to 65535" },
		{ "mappings external-port=65536", "external-port: \"65536\": not a port from 1 to 65535" },
		{ "mappings external-port=4294967297", "external-port: \"4294967297\": not a port from 1 to 65535" },
		{ "mappings external-port=-1", "external-port: \"-1\": not a port from 1 to 65535" },
		{ "mappings ifname=a/b", "ifname: \"a/b\": not an interface name" },
		{ "mappings ifname=sixteen-letters-", "ifname: \"sixteen-letters-\": not an interface name" },
		{ "forward-add", "forward-add: needs a static mapping such as tcp:8000=192.168.1.2:80" },
		{ "forward-add forward", "forward: needs a static mapping such as tcp:8000=192.168.1.2:80" },
		{ "forward-add forward=tcp:80",
		  "forward: \"tcp:80\": not a static mapping such as tcp:8000=192.168.1.2:80" },
		{ "forward-add forward=tcp:0=10.0.0.1", "forward: \"tcp:0=10.0.0.1\": port 0 cannot be used" },
		{ "forward-list forward=tcp:80=10.0.0.1", "forward-list: \"forward\": unknown option" },
		{ "top rows=1001", "rows: \"1001\": not a number from 1 to 1000" },
	};
	struct control_request request;
	char error[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(control_request_parse(&request, cases[i].line, strlen(cases[i].line), error,
						       sizeof(error)),
				 -EINVAL);
		assert_string_equal(error, cases[i].error);
	}
}

static void test_taken(void **state)
{
	static const char line[] = "mappings json ifname=wan internal=192.168.1.7/24 protocol=udp external-port=25000";
	struct control_request request;
	__be32 inside[4] = { 0 }, outside[4] = { 0 };
	char error[256];

	(void)state;
	assert_int_equal(control_request_parse(&request, line, strlen(line), error, sizeof(error)), 0);
	assert_int_equal(request.command, CONTROL_MAPPINGS);
	assert_true(request.json);
	assert_string_equal(request.ifname, "wan");
	inet_pton(AF_INET, "192.168.1.200", inside);
	inet_pton(AF_INET, "192.168.2.200", outside);
	assert_true(control_request_wants(&request, AF_INET, inside, NAT_UDP, 25000));
	assert_false(control_request_wants(&request, AF_INET, outside, NAT_UDP, 25000));
	assert_false(control_request_wants(&request, AF_INET6, inside, NAT_UDP, 25000));
	assert_false(control_request_wants(&request, AF_INET, inside, NAT_TCP, 25000));
	assert_false(control_request_wants(&request, AF_INET, inside, NAT_UDP, 25001));
	assert_int_equal(control_request_parse(&request, "mappings", 8, error, sizeof(error)), 0);
	assert_true(control_request_wants(&request, AF_INET6, inside, NAT_ICMP, 1));
	assert_false(control_request_changes(&request));
	assert_int_equal(control_request_parse(&request, "flush internal=2001:db8::1", 26, error, sizeof(error)), 0);
	assert_true(control_request_changes(&request));
	assert_int_equal(request.internal.length, 128);
	assert_int_equal(control_request_parse(&request, "forward-del forward=tcp:8=10.0.0.1", 34, error,
					       sizeof(error)),
			 0);
	assert_true(control_request_changes(&request));
	assert_int_equal(request.forward.external.first, 8);
	assert_int_equal(control_request_parse(&request, "forward-list", 12, error, sizeof(error)), 0);
	assert_false(control_request_changes(&request));
	assert_int_equal(control_request_parse(&request, "reload", 6, error, sizeof(error)), 0);
	assert_true(control_request_changes(&request));
}

/* A line that is as long as it may be, and one more. */
static void test_length(void **state)
{
	char line[CONTROL_REQUEST_SIZE + 1], error[256];
	struct control_request request;

	(void)state;
	memset(line, 'a', sizeof(line));
	assert_int_equal(control_request_parse(&request, line, CONTROL_REQUEST_SIZE - 1, error, sizeof(error)),
			 -EINVAL);
	assert_string_equal(error, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": unknown command");
	assert_int_equal(control_request_parse(&request, line, CONTROL_REQUEST_SIZE, error, sizeof(error)), -EINVAL);
	assert_string_equal(error, "the request is longer than 255 bytes");
}

static void test_words(void **state)
{
	static const struct {
		const char *words[8];
		int err;
		const char *said; /* the line, or the error */
	} cases[] = {
		{ { NULL }, -ENOENT, NULL },
		{ { "-i", "wan" }, -ENOENT, NULL },
		{ { "check" }, -ENOENT, NULL },
		{ { "flush" }, -ENOENT, NULL },
		{ { "mapping" }, -ENOENT, NULL },
		{ { "mapping", "flush" }, 0, "flush" },
		{ { "mapping", "flush", "--protocol", "tcp" }, 0, "flush protocol=tcp" },
		{ { "status" }, 0, "status" },
		{ { "forward" }, -EINVAL, "forward: what follows is list, add or del" },
		{ { "forward", "put" }, -EINVAL, "forward: what follows is list, add or del" },
		{ { "forward-list" }, -ENOENT, NULL },
		{ { "forward", "list", "--json" }, 0, "forward-list json" },
		{ { "forward", "add", "-i", "wan", "tcp:80=10.0.0.1:8080" },
		  0,
		  "forward-add ifname=wan forward=tcp:80=10.0.0.1:8080" },
		{ { "forward", "del", "udp:80-89=[fd00::1]", "--json" },
		  0,
		  "forward-del forward=udp:80-89=[fd00::1] json" },
		{ { "forward", "add", "tcp:80=10.0.0.1", "tcp:81=10.0.0.1" }, -EINVAL, "forward: given twice" },
		{ { "forward", "add", "tcp:80=10.0.0.1 json" },
		  -EINVAL,
		  "\"tcp:80=10.0.0.1 json\": not a static mapping such as tcp:8000=192.168.1.2:80" },
		{ { "forward", "list", "tcp:80=10.0.0.1" },
		  -EINVAL,
		  "\"tcp:80=10.0.0.1\": not an option (--help shows all options)" },
		{ { "status", "--json", "-i", "wan" }, 0, "status json ifname=wan" },
		{ { "hosts", "--ifname=wan", "--json" }, 0, "hosts ifname=wan json" },
		{ { "mappings", "--internal", "10.0.0.1", "--external-port=5" },
		  0,
		  "mappings internal=10.0.0.1 external-port=5" },
		{ { "mappings", "--internal" }, -EINVAL, "internal: needs an address or a network" },
		{ { "mappings", "--internal", "10.0.0.1 json" },
		  -EINVAL,
		  "--internal: its value is too long, or has blanks in it" },
		{ { "mappings", "10.0.0.1" }, -EINVAL, "\"10.0.0.1\": not an option (--help shows all options)" },
		{ { "mappings", "--" }, -EINVAL, "\"--\": not an option (--help shows all options)" },
		{ { "mappings", "--port", "5" }, -EINVAL, "mappings: \"port\": unknown option" },
		{ { "mappings", "--internal",
		    "123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
		    "123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
		    "123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890" },
		  -EINVAL,
		  "--internal: its value is too long, or has blanks in it" },
	};
	char line[CONTROL_REQUEST_SIZE], error[256];
	struct control_request request;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(control_request_from_words(line, (char *const *)cases[i].words, &request, error,
							    sizeof(error)),
				 cases[i].err);
		if (cases[i].said)
			assert_string_equal(cases[i].err ? error : line, cases[i].said);
	}
}

/* Pieces of good requests and random bytes, in memory that ends with them: the sanitizers see a byte too far. */
static void test_fuzz(void **state)
{
	static const char *const pieces[] = {
		"status",
		"mappings",
		" ",
		"json",
		"internal=",
		"10.0.0.1",
		"/24",
		"protocol=udp",
		"=",
		"ifname=",
		"wan",
		"\n",
		"65535",
		"\xff",
		"hosts",
		"rows=",
		"2001:db8::",
		"flush",
		"sessions",
		"external-port=",
		"external-port=1",
		"%s%n",
		"\t",
		"forward-add forward=tcp:80=10.0.0.1",
	};
	unsigned int round, taken = 0;

	(void)state;
	srandom(4787);
	for (round = 0; round < FUZZ_ROUNDS; round++) {
		struct control_request request;
		char text[512] = "", error[64];
		size_t length;
		char *exact;
		int err;

		for (unsigned int n = (unsigned int)random() % 9; n && strlen(text) < 400; n--)
			strcat(text, pieces[(unsigned int)random() % (sizeof(pieces) / sizeof(*pieces))]);
		length = strlen(text);
		if (length && random() % 2)
			text[(size_t)random() % length] = (char)random();
		exact = malloc(length + !length);
		memcpy(exact, text, length);
		err = control_request_parse(&request, exact, length, error, sizeof(error));
		free(exact);
		assert_true(err == 0 || err == -EINVAL);
		taken += !err;
		if (err)
			assert_true(strlen(error) > 0);
	}
	assert_true(taken > FUZZ_ROUNDS / 1000); /* it is not all garbage */
}

static void test_http(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *status;
	} cases[] = {
		{ "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 0, "200" },
		{ "GET /metrics HTTP/1.0\n\n", 0, "200" },
		{ "GET /metrics?x=1 HTTP/1.0\r\n\r\n", 0, "200" },
		{ "GET /metrics\r\n\r\n", 0, "200" },
		{ "", -EAGAIN, NULL },
		{ "GET /metrics HTTP/1.1\r\nHost: a\r\n", -EAGAIN, NULL },
		{ "GET /metricsx HTTP/1.1\r\n\r\n", -EINVAL, "404" },
		{ "GET /metric HTTP/1.1\r\n\r\n", -EINVAL, "404" },
		{ "GET \r\n\r\n", -EINVAL, "404" },
		{ "GET /m\n\n", -EINVAL, "404" },
		{ "get /metrics HTTP/1.1\r\n\r\n", -EINVAL, "405" },
		{ "\n\n", -EINVAL, "405" },
	};
	const char *answer;
	size_t i, length;
	char *exact;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		length = strlen(cases[i].text);
		exact = malloc(length + !length);
		memcpy(exact, cases[i].text, length);
		assert_int_equal(http_request_parse(exact, length, &answer), cases[i].err);
		if (cases[i].status)
			assert_memory_equal(answer + strlen("HTTP/1.0 "), cases[i].status, 3);
		free(exact);
	}
	/* a NUL is no end */
	assert_int_equal(http_request_parse("GET /metrics\0 HTTP/1.0\r\n\r\n", 26, &answer), -EINVAL);
	assert_non_null(strstr(answer, "404"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_taken), cmocka_unit_test(test_length),
		cmocka_unit_test(test_words),	cmocka_unit_test(test_fuzz),  cmocka_unit_test(test_http),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("control_request", tests, NULL, NULL);
}
