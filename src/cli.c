// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line of the original, `einat -i wan --hairpin-if lo lan`. An argument parser of our own, since several
 * words may follow one option and every error has to name the option and the word.
 */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cli_help_text[] =
	"einat - an endpoint-independent NAT (\"full cone\") in eBPF\n"
	"\n"
	"usage: einat [OPTIONS]\n"
	"       einat check -c FILE [--json]\n"
	"       einat cleanup [-i NAME | -c FILE]\n"
	"       einat doctor OPTIONS [--json]\n"
	"       einat status | counters [-i NAME] [--json]\n"
	"       einat mappings | sessions | hosts | watch [-i NAME] [FILTER...] [--json]\n"
	"       einat mapping flush [-i NAME] [FILTER...] [--json]\n"
	"       einat forward list [-i NAME] [--json]\n"
	"       einat forward add | del PROTOCOL:PORT=ADDRESS:PORT [-i NAME] [--json]\n"
	"       einat reload [-i NAME] [--json]\n"
	"       einat metrics | top [-i NAME]\n"
	"\n"
	"  -h, --help                 print this and exit\n"
	"  -v, --version [--json]     print the version and exit\n"
	"  -c, --config FILE          configuration file, instead of all options below\n"
	"  -i, --ifname NAME          external interface, e.g. wan; waited for if it is not there yet\n"
	"      --ifindex N            external interface by its index\n"
	"      --nat44                translate IPv4: what happens if neither this nor --nat66 is given\n"
	"      --nat66                translate IPv6\n"
	"      --ports RANGE...       external TCP and UDP ports, default 20000-29999\n"
	"      --hairpin-if NAME...   internal interfaces from which the external address is reachable, e.g. lo lan\n"
	"      --internal CIDR...     translate only these internal networks\n"
	"      --forward PROTOCOL:PORT=ADDRESS:PORT...\n"
	"                             make an internal endpoint reachable at an external port, always: tcp:8000=192.168.1.2:80,\n"
	"                             a range of ports: udp:5000-5010=192.168.1.2:5000, IPv6: tcp,udp:53=[fd00::2]:53\n"
	"      --persist              go on translating when the daemon ends, and lose no mapping when it starts again\n"
	"      --bpf-log LEVEL        print what the data plane does: 0 nothing, 1 errors, 2 warnings, 3 mappings,\n"
	"                             4 drops, 5 every packet\n"
	"      --bpf-loader NAME      accepted, without effect\n"
	"\n"
	"check prints what FILE means, with every default, as TOML or JSON. It needs no rights and changes nothing.\n"
	"doctor says what stops or harms the NAT on this machine, why, and what mends it: 0 it works, 3 with warnings,\n"
	"1 it cannot. It changes nothing.\n"
	"The rest asks the einat that runs, -i says which, and about which interface:\n"
	"status says what it does, how many ports are in use, and what is wrong; counters, what became of packets;\n"
	"mappings, sessions (of TCP) and hosts list these, hosts by their number of mappings; watch says each second what has\n"
	"changed; mapping flush ends mappings; forward add and del make and end static mappings beside those of the\n"
	"configuration, until the daemon ends, and list shows all; reload reads the configuration file again, as SIGHUP does;\n"
	"metrics are Prometheus'; top shows the ports in use and the busiest hosts, every second, until q. FILTER is one of\n"
	"      --internal ADDRESS|CIDR, --protocol tcp|udp|icmp, --external-port N\n"
	"cleanup removes what a killed einat has left, on one interface or on every one, and says what: 0 it is gone, 1 not.\n"
	"SIGTERM or SIGINT stops it and takes back everything that it has set up, but for what --persist keeps.\n"
	"Exit status: 0 stopped or done, 1 could not, 2 bad usage or a bad FILE.\n";

enum option {
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_JSON,
	OPTION_CONFIG,
	OPTION_IFNAME,
	OPTION_IFINDEX,
	OPTION_NAT44,
	OPTION_NAT66,
	OPTION_PORTS,
	OPTION_HAIRPIN_IF,
	OPTION_INTERNAL,
	OPTION_FORWARD,
	OPTION_PERSIST,
	OPTION_BPF_LOG,
	OPTION_BPF_LOADER,
	OPTIONS
};

enum words { WORDS_NONE, WORDS_ONE, WORDS_MANY };

static const struct {
	const char *name;
	char letter;
	enum words words;
	const char *what; /* the words are */
} options[OPTIONS] = {
	[OPTION_HELP] = { "--help", 'h', WORDS_NONE, NULL },
	[OPTION_VERSION] = { "--version", 'v', WORDS_NONE, NULL },
	[OPTION_JSON] = { "--json", 0, WORDS_NONE, NULL },
	[OPTION_CONFIG] = { "--config", 'c', WORDS_ONE, "a file" },
	[OPTION_IFNAME] = { "--ifname", 'i', WORDS_ONE, "an interface name" },
	[OPTION_IFINDEX] = { "--ifindex", 0, WORDS_ONE, "an interface index" },
	[OPTION_NAT44] = { "--nat44", 0, WORDS_NONE, NULL },
	[OPTION_NAT66] = { "--nat66", 0, WORDS_NONE, NULL },
	[OPTION_PORTS] = { "--ports", 0, WORDS_MANY, "a port range such as 20000-29999" },
	[OPTION_HAIRPIN_IF] = { "--hairpin-if", 0, WORDS_MANY, "an interface name" },
	[OPTION_PERSIST] = { "--persist", 0, WORDS_NONE, NULL },
	[OPTION_INTERNAL] = { "--internal", 0, WORDS_MANY, "a network such as 192.168.1.0/24" },
	[OPTION_FORWARD] = { "--forward", 0, WORDS_MANY, "a static mapping such as tcp:8000=192.168.1.2:80" },
	[OPTION_BPF_LOG] = { "--bpf-log", 0, WORDS_ONE, "a level from 0 to 5" },
	[OPTION_BPF_LOADER] = { "--bpf-loader", 0, WORDS_ONE, "a name" },
};

struct parser {
	struct cli *cli;
	struct interface_config *interface; /* the one that a command line can describe */
	char *const *next;		    /* argv, ends with NULL */
	const char *attached;		    /* what is glued to the option: the value of --ports=VALUE */
	unsigned int given;		    /* bit n: option n */
	bool is_check;			    /* the first word is `check` */
	bool is_cleanup;		    /* ... `cleanup` */
	bool is_doctor;			    /* ... `doctor` */
	char why[320];			    /* what is wrong with a word, where that takes more than a constant text */
};

static bool is_given(const struct parser *parser, enum option option)
{
	return parser->given & 1u << option;
}

static int __attribute__((format(printf, 3, 4))) refuse(struct cli *cli, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(cli->error, sizeof(cli->error), format, args);
	va_end(args);
	cli->action = CLI_REFUSE;
	cli->status = status;
	return -EINVAL;
}

/* A decimal number without sign, at most max; -1 if text is anything else. */
static long number_parse(const char *text, long max)
{
	long value = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
		if (value > max)
			return -1;
	}
	return value;
}

static int ports_add(struct interface_config *interface, const char *word, const char **why)
{
	int protocol, err;

	for (protocol = NAT_TCP; protocol <= NAT_UDP; protocol++) {
		err = port_set_parse(&interface->ports[protocol], word, why);
		if (err)
			return err;
		if (port_set_contains(&interface->ports[protocol], 0)) {
			*why = "port 0 cannot be used";
			return -EINVAL;
		}
	}
	return 0;
}

static int forward_add(struct parser *parser, const char *word, const char **why)
{
	struct forward *forward = interface_config_add_forward(parser->interface);
	char what[FORWARD_TEXT], text[FORWARD_TEXT];
	const struct forward *other;

	*why = "out of memory, or there are 1024 already";
	if (!forward || forward_parse(forward, word, why))
		return -EINVAL;
	other = interface_config_forward_conflict(parser->interface, what, sizeof(what));
	if (!other)
		return 0;
	forward_format(other, text, sizeof(text));
	snprintf(parser->why, sizeof(parser->why), "its %s is that of \"%s\", too", what, text);
	*why = parser->why;
	return -EINVAL;
}

/* Puts one word of an option into the configuration. -EINVAL with *why: the word is wrong. */
static int word_take(struct parser *parser, enum option option, const char *word, const char **why)
{
	struct interface_config *interface = parser->interface;
	long value = 0;

	*why = NULL;
	switch (option) {
	case OPTION_IFNAME:
		if (strlen(word) >= IFNAMSIZ)
			*why = "longer than an interface name's 15 characters";
		if (!interface_name_is_valid(word))
			return -EINVAL;
		snprintf(interface->name, sizeof(interface->name), "%s", word);
		return 0;
	case OPTION_IFINDEX:
		value = number_parse(word, INT32_MAX);
		interface->ifindex = (int)value;
		return value > 0 ? 0 : -EINVAL;
	case OPTION_BPF_LOG:
		value = number_parse(word, 5);
		interface->bpf_log_level = (uint32_t)value;
		return value >= 0 ? 0 : -EINVAL;
	case OPTION_PORTS:
		return ports_add(interface, word, why);
	case OPTION_HAIRPIN_IF:
		return hairpin_config_add_interface(&interface->hairpin[CONFIG_IPV4], word, why)
			       ?: hairpin_config_add_interface(&interface->hairpin[CONFIG_IPV6], word, why);
	case OPTION_INTERNAL:
		return interface_config_add_internal(interface, word, why);
	case OPTION_FORWARD:
		return forward_add(parser, word, why);
	case OPTION_CONFIG:
		parser->cli->file = word;
		return 0;
	case OPTION_BPF_LOADER:
		parser->cli->config.bpf_loader_given = true;
		return 0;
	default:
		return 0;
	}
}

/* The next word that belongs to the present option, or NULL: what begins with a dash is an option. */
static const char *word_next(struct parser *parser)
{
	const char *word = parser->attached;

	parser->attached = NULL;
	if (word)
		return word;
	if (!*parser->next || (*parser->next)[0] == '-')
		return NULL;
	return *parser->next++;
}

static int words_take(struct parser *parser, enum option option)
{
	struct cli *cli = parser->cli;
	const char *word, *why;
	bool any = false;

	if (options[option].words == WORDS_NONE)
		return parser->attached ? refuse(cli, 2, "%s: takes no value", options[option].name) : 0;
	while ((!any || options[option].words == WORDS_MANY) && (word = word_next(parser))) {
		any = true;
		if (!word_take(parser, option, word, &why))
			continue;
		if (why)
			return refuse(cli, 2, "%s: \"%s\": %s", options[option].name, word, why);
		return refuse(cli, 2, "%s: \"%s\": not %s", options[option].name, word, options[option].what);
	}
	if (!any)
		return refuse(cli, 2, "%s: needs %s", options[option].name, options[option].what);
	return 0;
}

/* Which option `arg` is; what is glued to it goes to parser->attached: --ports=A-B, -iwan, -i=wan. */
static enum option option_find(struct parser *parser, const char *arg)
{
	const char *equals = strchr(arg, '=');
	size_t length = equals ? (size_t)(equals - arg) : strlen(arg);
	int i;

	parser->attached = NULL;
	if (arg[1] != '-') {
		for (i = 0; i < OPTIONS && (!options[i].letter || options[i].letter != arg[1]); i++)
			;
		if (i < OPTIONS && arg[2])
			parser->attached = arg + (arg[2] == '=' ? 3 : 2);
		return i;
	}
	for (i = 0; i < OPTIONS; i++)
		if (strlen(options[i].name) == length && !strncmp(options[i].name, arg, length))
			break;
	if (equals)
		parser->attached = equals + 1;
	return i;
}

/* What the options say together. */
static int options_check(struct parser *parser)
{
	struct interface_config *interface = parser->interface;
	struct cli *cli = parser->cli;

	if (parser->is_check) {
		if (!is_given(parser, OPTION_CONFIG) || parser->given & ~(1u << OPTION_CONFIG | 1u << OPTION_JSON))
			return refuse(cli, 2, "check: give --config FILE, and nothing else but --json");
		cli->action = CLI_CHECK;
		return 0;
	}
	if (parser->is_cleanup) {
		if (parser->given & ~(1u << OPTION_CONFIG | 1u << OPTION_IFNAME) ||
		    (is_given(parser, OPTION_CONFIG) && is_given(parser, OPTION_IFNAME)))
			return refuse(cli, 2, "cleanup: give --ifname NAME, --config FILE or nothing at all");
		cli->action = CLI_CLEANUP;
		return 0;
	}
	if (parser->is_doctor) {
		cli->action = CLI_DOCTOR;
		parser->given &= ~(1u << OPTION_JSON);
	}
	if (is_given(parser, OPTION_JSON))
		return refuse(cli, 2, "--json: only with --version, check and doctor");
	if (is_given(parser, OPTION_CONFIG))
		return parser->given & ~(1u << OPTION_CONFIG)
			       ? refuse(cli, 2, "--config: cannot be combined with other options")
			       : 0;
	if (is_given(parser, OPTION_IFNAME) && is_given(parser, OPTION_IFINDEX))
		return refuse(cli, 2, "--ifname and --ifindex: give one of them");
	if (!is_given(parser, OPTION_IFNAME) && !is_given(parser, OPTION_IFINDEX))
		return refuse(cli, 2, "no external interface: give --ifname NAME (--help shows all options)");
	interface->persist = is_given(parser, OPTION_PERSIST);
	interface->nat66 = is_given(parser, OPTION_NAT66);
	interface->nat44 = is_given(parser, OPTION_NAT44) || !interface->nat66;
	if (config_check(&cli->config, cli->error, sizeof(cli->error))) {
		cli->action = CLI_REFUSE;
		cli->status = 2;
		return -EINVAL;
	}
	return 0;
}

void cli_parse(struct cli *cli, int argc, char *const argv[])
{
	struct parser parser = { .cli = cli, .next = argv + (argc > 0) };
	enum option option;
	const char *arg;

	int err;

	memset(cli, 0, sizeof(*cli));
	config_init(&cli->config);
	err = control_request_from_words(cli->request, parser.next, &cli->asked, cli->error, sizeof(cli->error));
	if (err != -ENOENT) {
		cli->action = err ? CLI_REFUSE : CLI_CONTROL;
		cli->status = 2;
		return;
	}
	parser.interface = config_add_interface(&cli->config);
	if (!parser.interface)
		goto no_memory;
	if (*parser.next && !strcmp(*parser.next, "check")) {
		parser.is_check = true;
		parser.next++;
	} else if (*parser.next && !strcmp(*parser.next, "cleanup")) {
		parser.is_cleanup = true;
		parser.next++;
	} else if (*parser.next && !strcmp(*parser.next, "doctor")) {
		parser.is_doctor = true;
		parser.next++;
	}
	while ((arg = *parser.next)) {
		parser.next++;
		if (arg[0] != '-' || !arg[1]) {
			refuse(cli, 2, "\"%s\": not an option (--help shows all options)", arg);
			return;
		}
		option = option_find(&parser, arg);
		if (option == OPTIONS) {
			refuse(cli, 2, "%s: unknown option (--help shows all options)", arg);
			return;
		}
		if (is_given(&parser, option)) {
			refuse(cli, 2, "%s: given twice", options[option].name);
			return;
		}
		parser.given |= 1u << option;
		if (words_take(&parser, option))
			return;
	}
	cli->json = is_given(&parser, OPTION_JSON);
	if (is_given(&parser, OPTION_HELP))
		cli->action = CLI_HELP;
	else if (is_given(&parser, OPTION_VERSION))
		cli->action = CLI_VERSION;
	else if (!options_check(&parser) && interface_config_default_ports(parser.interface))
		goto no_memory;
	return;
no_memory:
	refuse(cli, 1, "out of memory");
}
