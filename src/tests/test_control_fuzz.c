// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * control_request: what a client of the control socket, or of the metrics' port, may send, under the sanitizers: pieces of
 * good requests in any order, cut, and with bytes changed. Whatever it is, it is taken or refused with a word. See random.h.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "control_request.h"
#include "random.h"

enum { TEXT_MAX = 512, PIECES_MAX = 8, WORDS_MAX = 6 };

static const char *piece(void)
{
	static const char *const pieces[] = {
		"status",
		"counters",
		"mappings",
		"sessions",
		"hosts",
		"watch",
		"metrics",
		"top",
		"reload",
		"flush",
		"json",
		" json",
		" ifname=",
		"wan",
		" rows=",
		"24",
		" columns=",
		"80",
		"=",
		"/24",
		" ",
		"10.0.0.1",
		"2001:db8::",
		" internal=",
		"/129",
		"udp",
		" protocol=",
		" external-port=",
		"65535",
		"4294967296",
		"-1",
		"\n",
		"\r\n",
		"\r\n\r\n",
		"\n\n",
		"GET ",
		"GET /metrics",
		" HTTP/1.1",
		"HEAD ",
		"/metrics",
		"Host: a",
		"?x=1",
		"--json",
		"--internal",
		"--external-port",
		"--protocol",
		"mapping",
		"--",
		"%s%n",
		"\t",
		"\xff",
	};

	return pieces[random_below(sizeof(pieces) / sizeof(*pieces))];
}

/* Begins as something good one time in two. Returns its length, which a NUL in it does not end. */
static size_t text_make(char text[TEXT_MAX])
{
	static const char *const good[] = {
		"status",
		"mappings json internal=192.168.1.0/24 protocol=udp",
		"top rows=24 columns=80",
		"flush ifname=wan internal=fd00::2",
		"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	size_t length = 0, n;

	if (random_below(2))
		length = (size_t)snprintf(text, TEXT_MAX, "%s", good[random_below(sizeof(good) / sizeof(*good))]);
	for (n = random_below(PIECES_MAX); n && length < TEXT_MAX / 2; n--)
		length += (size_t)snprintf(text + length, TEXT_MAX - length, "%s", piece());
	for (n = random_below(4) ? 0 : random_below(4); n && length; n--)
		text[random_below((uint32_t)length)] = (char)random_below(256);
	if (length && !random_below(4))
		length = random_below((uint32_t)length);
	return length;
}

/* In memory that ends with it: the sanitizer sees a byte too far. */
static char *exactly(const char *text, size_t length)
{
	char *copy = malloc(length + !length);

	assert_non_null(copy);
	memcpy(copy, text, length);
	return copy;
}

static int line_try(const char *line, size_t length)
{
	struct control_request request;
	char error[64] = "";
	int err;

	err = control_request_parse(&request, line, length, error, sizeof(error));
	if (err) {
		assert_int_equal(err, -EINVAL);
		assert_in_range(strlen(error), 1, sizeof(error) - 1);
		return err;
	}
	assert_in_range(request.command, 0, CONTROL_COMMANDS - 1);
	assert_in_range(request.external_port, 0, 65535);
	assert_in_range(request.protocol + 1, 0, NAT_PROTOCOLS);
	assert_in_range(request.internal.length, 0, 128);
	assert_true(memchr(request.ifname, '\0', sizeof(request.ifname)) != NULL);
	return 0;
}

static void test_lines(void **state)
{
	unsigned long count = 0, taken = 0;
	const time_t end = random_begin();
	char text[TEXT_MAX], *exact;
	size_t length;

	(void)state;
	for (; time(NULL) < end; count++) {
		length = text_make(text);
		exact = exactly(text, length);
		taken += !line_try(exact, length);
		free(exact);
	}
	print_message("# %lu lines, %lu taken\n", count, taken);
	assert_true(taken > count / 1000);
}

/* What the command line makes of words is what the daemon takes. */
static void test_words(void **state)
{
	const time_t end = random_begin();
	unsigned long count = 0, taken = 0;
	char line[CONTROL_REQUEST_SIZE], error[64], *words[WORDS_MAX + 1];
	struct control_request request;
	size_t n, many;
	int err;

	(void)state;
	for (; time(NULL) < end; count++) {
		many = random_below(WORDS_MAX) + 1;
		for (n = 0; n < many; n++)
			words[n] = strdup(piece());
		words[many] = NULL;
		*error = '\0';
		err = control_request_from_words(line, words, &request, error, sizeof(error));
		if (!err)
			assert_int_equal(line_try(line, strlen(line)), 0);
		else if (err == -EINVAL)
			assert_in_range(strlen(error), 1, sizeof(error) - 1);
		else
			assert_int_equal(err, -ENOENT);
		taken += !err;
		for (n = 0; n < many; n++)
			free(words[n]);
	}
	print_message("# %lu command lines, %lu taken\n", count, taken);
	assert_true(taken > count / 1000);
}

static void test_http(void **state)
{
	unsigned long count = 0, answers[3] = { 0 };
	const time_t end = random_begin();
	char text[TEXT_MAX], *exact;
	const char *answer;
	size_t length;
	int err;

	(void)state;
	for (; time(NULL) < end; count++) {
		length = text_make(text);
		exact = exactly(text, length);
		answer = NULL;
		err = http_request_parse(exact, length, &answer);
		assert_true(err == 0 || err == -EAGAIN || err == -EINVAL);
		if (err != -EAGAIN)
			assert_memory_equal(answer, "HTTP/1.0 ", strlen("HTTP/1.0 "));
		answers[err ? 1 + (err == -EAGAIN) : 0]++;
		free(exact);
	}
	print_message("# %lu requests, %lu answered\n", count, answers[0]);
	assert_true(answers[0] && answers[1] && answers[2]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_http),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("control_fuzz", tests, NULL, NULL);
}
