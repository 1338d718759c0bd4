// SPDX-License-Identifier: GPL-2.0-or-later
/* See samples.h. */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>

void samples_add(struct samples *samples, double value)
{
	if (samples->count == samples->room) {
		samples->room = samples->room ? 2 * samples->room : 64;
		samples->values = realloc(samples->values, samples->room * sizeof(*samples->values));
		if (!samples->values) {
			fprintf(stderr, "out of memory\n");
			exit(1);
		}
	}
	samples->values[samples->count++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double samples_quantile(struct samples *samples, double part)
{
	if (!samples->count)
		return 0;
	qsort(samples->values, samples->count, sizeof(*samples->values), compare);
	return samples->values[(size_t)(part * (samples->count - 1) + 0.5)];
}

double samples_median(struct samples *samples)
{
	return samples_quantile(samples, 0.5);
}

void samples_clear(struct samples *samples)
{
	samples->count = 0;
}

void samples_free(struct samples *samples)
{
	free(samples->values);
	*samples = (struct samples){ 0 };
}
