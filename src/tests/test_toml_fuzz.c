// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random documents, and good ones with random harm done to them, under the sanitizers. Whatever comes is read or refused with
 * a place within the text, and what is read is a tree that holds together. What is made of it as a configuration is refused
 * with a word, or is printed, and reads back to the same print.
 *
 *	test_toml_fuzz [-s SEED] [-n DOCUMENTS]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_file.h"
#include "config_print.h"
#include "toml.h"

enum { LENGTH_MAX = 2048, DOCUMENTS = 80000, HARMS_MAX = 4 };

static const char *const seeds[] = {
	"a=1\nb.c=[1,2,{x=\"\\u00e9\"},]\n[[t]]\n[[t]]\nq=1979-05-27 07:32:00.5+01:00\n",
	"# c\n[a.b]\nx=\"\"\"\none \\\n  two\"\"\"\ny='''\nz'''\n[a]\nz.w=-0.5e-3\n",
	"s=\"\\b\\t\\n\\f\\r\\\"\\\\\\U0001F600\"\nl='C:\\x'\nn=[0xdead_beef,0o17,0b1,-inf,nan,true]\n",
	"[[interfaces]]\nif_name = \"wan\"\ntcp_ranges = [\"20000-29999\"]\nipv4_hairpin_route = { enable = true }\n",
	"d=[2000-02-29,23:59:60,1979-05-27T00:32:00.999999-07:00]\r\n\"quo ted\".'k'=1\r\n",
	"[defaults]\nicmp_in_ranges=[\"0-9\"]\n[[interfaces]]\nif_name='wan'\nnat44=true\ntimeout_udp_min='1.5h'\n"
	"externals=[{match_address={start='192.0.2.1',end='192.0.2.9'}},{network='2001:db8::1/32',no_snat=true}]\n",
	"[[interfaces]]\nif_name='w'\nnat66=true\ninbound_mark=0xff\nsnat_internals=['2001:db8::/32']\n"
	"ipv6_hairpin_route.internal_if_names=['lo']\n[[interfaces.externals]]\naddress='192.0.2.1'\nudp_ranges=[]\n",
	"a={b={c={d=[[[[]]]]}}}\n[[x.y]]\n[x.y.z]\n[[x.y.w]]\n",
};

static const char *const words[] = { "[",
				     "]",
				     "[[",
				     "]]",
				     "{",
				     "}",
				     "=",
				     ".",
				     ",",
				     "\"",
				     "'",
				     "#",
				     "\n",
				     "\r",
				     "\r\n",
				     "\\",
				     "\"\"\"",
				     "'''",
				     "\\u00e9",
				     "\\U0010ffff",
				     "a",
				     "b",
				     "a.b",
				     "=1",
				     "a={}",
				     "inf",
				     "nan",
				     "true",
				     "0x1f",
				     "1_0",
				     "1e99",
				     "-",
				     "+",
				     "_",
				     "\xc3\xa9",
				     "\xed\xa0\x80",
				     "\xff",
				     "\x7f",
				     "1979-05-27",
				     "07:32:00",
				     " ",
				     "\t",
				     "T",
				     "Z",
				     "[a]\n",
				     "[[a]]\n",
				     "9223372036854775807" };

static uint64_t state;

/* xorshift64*, so that a seed means the same everywhere */
static uint32_t random_below(uint32_t bound)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 0x2545f4914f6cdd1d) >> 32) % bound;
}

static void fail(const char *what, const char *text, size_t length, unsigned long seed, unsigned long number)
{
	printf("not ok 1 - document %lu of seed %lu: %s\n", number, seed, what);
	fprintf(stderr, "%s: ", what);
	fwrite(text, 1, length, stderr);
	fputc('\n', stderr);
	exit(1);
}

/* Replaces `cut` bytes at `at` by those at `put`, as far as there is room. */
static size_t splice(char *text, size_t length, size_t at, size_t cut, const char *put, size_t count)
{
	if (length - cut + count > LENGTH_MAX)
		return length;
	memmove(text + at + count, text + at + cut, length - at - cut);
	memcpy(text + at, put, count);
	return length - cut + count;
}

static size_t harm(char *text, size_t length)
{
	char copy[LENGTH_MAX], byte = (char)random_below(256);
	size_t at = random_below((uint32_t)length + 1), left = length - at, count;
	const char *put;

	count = left ? random_below(left < 64 ? (uint32_t)left : 64) : 0;
	switch (random_below(5)) {
	case 0: /* another byte */
		return splice(text, length, at, left > 0, &byte, 1);
	case 1: /* a word */
		put = words[random_below(sizeof(words) / sizeof(*words))];
		return splice(text, length, at, 0, put, strlen(put));
	case 2: /* some less */
		return splice(text, length, at, count, "", 0);
	case 3: /* some of it again, elsewhere */
		memcpy(copy, text + at, count);
		return splice(text, length, random_below((uint32_t)length + 1), 0, copy, count);
	default: /* some of another document */
		put = seeds[random_below(sizeof(seeds) / sizeof(*seeds))];
		count = random_below((uint32_t)strlen(put));
		return splice(text, length, at, 0, put + count, random_below((uint32_t)(strlen(put) - count)));
	}
}

static size_t make(char *text)
{
	size_t length = 0, n;
	const char *put;

	if (random_below(4)) {
		put = seeds[random_below(sizeof(seeds) / sizeof(*seeds))];
		length = splice(text, 0, 0, 0, put, strlen(put));
		for (n = random_below(HARMS_MAX) + 1; n; n--)
			length = harm(text, length);
		return length;
	}
	for (n = random_below(60); n; n--) {
		put = words[random_below(sizeof(words) / sizeof(*words))];
		length = splice(text, length, length, 0, put, strlen(put));
	}
	return length;
}

/* What is wrong with a tree, or NULL. */
static const char *tree_check(const struct toml_document *document, const struct toml_value *value)
{
	const struct toml_value *element;
	const struct toml_entry *entry;
	const char *wrong = NULL;
	size_t count = 0;

	if (value->depth > TOML_DEPTH_MAX)
		return "too deep";
	if (value->type == TOML_STRING && value->string.text[value->string.length])
		return "a string without an end";
	if (value->type == TOML_ARRAY) {
		for (element = value->array.first; element && !wrong; element = element->next, count++)
			wrong = tree_check(document, element);
		return wrong || count == value->array.count ? wrong : "an array with another count";
	}
	if (value->type != TOML_TABLE)
		return NULL;
	for (entry = value->table.first; entry && !wrong; entry = entry->next) {
		if (strlen(entry->key.text) == entry->key.length &&
		    toml_get(document, value, entry->key.text) != &entry->value)
			return "an entry that is not found";
		wrong = tree_check(document, &entry->value);
	}
	return wrong;
}

/* What is wrong with how a text was read, or NULL. */
static const char *read_check(const char *text, size_t length, bool *is_valid)
{
	struct toml_document *document;
	unsigned int lines = 1;
	struct toml_error error;
	const char *wrong;
	size_t i;
	int err;

	for (i = 0; i < length; i++)
		lines += text[i] == '\n';
	err = toml_parse(&document, text, length, &error);
	*is_valid = !err;
	if (!err) {
		wrong = tree_check(document, toml_root(document));
		toml_free(document);
		return wrong;
	}
	if (document || !*error.text)
		return "refused without a word";
	return error.line < 1 || error.line > lines || error.column < 1 || error.column > length + 1
		       ? "refused at a place beyond the text"
		       : NULL;
}

static char *print(const struct config *config)
{
	char *printed = NULL;
	size_t size;
	FILE *to = open_memstream(&printed, &size);

	if (to) {
		config_print(to, config, CONFIG_TOML);
		fclose(to);
	}
	return printed;
}

/* What is wrong with how a text was taken as a configuration, or NULL. */
static const char *config_check_text(const char *text, size_t length, unsigned long *configs)
{
	char error[512], *first, *second = NULL;
	const char *wrong = NULL;
	struct config config;

	if (config_file_parse(&config, "f", text, length, error, sizeof(error)))
		return *error && !config.interfaces_count ? NULL : "a configuration refused without a word";
	++*configs;
	first = print(&config);
	config_free(&config);
	if (!first || config_file_parse(&config, "f", first, strlen(first), error, sizeof(error))) {
		wrong = "a print that is refused";
	} else {
		second = print(&config);
		wrong = second && !strcmp(first, second) ? NULL : "a print that reads back to another";
		config_free(&config);
	}
	free(first);
	free(second);
	return wrong;
}

int main(int argc, char *argv[])
{
	unsigned long seed = 1, documents = DOCUMENTS, n, valid = 0, configs = 0;
	char text[LENGTH_MAX], *exact;
	const char *wrong;
	bool is_valid;
	size_t length;
	int option;

	while ((option = getopt(argc, argv, "s:n:")) != -1) {
		if (option == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (option == 'n')
			documents = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	printf("1..1\n");
	for (n = 0; n < documents; n++) {
		state = (seed << 32 ^ n) * 0x9e3779b97f4a7c15 + 1;
		length = make(text);
		exact = malloc(length ? length : 1); /* no byte to spare: the sanitizer sees whoever reads on */
		if (!exact)
			return 1;
		memcpy(exact, text, length);
		wrong = read_check(exact, length, &is_valid);
		wrong = wrong ? wrong : config_check_text(exact, length, &configs);
		if (wrong)
			fail(wrong, exact, length, seed, n);
		valid += is_valid;
		free(exact);
	}
	printf("ok 1 - %lu documents of seed %lu, %lu of them valid, %lu configurations\n", documents, seed, valid,
	       configs);
	return 0;
}
