/*
 * "Did you mean": the nearest of some words, if any is near. Pure. [any-thread]
 */
#ifndef FG_CLI_SUGGEST_H
#define FG_CLI_SUGGEST_H

#define SUGGEST_WORD_MAX 64 /* bytes; longer words have no neighbours */

/* How many insertions, deletions, changes and swaps of neighbours make @a out of @b; SUGGEST_WORD_MAX if one is longer
 * than that. */
unsigned int suggest_distance(const char *a, const char *b);

/* The search for the nearest word; zeroed but for `wanted`. */
struct suggest {
	const char *wanted;
	const char *best; /* NULL as long as none is near enough: at most a third of the word wrong */
	unsigned int distance;
};

/* @word must live as long as the search's result is used. */
void suggest_offer(struct suggest *suggest, const char *word);

#endif
