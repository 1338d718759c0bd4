// SPDX-License-Identifier: GPL-2.0-or-later
/* See control_answer.h. */
#include "control_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "reason.h"

enum {
	PIECE_SLOTS = 2048, /* that a piece of a list looks at, at most */
	PIECE_ROWS = 256,
	WATCH_ROWS = 100, /* that one second shows of a family */
};

/* What a watcher has seen of a family. */
struct watched {
	uint64_t serial; /* of the data plane that it was; 0: none */
	uint32_t count;
	uint32_t *seen; /* by slot: its epoch and above it 1, or 0 for one that did not live */
	struct counter counters[NAT_DIRECTIONS][NAT_REASON_COUNT];
};

struct watch {
	size_t count;
	bool is_due;
	struct watched planes[];
};

static uint64_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

/* Planes, by number. One that the request is not about, or that is not translated, has no data plane. */
static size_t planes_count(const struct control_daemon *daemon)
{
	return daemon->interfaces_count * CONFIG_FAMILIES;
}

static const struct interface *plane_interface(const struct control_daemon *daemon, size_t number)
{
	return &daemon->interfaces[number / CONFIG_FAMILIES];
}

static bool plane_is_wanted(const struct control_daemon *daemon, size_t number, const char *ifname)
{
	const struct interface_config *config = plane_interface(daemon, number)->config;

	return interface_config_translates(config, number % CONFIG_FAMILIES) &&
	       (!*ifname || !strcmp(ifname, config->name));
}

static struct datapath *plane_datapath(const struct control_daemon *daemon, size_t number, const char *ifname)
{
	if (!plane_is_wanted(daemon, number, ifname))
		return NULL;
	return plane_interface(daemon, number)->planes[number % CONFIG_FAMILIES].datapath;
}

static int plane_family(size_t number)
{
	return config_address_family(number % CONFIG_FAMILIES);
}

/* Reports */

static void plane_describe(struct plane_report *report, const struct control_daemon *daemon, size_t number)
{
	const struct interface *interface = plane_interface(daemon, number);
	const struct plane *plane = &interface->planes[number % CONFIG_FAMILIES];
	static const __be32 none[4];
	unsigned int i;

	report->interface = interface->config->name;
	report->family = plane_family(number);
	report->is_present = interface->is_present;
	memcpy(report->host_limit, interface->config->host_limit, sizeof(report->host_limit));
	if (!plane->datapath)
		return;
	report->hook = plane->is_attached ? datapath_hook(plane->datapath) : NULL;
	for (i = 0; i < plane->plan.count; i++)
		if (memcmp(plane->plan.sources[i], none, sizeof(none)) != 0)
			memcpy(report->externals[report->count++], plane->plan.sources[i], sizeof(none));
	plane_report_read(report, plane->datapath, report->family);
	memcpy(report->peak, daemon->peaks[number / CONFIG_FAMILIES][number % CONFIG_FAMILIES], sizeof(report->peak));
	for (i = 0; i < NAT_PROTOCOLS; i++)
		if (report->peak[i] < report->used[i])
			report->peak[i] = report->used[i];
}

/* Resident bytes of this process, or 0. */
static uint64_t memory_read(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	if (file && fscanf(file, "%*u %llu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

int report_make(struct report *report, struct control_daemon *daemon, const char *ifname)
{
	size_t i;

	memset(report, 0, sizeof(*report));
	report->planes = calloc(planes_count(daemon) + 1, sizeof(*report->planes));
	if (!report->planes)
		return -ENOMEM;
	report->version = EINAT_VERSION;
	report->uptime = seconds_now() - daemon->started;
	report->memory = memory_read();
	report->complaint = daemon->is_failing ? log_last_error() : NULL;
	for (i = 0; i < planes_count(daemon); i++)
		if (plane_is_wanted(daemon, i, ifname))
			plane_describe(&report->planes[report->count++], daemon, i);
	return 0;
}

void report_free(struct report *report)
{
	free(report->planes);
}

void control_daemon_tick(struct control_daemon *daemon)
{
	uint32_t managed[NAT_PROTOCOLS], used[NAT_PROTOCOLS], *peak;
	const struct datapath *datapath;
	size_t i, n;

	for (i = 0; i < planes_count(daemon); i++) {
		datapath = plane_datapath(daemon, i, "");
		if (!datapath)
			continue;
		peak = daemon->peaks[i / CONFIG_FAMILIES][i % CONFIG_FAMILIES];
		plane_ports_read(datapath, managed, used);
		for (n = 0; n < NAT_PROTOCOLS; n++)
			if (peak[n] < used[n])
				peak[n] = used[n];
	}
}

/* Lists */

/* Opens the view of the present plane, or of the next one that has one; false: that was the last. */
static bool view_next(struct answer *answer, const struct control_daemon *daemon)
{
	const struct datapath *datapath;

	for (; !answer->view.slots && answer->plane < planes_count(daemon); answer->plane++) {
		datapath = plane_datapath(daemon, answer->plane, answer->request.ifname);
		answer->slot = 0;
		if (answer->cursor)
			memset(answer->cursor, 0, sizeof(*answer->cursor));
		if (datapath && !mapping_view_open(&answer->view, datapath, plane_family(answer->plane)))
			return true;
	}
	return answer->view.slots;
}

static void view_done(struct answer *answer)
{
	mapping_view_close(&answer->view);
	answer->plane++;
}

static bool entry_is_wanted(const struct answer *answer, const struct entry *entry)
{
	return control_request_wants(&answer->request, entry->family, entry->internal, (int)entry->protocol,
				     entry->external_port);
}

/* Is it a mapping that was asked for? */
static bool entry_get(const struct answer *answer, const struct control_daemon *daemon, uint32_t slot,
		      struct entry *entry)
{
	entry->interface = plane_interface(daemon, answer->plane)->config->name;
	return mapping_view_get(&answer->view, slot, entry, NULL) && entry_is_wanted(answer, entry);
}

static void mappings_continue(struct answer *answer, const struct control_daemon *daemon)
{
	struct entry entry;
	uint32_t end = answer->slot + PIECE_SLOTS;
	unsigned int rows = 0;

	for (; answer->slot < answer->view.count && answer->slot < end && rows < PIECE_ROWS; answer->slot++)
		if (entry_get(answer, daemon, answer->slot, &entry)) {
			list_mapping(&answer->list, &entry);
			rows++;
		}
	if (answer->slot == answer->view.count)
		view_done(answer);
}

static void sessions_continue(struct answer *answer, const struct control_daemon *daemon)
{
	struct datapath *datapath = plane_datapath(daemon, answer->plane, answer->request.ifname);
	struct entry entry;
	unsigned int rows;
	int more = 0;

	for (rows = 0; datapath && rows < PIECE_ROWS; rows++) {
		more = session_next(answer->cursor, datapath, &answer->view, &entry);
		if (more <= 0)
			break;
		entry.interface = plane_interface(daemon, answer->plane)->config->name;
		if (entry_is_wanted(answer, &entry))
			list_session(&answer->list, &entry);
	}
	answer->is_cut = answer->is_cut || more < 0;
	if (more <= 0)
		view_done(answer);
}

/* Counts a plane's; the last one's piece has nothing in it yet. */
static void hosts_count_plane(struct answer *answer, const struct control_daemon *daemon)
{
	struct entry entry;

	for (; answer->slot < answer->view.count; answer->slot++)
		if (entry_get(answer, daemon, answer->slot, &entry) && entry.is_live)
			hosts_add(&answer->hosts, answer->plane, entry.internal, entry.protocol);
	view_done(answer);
}

static bool hosts_continue(struct answer *answer, const struct control_daemon *daemon)
{
	struct plane_report plane;
	unsigned int rows;

	if (view_next(answer, daemon)) {
		hosts_count_plane(answer, daemon);
		if (!view_next(answer, daemon))
			hosts_sort(&answer->hosts);
		return true;
	}
	for (rows = 0; rows < PIECE_ROWS && answer->host < answer->hosts.count; rows++, answer->host++) {
		const struct host_count *host = &answer->hosts.places[answer->host];
		const struct interface_config *config = plane_interface(daemon, host->plane)->config;

		plane.interface = config->name;
		plane.family = plane_family(host->plane);
		memcpy(plane.host_limit, config->host_limit, sizeof(plane.host_limit));
		list_host(&answer->list, &plane, host);
	}
	return answer->host < answer->hosts.count;
}

/* Returns whether more will follow. */
static bool list_continue(struct answer *answer, const struct control_daemon *daemon)
{
	if (answer->request.command == CONTROL_HOSTS)
		return hosts_continue(answer, daemon);
	if (answer->is_cut || !view_next(answer, daemon))
		return false;
	if (answer->request.command == CONTROL_MAPPINGS)
		mappings_continue(answer, daemon);
	else
		sessions_continue(answer, daemon);
	return true;
}

/* Ending mappings */

static void flush(struct answer *answer, const struct control_daemon *daemon, FILE *to)
{
	unsigned int count = 0;
	struct entry entry;

	while (view_next(answer, daemon)) {
		for (; answer->slot < answer->view.count; answer->slot++)
			if (entry_get(answer, daemon, answer->slot, &entry) && entry.is_live && !entry.is_static) {
				mapping_view_end(&answer->view, answer->slot);
				count++;
			}
		view_done(answer);
	}
	fprintf(to, answer->request.json ? "{\"ended\":%u}\n" : "mappings ended: %u\n", count);
}

/* Watching */

static void watch_free(struct watch *watch)
{
	size_t i;

	for (i = 0; watch && i < watch->count; i++)
		free(watch->planes[i].seen);
	free(watch);
}

/* Another data plane than a second ago: what it holds is not new. */
static bool watched_renew(struct watched *watched, const struct datapath *datapath, uint32_t count)
{
	if (watched->serial == datapath_serial(datapath) && watched->count == count)
		return false;
	free(watched->seen);
	watched->seen = calloc(count + 1, sizeof(*watched->seen));
	watched->serial = watched->seen ? datapath_serial(datapath) : 0;
	watched->count = watched->seen ? count : 0;
	return true;
}

static void drops_watch(struct answer *answer, struct watched *watched, struct plane_report *plane,
			struct datapath *datapath, FILE *to, bool is_new)
{
	const struct control_request *request = &answer->request;
	const bool is_filtered = request->family || request->protocol >= 0 || request->external_port;
	unsigned int direction, reason;
	struct counter now;
	uint64_t packets;

	for (direction = 0; direction < NAT_DIRECTIONS; direction++)
		for (reason = 0; reason < NAT_REASON_COUNT; reason++) {
			if (reason_verdict(reason) != REASON_DROP ||
			    datapath_read_counter(datapath, direction, reason, &now))
				continue;
			packets = now.packets - watched->counters[direction][reason].packets;
			watched->counters[direction][reason] = now;
			if (packets && !is_new && !is_filtered)
				report_drops(to, plane, direction, reason, packets, request->json);
		}
}

/* What has changed in the view since a second ago. Returns how many of these lines were too many. */
static unsigned int mappings_watch(struct answer *answer, const struct control_daemon *daemon, struct watched *watched,
				   FILE *to, bool is_new)
{
	unsigned int lines = 0;
	struct entry entry;
	uint32_t slot, seen;
	uint16_t epoch;

	entry.interface = plane_interface(daemon, answer->plane)->config->name;
	for (slot = 0; slot < watched->count; slot++) {
		mapping_view_get(&answer->view, slot, &entry, &epoch);
		seen = entry.is_live ? 1u << 16 | epoch : 0;
		if (seen == watched->seen[slot])
			continue;
		if (!is_new && entry_is_wanted(answer, &entry) && lines++ < WATCH_ROWS)
			report_event(to, &entry, seen ? "made" : "ended", answer->request.json);
		watched->seen[slot] = seen;
	}
	return lines > WATCH_ROWS ? lines - WATCH_ROWS : 0;
}

static void watch_plane(struct answer *answer, const struct control_daemon *daemon, FILE *to)
{
	struct datapath *datapath = plane_datapath(daemon, answer->plane, answer->request.ifname);
	struct watched *watched = &answer->watch->planes[answer->plane];
	struct plane_report plane = { .family = plane_family(answer->plane) };
	unsigned int more;
	bool is_new;

	plane.interface = plane_interface(daemon, answer->plane)->config->name;
	is_new = watched_renew(watched, datapath, answer->view.count);
	if (!watched->serial)
		return;
	more = mappings_watch(answer, daemon, watched, to, is_new);
	if (more)
		fprintf(to, answer->request.json ? "{\"event\":\"more\",\"count\":%u}\n" : "and %u more\n", more);
	drops_watch(answer, watched, &plane, datapath, to, is_new);
}

static void watch_continue(struct answer *answer, const struct control_daemon *daemon, FILE *to)
{
	answer->plane = 0;
	while (view_next(answer, daemon)) {
		watch_plane(answer, daemon, to);
		view_done(answer);
	}
	answer->watch->is_due = false;
}

bool answer_waits(const struct answer *answer)
{
	return answer->watch && !answer->watch->is_due;
}

void answer_tick(struct answer *answer)
{
	if (answer->watch)
		answer->watch->is_due = true;
}

/* The whole */

static const char *const list_names[CONTROL_COMMANDS] = {
	[CONTROL_MAPPINGS] = "mappings",
	[CONTROL_SESSIONS] = "sessions",
	[CONTROL_HOSTS] = "hosts",
};

static bool interface_exists(const struct control_daemon *daemon, const char *ifname)
{
	size_t i;

	for (i = 0; i < daemon->interfaces_count && *ifname; i++)
		if (!strcmp(daemon->interfaces[i].config->name, ifname))
			return true;
	return !*ifname;
}

static void warning_heard(const char *line, void *arg)
{
	fprintf(arg, "%s\n", line);
}

/* Changes what is asked to be changed; what is warned of meanwhile becomes part of the answer. */
static int change(struct answer *answer, struct control_daemon *daemon, char *error, size_t size)
{
	FILE *warnings = open_memstream(&answer->warnings, &answer->warnings_size);
	int err;

	if (!warnings)
		return -ENOMEM;
	log_hear(warning_heard, warnings);
	if (answer->request.command == CONTROL_RELOAD)
		err = daemon->reload(daemon->arg, error, size);
	else
		err = daemon->forward(daemon->arg, &answer->request, error, size);
	log_hear(NULL, NULL);
	return fclose(warnings) && !err ? -ENOMEM : err;
}

int answer_open(struct answer *answer, struct control_daemon *daemon, const struct control_request *request,
		char *error, size_t size)
{
	memset(answer, 0, sizeof(*answer));
	answer->request = *request;
	answer->list.json = request->json;
	if (!interface_exists(daemon, request->ifname)) {
		snprintf(error, size, "%s: is not among this einat's interfaces", request->ifname);
		return -ENODEV;
	}
	snprintf(error, size, "out of memory");
	if (request->command == CONTROL_RELOAD || request->command == CONTROL_FORWARD_ADD ||
	    request->command == CONTROL_FORWARD_DEL)
		return change(answer, daemon, error, size);
	if (request->command == CONTROL_SESSIONS) {
		answer->cursor = calloc(1, sizeof(*answer->cursor));
		return answer->cursor ? 0 : -ENOMEM;
	}
	if (request->command == CONTROL_WATCH) {
		answer->watch = calloc(1, sizeof(struct watch) + planes_count(daemon) * sizeof(struct watched));
		if (!answer->watch)
			return -ENOMEM;
		answer->watch->count = planes_count(daemon);
		answer->watch->is_due = true;
	}
	return 0;
}

static void forwards_list(struct answer *answer, const struct control_daemon *daemon)
{
	size_t i;

	list_begin(&answer->list, "forwards");
	for (i = 0; i < daemon->interfaces_count; i++)
		if (!*answer->request.ifname || !strcmp(answer->request.ifname, daemon->interfaces[i].config->name))
			list_forwards(&answer->list, daemon->interfaces[i].config, daemon->file);
	list_end(&answer->list, "none");
}

static void change_report(const struct answer *answer, FILE *to)
{
	const bool json = answer->request.json;
	char words[FORWARD_TEXT], text[FORWARD_TEXT + 16];

	if (answer->request.command == CONTROL_RELOAD) {
		report_change(to, "reloaded", NULL, "the configuration file is in force", answer->warnings, json);
		return;
	}
	forward_format(&answer->request.forward, words, sizeof(words));
	snprintf(text, sizeof(text), answer->request.command == CONTROL_FORWARD_ADD ? "added: %s" : "ended: %s", words);
	report_change(to, answer->request.command == CONTROL_FORWARD_ADD ? "added" : "ended", words, text,
		      answer->warnings, json);
}

static void report_continue(struct answer *answer, struct control_daemon *daemon, FILE *to)
{
	struct report report;

	if (report_make(&report, daemon, answer->request.ifname))
		return;
	switch (answer->request.command) {
	case CONTROL_STATUS:
		report_status(to, &report, answer->request.json);
		break;
	case CONTROL_COUNTERS:
		report_counters(to, &report, answer->request.json);
		break;
	case CONTROL_METRICS:
		report_metrics(to, &report);
		break;
	case CONTROL_TOP:
		while (view_next(answer, daemon))
			hosts_count_plane(answer, daemon);
		hosts_sort(&answer->hosts);
		report_top(to, &report, &answer->hosts, answer->request.rows, answer->request.columns);
		break;
	default:
		break;
	}
	report_free(&report);
}

bool answer_continue(struct answer *answer, struct control_daemon *daemon, FILE *to)
{
	bool more;

	answer->list.to = to;
	switch (answer->request.command) {
	case CONTROL_MAPPINGS:
	case CONTROL_SESSIONS:
	case CONTROL_HOSTS:
		if (!answer->list.is_begun)
			list_begin(&answer->list, list_names[answer->request.command]);
		more = list_continue(answer, daemon);
		if (!more && !answer->is_cut)
			list_end(&answer->list, "none");
		return more;
	case CONTROL_WATCH:
		watch_continue(answer, daemon, to);
		return true;
	case CONTROL_RELOAD:
	case CONTROL_FORWARD_ADD:
	case CONTROL_FORWARD_DEL:
		change_report(answer, to);
		return false;
	case CONTROL_FORWARD_LIST:
		forwards_list(answer, daemon);
		return false;
	case CONTROL_FLUSH:
		flush(answer, daemon, to);
		return false;
	default:
		report_continue(answer, daemon, to);
		return false;
	}
}

void answer_close(struct answer *answer)
{
	mapping_view_close(&answer->view);
	free(answer->cursor);
	hosts_free(&answer->hosts);
	watch_free(answer->watch);
	free(answer->warnings);
	memset(answer, 0, sizeof(*answer));
}
