/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table that a run prints while it goes, and the same as JSON at its end. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "samples.h"

enum bound { NO_TARGET, AT_MOST, AT_LEAST };

struct target {
	enum bound bound;
	double value;
};

/* What stands beside a figure: what it was computed from, in the unit that its name says. */
struct beside {
	const char *name;
	double value;
};

#define BESIDE_MAX 6

/* A heading; the rows that follow belong to it. `against` is what they are ratios to. */
void report_area(const char *area, const char *against);

/*
 * One row: median and spread of the samples, the target and whether the median meets it. unit: "x" for ratios. The list of
 * figures beside it ends with one that has no name.
 */
void report_row(const char *what, const char *unit, struct samples *samples, struct target target,
		const struct beside *beside);

/* The same of a figure that was measured once. */
void report_single(const char *what, const char *unit, double value, struct target target, const struct beside *beside);

/* Something could not be measured: one row that says why. The run fails. */
void report_missing(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes the JSON. True if it could be written, and nothing is missing. */
bool report_finish(const char *path);

#endif
