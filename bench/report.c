// SPDX-License-Identifier: GPL-2.0-or-later
/* See report.h. */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ROWS_MAX 128

struct row {
	const char *area, *against;
	char what[64], why[192]; /* why: it is missing */
	const char *unit;
	double median, p10, p90;
	size_t count;
	struct target target;
	struct beside beside[BESIDE_MAX];
};

static struct row rows[ROWS_MAX];
static size_t rows_count;
static const char *current_area, *current_against;
static bool is_missing;

static const char *const bound_names[] = { [AT_MOST] = "at most", [AT_LEAST] = "at least" };
static const char *const bound_keys[] = { [AT_MOST] = "at_most", [AT_LEAST] = "at_least" };

void report_area(const char *area, const char *against)
{
	current_area = area;
	current_against = against;
	printf("\n%s%s%s\n", area, *against ? ", against " : "", against);
	fflush(stdout);
}

static struct row *row_new(const char *what)
{
	struct row *row;

	if (rows_count == ROWS_MAX) {
		fprintf(stderr, "more rows than there is room for\n");
		exit(1);
	}
	row = &rows[rows_count++];
	row->area = current_area;
	row->against = current_against;
	snprintf(row->what, sizeof(row->what), "%s", what);
	return row;
}

static bool is_met(const struct row *row)
{
	return row->target.bound == AT_MOST ? row->median <= row->target.value : row->median >= row->target.value;
}

/* Three digits that say something. */
static void number_print(FILE *to, double value)
{
	fprintf(to, "%.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
}

static void spread_print(const struct row *row)
{
	char text[64] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");

	if (to && row->count > 1) {
		number_print(to, row->p10);
		fputs(" .. ", to);
		number_print(to, row->p90);
	}
	if (to)
		fclose(to);
	printf(" %-18s", text);
}

static void row_print(const struct row *row)
{
	char target[32] = "", number[32] = "";
	FILE *to = fmemopen(number, sizeof(number), "w");

	if (to) {
		number_print(to, row->median);
		fprintf(to, " %s", row->unit);
		fclose(to);
	}
	printf("  %-34s %12s", row->what, number);
	spread_print(row);
	if (row->target.bound)
		snprintf(target, sizeof(target), "%s %g: %s", bound_names[row->target.bound], row->target.value,
			 is_met(row) ? "met" : "MISSED");
	printf(" %-22s", target);
	for (size_t i = 0; i < BESIDE_MAX && row->beside[i].name; i++) {
		printf("%s%s ", i ? ", " : "", row->beside[i].name);
		number_print(stdout, row->beside[i].value);
	}
	printf("\n");
	fflush(stdout);
}

void report_row(const char *what, const char *unit, struct samples *samples, struct target target,
		const struct beside *beside)
{
	struct row *row = row_new(what);

	row->unit = unit;
	row->count = samples->count;
	row->median = samples_median(samples);
	row->p10 = samples_quantile(samples, 0.1);
	row->p90 = samples_quantile(samples, 0.9);
	row->target = target;
	for (size_t i = 0; beside && i < BESIDE_MAX && beside[i].name; i++)
		row->beside[i] = beside[i];
	row_print(row);
}

void report_single(const char *what, const char *unit, double value, struct target target, const struct beside *beside)
{
	struct samples one = { .values = &value, .count = 1, .room = 1 };

	report_row(what, unit, &one, target, beside);
}

void report_missing(const char *what, const char *format, ...)
{
	struct row *row = row_new(what);
	va_list args;

	va_start(args, format);
	vsnprintf(row->why, sizeof(row->why), format, args);
	va_end(args);
	is_missing = true;
	printf("  %-34s NOT MEASURED: %s\n", row->what, row->why);
	fflush(stdout);
}

/* Our texts hold neither quotes nor control characters; a command's message may. */
static void json_string(FILE *to, const char *name, const char *text)
{
	fprintf(to, "\"%s\": \"", name);
	for (; *text; text++)
		fputc(*text == '"' || *text == '\\' || (unsigned char)*text < ' ' ? ' ' : *text, to);
	fputc('"', to);
}

static void json_row(FILE *to, const struct row *row)
{
	fputs("    {", to);
	json_string(to, "area", row->area);
	fputs(", ", to);
	json_string(to, "against", row->against);
	fputs(", ", to);
	json_string(to, "what", row->what);
	fputs(", ", to);
	if (*row->why) {
		json_string(to, "not_measured", row->why);
		fputs("}", to);
		return;
	}
	json_string(to, "unit", row->unit);
	fprintf(to, ", \"median\": %.6g, \"p10\": %.6g, \"p90\": %.6g, \"samples\": %zu", row->median, row->p10,
		row->p90, row->count);
	if (row->target.bound)
		fprintf(to, ", \"%s\": %g, \"met\": %s", bound_keys[row->target.bound], row->target.value,
			is_met(row) ? "true" : "false");
	fputs(", \"beside\": {", to);
	for (size_t i = 0; i < BESIDE_MAX && row->beside[i].name; i++)
		fprintf(to, "%s\"%s\": %.6g", i ? ", " : "", row->beside[i].name, row->beside[i].value);
	fputs("}}", to);
}

bool report_finish(const char *path)
{
	double load[3] = { 0 };
	struct utsname name;
	FILE *to;

	to = fopen(path, "w");
	if (!to) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	uname(&name);
	getloadavg(load, 3);
	fprintf(to, "{\n  \"version\": \"%s\",\n  \"kernel\": \"%s\",\n  \"machine\": \"%s\",\n  \"cpus\": %ld,\n",
		EINAT_VERSION, name.release, name.machine, sysconf(_SC_NPROCESSORS_ONLN));
	fprintf(to, "  \"load_average\": %.2f,\n  \"rows\": [\n", load[0]);
	for (size_t i = 0; i < rows_count; i++) {
		json_row(to, &rows[i]);
		fputs(i + 1 < rows_count ? ",\n" : "\n", to);
	}
	fputs("  ]\n}\n", to);
	if (fclose(to)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	return !is_missing;
}
