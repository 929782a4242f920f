#include "suggest.h"

#include <string.h>

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int suggest_distance(const char *a, const char *b)
{
	unsigned int rows[3][SUGGEST_WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n >= SUGGEST_WORD_MAX || m >= SUGGEST_WORD_MAX)
		return SUGGEST_WORD_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *now = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			now[j] = least(least(above[j], now[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], two_above[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

void suggest_offer(struct suggest *suggest, const char *word)
{
	unsigned int distance = suggest_distance(suggest->wanted, word);
	size_t longer = strlen(word) > strlen(suggest->wanted) ? strlen(word) : strlen(suggest->wanted);

	if (distance * 3 > longer || (suggest->best && distance >= suggest->distance))
		return;
	suggest->best = word;
	suggest->distance = distance;
}
