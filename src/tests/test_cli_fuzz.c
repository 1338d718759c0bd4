// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cli: words that nobody would type, under the sanitizers: options and values that mean something in any order, glued
 * together, cut, and with bytes changed. Whatever it is, it is taken, or refused with one line and exit status 1 or 2.
 * EINAT_FUZZ_SECONDS (2) and EINAT_FUZZ_SEED (1) change how long and which.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "cli.h"
#include "random.h"

enum { WORDS_MAX = 12, WORD_SIZE = 96, CLI_ACTIONS = CLI_REFUSE + 1 };

static const char *word_known(void)
{
	static const char *const words[] = {
		"-i",
		"wan",
		"--ifname",
		"--ifindex",
		"3",
		"--nat44",
		"--nat66",
		"--ports",
		"20000-29999",
		"1-65535",
		"0-0",
		"30000-20000",
		"--internal",
		"10.0.0.0/8",
		"fd00::/8",
		"::/0",
		"192.168.1.0/33",
		"--hairpin-if",
		"lo",
		"lan",
		"--persist",
		"--bpf-log",
		"5",
		"--bpf-loader",
		"aya",
		"-c",
		"--config",
		"/etc/a",
		"--json",
		"-h",
		"-v",
		"--version",
		"--help",
		"check",
		"cleanup",
		"doctor",
		"status",
		"mappings",
		"counters",
		"sessions",
		"mapping",
		"top",
		"metrics",
		"forward",
		"flush",
		"-",
		"--",
		"",
		"--forward",
		"tcp:8000=192.168.1.2:80",
		"udp:5000-5010=192.168.1.2:5000",
		"tcp,udp:53=[fd00::2]:53",
		"4294967296",
		"sixteen-letters-",
	};

	return words[random_below(sizeof(words) / sizeof(*words))];
}

/* How a line begins that may well be taken; the rest is chance. */
static int line_begin(char *argv[])
{
	static const char *const lines[][4] = {
		{ "-i", "wan" },
		{ "-c", "/etc/a" },
		{ "check", "-c", "/etc/a" },
		{ "doctor", "-i", "wan" },
		{ "cleanup" },
		{ "status" },
		{ "mappings", "--json" },
		{ "mapping", "flush" },
		{ "sessions", "-i", "wan" },
		{ "-h" },
		{ "-v" },
		{ NULL },
	};
	const char *const *line = lines[random_below(sizeof(lines) / sizeof(*lines))];
	int n;

	for (n = 0; line[n]; n++)
		argv[n] = strdup(line[n]);
	return n;
}

/* In memory of its own length, so that the sanitizer sees a step over the end. */
static char *word_make(void)
{
	char text[WORD_SIZE];
	size_t length, changes;

	snprintf(text, sizeof(text), "%s%s%s", word_known(), random_below(6) ? "" : "=",
		 random_below(6) ? "" : word_known());
	length = strlen(text);
	if (length && !random_below(8))
		text[random_below((uint32_t)length)] = '\0';
	length = strlen(text);
	for (changes = random_below(4) ? 0 : random_below(4); changes && length; changes--)
		text[random_below((uint32_t)length)] = (char)(1 + random_below(255));
	return strdup(text);
}

static void test_fuzz(void **state)
{
	const time_t end = random_begin();
	unsigned long count, actions[CLI_ACTIONS] = { 0 };
	char *argv[WORDS_MAX + 2];
	struct cli cli;
	int argc, words, i;

	(void)state;
	for (count = 0; time(NULL) < end; count++) {
		argv[0] = strdup("einat");
		argc = 1 + line_begin(argv + 1);
		for (words = (int)random_below(WORDS_MAX - 4); words > 0; words--)
			argv[argc++] = word_make();
		argv[argc] = NULL;
		cli_parse(&cli, argc, argv);
		actions[cli.action]++;
		if (cli.action == CLI_REFUSE) {
			assert_in_range(cli.status, 1, 2);
			assert_in_range(strlen(cli.error), 1, sizeof(cli.error) - 1);
		}
		config_free(&cli.config);
		for (i = 0; i < argc; i++)
			free(argv[i]);
	}
	print_message("# %lu command lines\n", count);
	for (i = 0; i < CLI_ACTIONS; i++)
		assert_true(actions[i] > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fuzz),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cli_fuzz", tests, NULL, NULL);
}
