// SPDX-License-Identifier: GPL-2.0-or-later
/* See control_request.h. Each command says which words may follow it; all else is refused. */
#include "control_request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum word {
	WORD_JSON = 1,
	WORD_IFNAME = 2,
	WORD_FILTER = 4, /* internal, protocol, external-port */
	WORD_SIZE = 8,	 /* rows, columns */
	WORD_FORWARD = 16,
};

static const struct {
	const char *name;
	unsigned int words; /* enum word */
	bool changes;
} commands[CONTROL_COMMANDS] = {
	[CONTROL_STATUS] = { "status", WORD_JSON | WORD_IFNAME, false },
	[CONTROL_COUNTERS] = { "counters", WORD_JSON | WORD_IFNAME, false },
	[CONTROL_MAPPINGS] = { "mappings", WORD_JSON | WORD_IFNAME | WORD_FILTER, false },
	[CONTROL_SESSIONS] = { "sessions", WORD_JSON | WORD_IFNAME | WORD_FILTER, false },
	[CONTROL_HOSTS] = { "hosts", WORD_JSON | WORD_IFNAME | WORD_FILTER, false },
	[CONTROL_WATCH] = { "watch", WORD_JSON | WORD_IFNAME | WORD_FILTER, false },
	[CONTROL_METRICS] = { "metrics", WORD_IFNAME, false },
	[CONTROL_TOP] = { "top", WORD_IFNAME | WORD_SIZE, false },
	[CONTROL_RELOAD] = { "reload", WORD_JSON | WORD_IFNAME, true },
	[CONTROL_FLUSH] = { "flush", WORD_JSON | WORD_IFNAME | WORD_FILTER, true },
	[CONTROL_FORWARD_LIST] = { "forward-list", WORD_JSON | WORD_IFNAME, false },
	[CONTROL_FORWARD_ADD] = { "forward-add", WORD_JSON | WORD_IFNAME | WORD_FORWARD, true },
	[CONTROL_FORWARD_DEL] = { "forward-del", WORD_JSON | WORD_IFNAME | WORD_FORWARD, true },
};

static const struct {
	const char *name;
	enum word word;
	const char *what; /* its value is */
} keys[] = {
	{ "json", WORD_JSON, NULL },
	{ "ifname", WORD_IFNAME, "an interface name" },
	{ "internal", WORD_FILTER, "an address or a network" },
	{ "protocol", WORD_FILTER, "tcp, udp or icmp" },
	{ "external-port", WORD_FILTER, "a port from 1 to 65535" },
	{ "rows", WORD_SIZE, "a number from 1 to 1000" },
	{ "columns", WORD_SIZE, "a number from 1 to 1000" },
	{ "forward", WORD_FORWARD, "a static mapping such as tcp:8000=192.168.1.2:80" },
};

enum key {
	KEY_JSON,
	KEY_IFNAME,
	KEY_INTERNAL,
	KEY_PROTOCOL,
	KEY_EXTERNAL_PORT,
	KEY_ROWS,
	KEY_COLUMNS,
	KEY_FORWARD,
	KEYS
};

static int __attribute__((format(printf, 3, 4))) refuse(char *error, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, size, format, args);
	va_end(args);
	return -EINVAL;
}

static int take_number(const char *text, uint32_t max, uint32_t *number)
{
	*number = 0;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		*number = *number * 10 + (uint32_t)(*text - '0');
		if (*number > max)
			return -EINVAL;
	}
	return *number ? 0 : -EINVAL;
}

static int take_internal(struct control_request *request, const char *text)
{
	struct ip_prefix *prefix = &request->internal;
	const char *why;

	if (strchr(text, '/')) {
		if (network_parse(text, &request->family, prefix, &why))
			return -EINVAL;
		ip_prefix_mask(prefix);
		return 0;
	}
	if (address_parse(text, &request->family, prefix->addr))
		return -EINVAL;
	prefix->length = request->family == AF_INET ? 32 : 128;
	return 0;
}

static int take_protocol(struct control_request *request, const char *text)
{
	static const char *const names[NAT_PROTOCOLS] = { [NAT_TCP] = "tcp", [NAT_UDP] = "udp", [NAT_ICMP] = "icmp" };

	for (request->protocol = 0; request->protocol < NAT_PROTOCOLS; request->protocol++)
		if (!strcmp(text, names[request->protocol]))
			return 0;
	return -EINVAL;
}

static int value_take(struct control_request *request, enum key key, const char *value, const char **why)
{
	switch (key) {
	case KEY_JSON:
		request->json = true;
		return 0;
	case KEY_IFNAME:
		if (!interface_name_is_valid(value))
			return -EINVAL;
		snprintf(request->ifname, sizeof(request->ifname), "%s", value);
		return 0;
	case KEY_INTERNAL:
		return take_internal(request, value);
	case KEY_PROTOCOL:
		return take_protocol(request, value);
	case KEY_EXTERNAL_PORT:
		return take_number(value, UINT16_MAX, &request->external_port);
	case KEY_ROWS:
		return take_number(value, 1000, &request->rows);
	case KEY_COLUMNS:
		return take_number(value, 1000, &request->columns);
	case KEY_FORWARD:
		return forward_parse(&request->forward, value, why);
	default:
		return -EINVAL;
	}
}

/* A word behind the command; given: bit n: key n has been there. */
static int word_take(struct control_request *request, char *word, unsigned int *given, char *error, size_t size)
{
	char *value = strchr(word, '=');
	const char *why = NULL;
	enum key key;

	if (value)
		*value++ = '\0';
	for (key = 0; key < KEYS && strcmp(keys[key].name, word) != 0; key++)
		;
	if (key == KEYS || !(commands[request->command].words & keys[key].word))
		return refuse(error, size, "%s: \"%.32s\": unknown option", commands[request->command].name, word);
	if (*given & 1u << key)
		return refuse(error, size, "%s: given twice", word);
	*given |= 1u << key;
	if (!value != !keys[key].what)
		return refuse(error, size, "%s: %s%s", word, value ? "takes no value" : "needs ",
			      value ? "" : keys[key].what);
	if (value_take(request, key, value ? value : "", &why))
		return refuse(error, size, "%s: \"%.64s\": %s%s", word, value, why ? "" : "not ",
			      why ? why : keys[key].what);
	return 0;
}

static int command_find(const char *name)
{
	int i;

	for (i = 0; i < CONTROL_COMMANDS && strcmp(name, commands[i].name) != 0; i++)
		;
	return i;
}

int control_request_parse(struct control_request *request, const char *line, size_t length, char *error, size_t size)
{
	char copy[CONTROL_REQUEST_SIZE], *rest = copy, *word;
	unsigned int given = 0;
	size_t i;
	int command, err = 0;

	memset(request, 0, sizeof(*request));
	request->protocol = -1;
	if (length >= sizeof(copy))
		return refuse(error, size, "the request is longer than %d bytes", CONTROL_REQUEST_SIZE - 1);
	for (i = 0; i < length; i++)
		if (line[i] < ' ' || line[i] > '~')
			return refuse(error, size, "the request has byte 0x%02x in it", (unsigned char)line[i]);
	memcpy(copy, line, length);
	copy[length] = '\0';
	word = strsep(&rest, " ");
	command = command_find(word);
	if (command == CONTROL_COMMANDS)
		return refuse(error, size, "\"%.32s\": unknown command", word);
	request->command = (enum control_command)command;
	while (!err && (word = strsep(&rest, " ")))
		err = word_take(request, word, &given, error, size);
	if (!err && commands[command].words & WORD_FORWARD && !(given & 1u << KEY_FORWARD))
		return refuse(error, size, "%s: needs %s", commands[command].name, keys[KEY_FORWARD].what);
	return err;
}

/* " NAME=VALUE" at the line's end. Returns whether there is room for it, and no blank in it. */
static bool word_append(char line[CONTROL_REQUEST_SIZE], const char *name, const char *value)
{
	size_t used = strlen(line), i;
	int n = snprintf(line + used, CONTROL_REQUEST_SIZE - used, " %s%s%s", name, value ? "=" : "",
			 value ? value : "");

	if (n < 0 || n >= (int)(CONTROL_REQUEST_SIZE - used))
		return false;
	for (i = used + 1; line[i]; i++)
		if (line[i] <= ' ' || line[i] > '~')
			return false;
	return true;
}

/* --key VALUE or --key=VALUE. Returns how many words that took. */
static int option_add(char line[CONTROL_REQUEST_SIZE], char *const *words, char *error, size_t size)
{
	const char *name = words[0], *value = NULL;
	int n = 1;

	if (!strncmp(name, "--", 2) && name[2])
		name += 2;
	else if (!strcmp(name, "-i"))
		name = "ifname";
	else
		return refuse(error, size, "\"%.32s\": not an option (--help shows all options)", name);
	if (!strchr(name, '=') && strcmp(name, "json") != 0 && words[1]) {
		value = words[1];
		n = 2;
	}
	if (word_append(line, name, value))
		return n;
	return refuse(error, size, "--%.32s: its value is too long, or has blanks in it", name);
}

/* Commands of two words, and what a line calls them. */
static const struct {
	const char *first, *second, *name;
} pairs[] = {
	{ "mapping", "flush", "flush" },
	{ "forward", "list", "forward-list" },
	{ "forward", "add", "forward-add" },
	{ "forward", "del", "forward-del" },
};

/* How many words name the command, which goes to line; 0: none does. */
static int command_add(char line[CONTROL_REQUEST_SIZE], char *const words[])
{
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		if (!strcmp(words[0], pairs[i].name))
			return 0;
		if (words[1] && !strcmp(words[0], pairs[i].first) && !strcmp(words[1], pairs[i].second)) {
			snprintf(line, CONTROL_REQUEST_SIZE, "%s", pairs[i].name);
			return 2;
		}
	}
	snprintf(line, CONTROL_REQUEST_SIZE, "%s", words[0]);
	return command_find(words[0]) == CONTROL_COMMANDS ? 0 : 1;
}

int control_request_from_words(char line[CONTROL_REQUEST_SIZE], char *const words[], struct control_request *request,
			       char *error, size_t size)
{
	unsigned int allowed;
	int n;

	if (!words[0])
		return -ENOENT;
	n = command_add(line, words);
	if (!n)
		return strcmp(words[0], "forward") != 0
			       ? -ENOENT
			       : refuse(error, size, "forward: what follows is list, add or del");
	allowed = commands[command_find(line)].words;
	for (words += n; *words; words += n) {
		n = 1;
		if (**words != '-' && allowed & WORD_FORWARD) {
			if (!word_append(line, keys[KEY_FORWARD].name, *words))
				return refuse(error, size, "\"%.64s\": not %s", *words, keys[KEY_FORWARD].what);
			continue;
		}
		n = option_add(line, words, error, size);
		if (n < 0)
			return n;
	}
	return control_request_parse(request, line, strlen(line), error, size);
}

#define HTTP_ANSWER(status, type, more) \
	"HTTP/1.0 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n" more "\r\n"

int http_request_parse(const char *text, size_t length, const char **answer)
{
	static const char get[] = "GET ", path[] = "/metrics";
	const char *end = memmem(text, length, "\r\n\r\n", 4) ?: memmem(text, length, "\n\n", 2);
	size_t rest;

	if (!end)
		return -EAGAIN;
	*answer = HTTP_ANSWER("405 Method Not Allowed", "text/plain", "Allow: GET\r\n") "GET /metrics\n";
	if (length < strlen(get) || memcmp(text, get, strlen(get)) != 0)
		return -EINVAL;
	*answer = HTTP_ANSWER("404 Not Found", "text/plain", "") "GET /metrics\n";
	text += strlen(get);
	rest = (size_t)(end - text);
	if (rest < strlen(path) || memcmp(text, path, strlen(path)) != 0 || !text[strlen(path)] ||
	    !strchr(" ?\r\n", text[strlen(path)]))
		return -EINVAL;
	*answer = HTTP_ANSWER("200 OK", "text/plain; version=0.0.4; charset=utf-8", "");
	return 0;
}

bool control_request_changes(const struct control_request *request)
{
	return commands[request->command].changes;
}

bool control_request_wants(const struct control_request *request, int family, const __be32 internal[4], int protocol,
			   uint32_t external_port)
{
	struct ip_prefix prefix = { .length = request->internal.length };

	if (request->protocol >= 0 && request->protocol != protocol)
		return false;
	if (request->external_port && request->external_port != external_port)
		return false;
	if (!request->family)
		return true;
	memcpy(prefix.addr, internal, sizeof(prefix.addr));
	ip_prefix_mask(&prefix);
	return request->family == family && !memcmp(prefix.addr, request->internal.addr, sizeof(prefix.addr));
}
