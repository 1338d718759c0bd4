// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs tables of steps. See steps.h. */
#include "steps.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "refusal.h"

#define LASTS_SLACK_MS 8000 /* how much later than the last refresh a step may look, on a slow machine */
#define L2_ADDED       14
#define REFRESH_MS     1100 /* what the data plane adds, since it writes a refresh once a second, in ticks of 17 ms */

const struct setup usual;

static const char *program; /* as it was called */
static const char *name;    /* of the test that runs */

/* A test in one of the families. */
struct run {
	const struct test *test;
	int family;
	char name[96];
};

static struct router *shared;
static int shared_family;
static bool dirty;		  /* a test has failed half-way */
static int chosen[PORT_COUNT];	  /* what the PORTs are, or -1 */
static uint8_t owner[PORT_COUNT]; /* and of which protocol */

#define fail_step(step, ...) step_failed(step, __FILE__, __LINE__, __VA_ARGS__)

/* One message: what is wrong, in which step, and what shows it alone. */
__attribute__((format(printf, 4, 5), noreturn)) static void step_failed(const struct step *step, const char *file,
									int line, const char *format, ...)
{
	char what[900], packet[PACKET_TEXT_MAX] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (step->from == LAN || step->from == WAN || step->from == SERVER || step->from == ROUND)
		packet_print(&step->packet, packet, sizeof(packet));
	print_message("# \"%s\" (%s%s)\n", step->sentence, packet,
		      step->from == LAN	     ? ", outwards"
		      : step->from == WAN    ? ", inwards"
		      : step->from == SERVER ? ", from the server"
		      : step->from == ROUND  ? ", turned round"
					     : "a look at the state");
	for (char *rest = what, *part; (part = strsep(&rest, "\n"));)
		if (*part)
			print_message("#   %s\n", part);
	print_message("# rerun: %s %s\n", program, name);
	_fail(file, line);
	abort();
}

static uint32_t port_resolve(const struct step *step, uint32_t port)
{
	if (port < PORT(0))
		return port;
	if (chosen[port - PORT(0)] < 0)
		fail_step(step, "PORT(%u) is not known yet", port - PORT(0));
	return chosen[port - PORT(0)];
}

unsigned int port_chosen(unsigned int n)
{
	return chosen[n];
}

void ports_forget(void)
{
	memset(chosen, 0xff, sizeof(chosen));
}

static enum nat_protocol protocol_of(uint8_t ip_protocol)
{
	return ip_protocol == 6 ? NAT_TCP : ip_protocol == 17 ? NAT_UDP : NAT_ICMP;
}

/* The first time that a PORT is expected: any port that the data plane may choose. */
static void port_learn(const struct router *router, const struct step *step, uint32_t port, const struct frame *frame)
{
	enum nat_protocol protocol = protocol_of(step->expected.protocol);
	int got = frame_sport(frame);

	if (port < PORT(0) || chosen[port - PORT(0)] >= 0)
		return;
	if (!router_manages(router, protocol, got))
		fail_step(step, "sport: want a managed port, got %d", got);
	for (int i = 0; i < PORT_COUNT; i++)
		if (chosen[i] == got && owner[i] == protocol)
			fail_step(step, "sport: want a port of its own, got %d, which is PORT(%d)", got, i);
	chosen[port - PORT(0)] = got;
	owner[port - PORT(0)] = protocol;
}

/* The description with its PORTs filled in; *quoted is where the embedded one goes. */
static struct packet packet_resolve(const struct step *step, const struct packet *packet, struct packet *quoted)
{
	struct packet resolved = *packet;

	resolved.sport = port_resolve(step, packet->sport);
	resolved.dport = port_resolve(step, packet->dport);
	if (packet->quoted) {
		struct packet unused;

		*quoted = packet_resolve(step, packet->quoted, &unused);
		resolved.quoted = quoted;
	}
	return resolved;
}

static void step_build(const struct router *router, const struct step *step, const struct packet *packet,
		       struct frame *frame)
{
	struct packet quoted, resolved = packet_resolve(step, packet, &quoted);

	frame_build(frame, &resolved, !router_setup(router)->no_l2);
}

static bool goes_to_server(const struct step *step)
{
	return step->to == SERVER || step->to == ONWARD_SERVER;
}

static int verdict_expected(const struct step *step)
{
	if (goes_to_server(step))
		return step->from == LAN ? TC_ACT_REDIRECT : TC_ACT_UNSPEC;
	switch (step->to) {
	case NOWHERE:
		return refusal_is_told(step->why) ? TC_ACT_REDIRECT : TC_ACT_SHOT;
	case SILENCE:
		return TC_ACT_SHOT;
	case WAN_TURNED:
	case ONWARD_TURNED:
		return TC_ACT_REDIRECT;
	default:
		return TC_ACT_UNSPEC;
	}
}

/* The mark that a packet leaves the program with: the user's, ours on its way round, and what inbound_mark adds inwards. */
static uint32_t mark_expected(const struct router *router, const struct step *step)
{
	struct nat_constants constants = router_constants(router);
	uint32_t mark = step->from == ROUND ? 0 : router_mark(router);

	if (step->to == WAN_TURNED || step->to == ONWARD_TURNED || step->to == NOWHERE)
		return constants.turn_mark;
	if (goes_to_server(step) && step->from != LAN)
		return constants.designated_mark;
	return step->from != LAN && step->to == LAN ? mark | constants.inbound_mark : mark;
}

static const char *step_run_packet(struct router *router, const struct step *step, const struct frame *frame,
				   struct outcome *outcome)
{
	uint32_t mark = router_mark(router);
	const char *wrong;

	if (step->from == ROUND)
		router_set_mark(router, router_constants(router).turn_mark);
	router_set_from(router, step->from == SERVER ? ROUTER_DMZ : 0);
	wrong = router_send(router, step->from == LAN || step->from == SERVER ? NAT_EGRESS : NAT_INGRESS, frame,
			    outcome);
	router_set_mark(router, mark);
	return wrong;
}

/* The packet of a step is sent, and becomes what is expected. */
static void step_send(struct router *router, const struct step *step)
{
	bool unchanged = step->to == ONWARD || step->to == ONWARD_TURNED || step->to == ONWARD_SERVER;
	struct frame in, want;
	struct outcome got;
	const char *what;
	char text[600];

	step_build(router, step, &step->packet, &in);
	what = step_run_packet(router, step, &in, &got);
	if (what)
		fail_step(step, "%s", what);
	if (got.why != step->why)
		fail_step(step, "reason: want %s, got %s", reason_names[step->why], reason_names[got.why]);
	if (got.verdict != verdict_expected(step))
		fail_step(step, "verdict: want %d, got %d", verdict_expected(step), got.verdict);
	if (got.verdict == TC_ACT_SHOT)
		return;
	if (got.mark != mark_expected(router, step))
		fail_step(step, "mark: want 0x%x, got 0x%x", mark_expected(router, step), got.mark);
	if (goes_to_server(step) && step->from == LAN && router_setup(router)->no_l2) /* has one now, to be filled in */
		memmove(got.frame.bytes, got.frame.bytes + L2_ADDED, got.frame.size -= L2_ADDED);
	if (unchanged) {
		want = in;
	} else if (step->to == NOWHERE) {
		refusal_build(&want, &in);
	} else {
		port_learn(router, step, step->expected.sport, &got.frame);
		step_build(router, step, &step->expected, &want);
		if (step->from == LAN || step->from == SERVER)
			frame_take_id(&want, &got.frame);
	}
	if (frame_differs(&want, &got.frame, text, sizeof(text)))
		fail_step(step, "%s", text);
	if (!unchanged && !step->packet.damage && frame_check(&got.frame))
		fail_step(step, "%s is wrong", frame_check(&got.frame));
}

static void step_look(const struct router *router, const struct step *step)
{
	const struct mapping_expected *want = &step->mapping;
	uint32_t port = port_resolve(step, want->external_port);
	struct mapping got = router_mapping(router, want->protocol, port);
	bool live = router_mapping_is_live(router, &got);
	int64_t lasts = router_mapping_lasts_ms(&got);

	if (live != !!want->internal_addr)
		fail_step(step, "mapping of port %u: want %s, got %s", port, want->internal_addr ? "one" : "none",
			  live ? "one" : "none");
	if (!live)
		return;
	if (!router_mapping_is_of(&got, want->internal_addr))
		fail_step(step, "internal address: it is another's");
	if (ntohs(got.internal_port) != port_resolve(step, want->internal_port))
		fail_step(step, "internal port: want %u, got %u", want->internal_port, ntohs(got.internal_port));
	if (got.sessions != want->sessions)
		fail_step(step, "TCP sessions: want %d, got %u", want->sessions, got.sessions);
	if (want->lasts_ms &&
	    (lasts > (int64_t)want->lasts_ms + REFRESH_MS || lasts < (int64_t)want->lasts_ms - LASTS_SLACK_MS))
		fail_step(step, "lasts: want %llu s, got %lld s", want->lasts_ms / 1000ull, lasts / 1000ll);
}

void step_run(struct router *router, const struct step *step)
{
	switch (step->from) {
	case LAN:
	case WAN:
	case SERVER:
	case ROUND:
		step_send(router, step);
		break;
	case CLOCK:
		router_later(router, step->value);
		break;
	case ADDRESS:
		router_set_external(router, step->value);
		break;
	case SWEEP:
		if (datapath_sweep(router_datapath(router)))
			fail_step(step, "datapath_sweep failed");
		break;
	case LISTEN:
		router_listen(router, step->mapping.protocol, step->mapping.internal_addr, step->value);
		break;
	case STATE:
		step_look(router, step);
		break;
	default:
		fail_step(step, "is no place to come from");
	}
}

void steps_run(struct router *router, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		step_run(router, &steps[i]);
}

/* Running tests */

static void test_run(void **state)
{
	const struct run *this = *state;
	const struct test *test = this->test;
	const char *what;

	name = this->name;
	packet_use_family(this->family);
	ports_forget();
	if (dirty || (shared && (router_setup(shared) != test->setup || shared_family != this->family))) {
		router_close(shared);
		shared = NULL;
	}
	shared_family = this->family;
	if (!shared)
		shared = router_open(test->setup);
	if (test->needs_from && !router_knows_from(shared)) {
		print_message("# SKIPPED: %s: this kernel runs no program on a packet that has come in elsewhere\n",
			      name);
		skip();
	}
	dirty = true;
	if (test->run)
		test->run(shared);
	else
		steps_run(shared, test->steps, test->count);
	what = router_reset(shared);
	if (what) {
		print_message("# at the end: %s\n# rerun: %s %s\n", what, program, name);
		fail();
	}
	dirty = false;
}

static bool name_is_wanted(const char *candidate, int argc, char **argv)
{
	bool wanted = argc < 2;

	for (int i = 1; i < argc; i++)
		wanted |= !fnmatch(argv[i], candidate, 0);
	return wanted;
}

/* Those that are wanted, IPv4 first, so that neighbours of one family share a router. Gives their number. */
static size_t runs_list(struct run *runs, const struct test *tests, size_t count, int argc, char **argv)
{
	static const int families[] = { AF_INET, AF_INET6 };
	size_t wanted = 0;

	for (size_t i = 0; i < 2 * count; i++) {
		const struct test *test = &tests[i % count];
		struct run *run = &runs[wanted];

		if ((i < count && test->only_ipv6) || (i >= count && test->only_ipv4))
			continue;
		*run = (struct run){ .test = test, .family = families[i / count] };
		snprintf(run->name, sizeof(run->name), "%s%s", test->name, i < count ? "" : "_ipv6");
		wanted += name_is_wanted(run->name, argc, argv);
	}
	return wanted;
}

int tests_main(const struct test *tests, size_t count, int argc, char **argv)
{
	struct CMUnitTest *units = calloc(2 * count, sizeof(*units));
	struct run *runs = calloc(2 * count, sizeof(*runs));
	size_t wanted = 0;
	int failed = 1;

	program = argv[0];
	if (!router_prepare()) {
		fprintf(stderr, "# SKIPPED: %s loads BPF programs, which needs root. It did not run: sudo %s\n",
			program, program);
		printf("1..0 # SKIP needs root; nothing of %s was tested\n", program);
		failed = geteuid() ? 0 : 1;
		goto out;
	}
	wanted = runs_list(runs, tests, count, argc, argv);
	for (size_t i = 0; i < wanted; i++)
		units[i] = (struct CMUnitTest){ runs[i].name, test_run, NULL, NULL, &runs[i] };
	if (!wanted) {
		printf("Bail out! no test of %s has such a name\n", program);
		goto out;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = _cmocka_run_group_tests(program, units, wanted, NULL, NULL);
	router_close(shared);
out:
	free(units);
	free(runs);
	return failed ? 1 : 0;
}
