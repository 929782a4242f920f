#include "store/internal.h"

/* How many jobs there are in each state. */

struct counting {
	struct read read;
	uint32_t tenant;
	const struct store_filter *filter;
	store_count_fn *fn;
	void *userdata;
};

/* The job whose records pass by, as far as it has to be read to be counted. */
struct counted {
	struct job_ref ref;
	struct job_view view;
	uint64_t n_seen;
	uint64_t counts[_JOB_STATE_COUNT];
};

static bool is_wanted(const struct store_filter *filter, const struct job_view *view)
{
	const struct job_route ordered = job_ordered(view->job);

	return store_filter_matches(filter, ordered.provider, ordered.model, view->job->created_ms, view->status) &&
	       store_filter_matches_text(filter, view->job, view->status);
}

/* The job itself comes before its state, and is not looked at where nobody asks what it is. */
static int add_record(struct counted *counted, const struct store_filter *filter, enum key_part part,
		      struct bytes value)
{
	int r;

	if (part != KEY_PART_STATE && (part != KEY_PART_JOB || !filter))
		return 0;
	r = read_part(&counted->view, &counted->ref, part, value);
	if (r || part != KEY_PART_STATE)
		return r;
	if (!counted->view.status || (filter && (!counted->view.job || !is_wanted(filter, &counted->view))))
		return 0;
	counted->counts[counted->view.status->state]++;
	return 0;
}

static int scan(struct store *store, const struct counting *counting, struct counted *counted, bool *ret_partial)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;
	int r = 0;

	key_tenant(&from, KEY_JOB, counting->tenant);
	key_after(&to, &from);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; r == 0 && backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		struct job_ref ref;
		enum key_part part;

		if (!key_read_job(backend_cursor_key(cursor), &ref, &part))
			return err_origin(-EBADMSG);
		if (counted->n_seen == 0 || !job_ref_equal(&ref, &counted->ref)) {
			*ret_partial = counted->n_seen == LIMIT_STORE_COUNT_SCAN;
			if (*ret_partial)
				return 0;
			job_view_finish(&counted->view);
			counted->view = (struct job_view){0};
			counted->ref = ref;
			counted->n_seen++;
		}
		r = add_record(counted, counting->filter, part, backend_cursor_value(cursor));
	}
	return r ? r : backend_cursor_error(cursor);
}

static void run_count(struct store *store, struct read *take)
{
	struct counting *counting = (struct counting *)take;
	struct counted counted = {0};
	bool is_partial = false;
	int r = scan(store, counting, &counted, &is_partial);

	job_view_finish(&counted.view);
	counting->fn(counting->userdata, r, counted.counts, is_partial);
	free(counting);
}

void store_count_jobs(struct store *store, uint32_t tenant, const struct store_filter *filter, store_count_fn *fn,
		      void *userdata)
{
	static const uint64_t none[_JOB_STATE_COUNT];
	struct counting *counting = malloc(sizeof(*counting));

	if (!counting) {
		fn(userdata, err_origin(-ENOMEM), none, false);
		return;
	}
	*counting = (struct counting){
		.read.run = run_count, .tenant = tenant, .filter = filter, .fn = fn, .userdata = userdata};
	readers_add(store, &counting->read);
}
