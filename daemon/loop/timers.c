/*
 * A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): a node's children are a list through `sibling`, the first
 * one at `child`; `previous` is the left neighbour, or the parent for a first child, and lets a node leave from the
 * middle.
 */
#include "loop/timers.h"

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

/* Joins two heaps whose roots have no siblings. */
static struct loop_timer *meld(struct loop_timer *a, struct loop_timer *b)
{
	struct loop_timer *top, *below;

	if (!a || !b)
		return a ? a : b;
	top = is_before(b, a) ? b : a;
	below = top == a ? b : a;

	below->previous = top;
	below->sibling = top->child;
	if (top->child)
		top->child->previous = below;
	top->child = below;
	return top;
}

static struct loop_timer *detach_next(struct loop_timer **list)
{
	struct loop_timer *node = *list;

	if (node) {
		*list = node->sibling;
		node->sibling = NULL;
		node->previous = NULL;
	}
	return node;
}

/* Melds a list of siblings in pairs, then the pairs from the last to the first: this order makes removal cheap. */
static struct loop_timer *meld_siblings(struct loop_timer *list)
{
	struct loop_timer *pairs = NULL;
	struct loop_timer *root = NULL;

	while (list) {
		struct loop_timer *first = detach_next(&list);
		struct loop_timer *pair = meld(first, detach_next(&list));

		pair->sibling = pairs;
		pairs = pair;
	}
	while (pairs)
		root = meld(root, detach_next(&pairs));
	return root;
}

void timers_add(struct timers *timers, struct loop_timer *timer, uint64_t due_ns)
{
	assert(!timer->is_armed);
	timer->due_ns = due_ns;
	timer->order = timers->armed_count++;
	timer->is_armed = true;
	timers->root = meld(timers->root, timer);
}

static void leave_siblings(struct loop_timer *timer)
{
	if (timer->previous->child == timer)
		timer->previous->child = timer->sibling;
	else
		timer->previous->sibling = timer->sibling;
	if (timer->sibling)
		timer->sibling->previous = timer->previous;
}

void timers_remove(struct timers *timers, struct loop_timer *timer)
{
	struct loop_timer *below;

	assert(timer->is_armed);
	below = meld_siblings(timer->child);
	if (timer == timers->root) {
		timers->root = below;
	} else {
		leave_siblings(timer);
		timers->root = meld(timers->root, below);
	}
	timer->child = timer->sibling = timer->previous = NULL;
	timer->is_armed = false;
}

struct loop_timer *timers_take_due(struct timers *timers, uint64_t now_ns, uint64_t order)
{
	struct loop_timer *timer = timers->root;

	if (!timer || timer->due_ns > now_ns || timer->order >= order)
		return NULL;
	timers_remove(timers, timer);
	return timer;
}
