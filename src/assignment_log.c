// SPDX-License-Identifier: GPL-2.0-or-later
/* See assignment_log.h. */
#include "assignment_log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "assignment.h"
#include "log.h"
#include "mapping_view.h"

struct plane_log {
	uint64_t serial; /* of the data plane that it was */
	size_t count;
	struct assignment *slots;
};

struct assignment_logs {
	size_t count;
	struct plane_log planes[];
};

static void line_say(const char *line, void *arg)
{
	(void)arg;
	log_record("%s", line);
}

/* What is in the slots now, as if it had been looked at. */
static void slots_look(struct assignment *slots, const struct mapping_view *view, struct assignment_log *quiet)
{
	struct entry entry;
	uint16_t epoch;
	uint32_t i;

	quiet->budget = 0;
	for (i = 0; i < view->count; i++) {
		mapping_view_get(view, i, &entry, &epoch);
		assignment_follow(&slots[i], &entry, epoch, quiet);
	}
}

/* Another data plane than a second ago: what it has taken over goes on. */
static void plane_renew(struct plane_log *plane, const struct datapath *datapath, const struct mapping_view *view,
			struct assignment_log *log)
{
	struct assignment *slots = calloc(view->count + 1, sizeof(*slots));
	struct assignment_log quiet = *log;

	if (slots && plane->slots) {
		slots_look(slots, view, &quiet);
		assignments_carry(plane->slots, plane->count, slots, view->count, log);
	}
	free(plane->slots);
	plane->slots = slots;
	plane->count = slots ? view->count : 0;
	plane->serial = slots ? datapath_serial(datapath) : 0;
}

static void plane_follow(struct plane_log *plane, const struct datapath *datapath, struct assignment_log *log)
{
	struct mapping_view view;
	struct entry entry;
	uint16_t epoch;
	uint32_t i;

	if (mapping_view_open(&view, datapath, log->family))
		return;
	if (plane->serial != datapath_serial(datapath) || plane->count != view.count)
		plane_renew(plane, datapath, &view, log);
	for (i = 0; i < plane->count; i++) {
		mapping_view_get(&view, i, &entry, &epoch);
		assignment_follow(&plane->slots[i], &entry, epoch, log);
	}
	mapping_view_close(&view);
}

/* The interface has gone: so has what it had. */
static void plane_end(struct plane_log *plane, struct assignment_log *log)
{
	assignments_carry(plane->slots, plane->count, NULL, 0, log);
	free(plane->slots);
	memset(plane, 0, sizeof(*plane));
}

static void logs_free(struct assignment_logs **logs)
{
	size_t i;

	for (i = 0; *logs && i < (*logs)->count; i++)
		free((*logs)->planes[i].slots);
	free(*logs);
	*logs = NULL;
}

void assignment_logs_follow(struct assignment_logs **logs, const struct log_config *config,
			    const struct interface *interfaces, size_t count)
{
	struct assignment_log log = { .now = (uint32_t)time(NULL),
				      .budget = config->assignments_rate,
				      .say = line_say };
	const struct datapath *datapath;
	size_t i;

	if (!config->assignments) {
		assignment_logs_close(logs);
		return;
	}
	if (!*logs) {
		*logs = calloc(1, sizeof(**logs) + count * CONFIG_FAMILIES * sizeof((*logs)->planes[0]));
		if (!*logs)
			return;
		(*logs)->count = count * CONFIG_FAMILIES;
	}
	for (i = 0; i < (*logs)->count; i++) {
		datapath = interfaces[i / CONFIG_FAMILIES].planes[i % CONFIG_FAMILIES].datapath;
		log.interface = interfaces[i / CONFIG_FAMILIES].config->name;
		log.family = config_address_family(i % CONFIG_FAMILIES);
		if (datapath)
			plane_follow(&(*logs)->planes[i], datapath, &log);
		else if ((*logs)->planes[i].slots)
			plane_end(&(*logs)->planes[i], &log);
	}
	if (log.lost)
		log_record("%u lines of assignments are missing here", log.lost);
}

void assignment_logs_close(struct assignment_logs **logs)
{
	unsigned int live = 0;
	size_t i, n;

	for (i = 0; *logs && i < (*logs)->count; i++)
		for (n = 0; n < (*logs)->planes[i].count; n++)
			live += (*logs)->planes[i].slots[n].since != 0;
	if (*logs)
		log_record("the log of assignments ends: %u are alive", live);
	logs_free(logs);
}
