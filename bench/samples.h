/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples of one figure, and their quantiles. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <stddef.h>

struct samples {
	double *values;
	size_t count, room;
};

/* Ends the program where memory does. */
void samples_add(struct samples *samples, double value);

/* The value below which the given part of the samples lies; 0 if there is none. Sorts them. */
double samples_quantile(struct samples *samples, double part);
double samples_median(struct samples *samples);

/* Forgets the values, keeps the room. */
void samples_clear(struct samples *samples);
void samples_free(struct samples *samples);

#endif
