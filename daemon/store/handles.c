#include "store/internal.h"

#include "store/records.h"

/* What providers call content of ours. A read of several costs one place in the queue of the readers. */

struct get_handles {
	struct read read;
	uint32_t tenant;
	struct digest account;
	size_t n;
	store_handles_fn *fn;
	void *userdata;
	struct digest assets[];
};

void store_handle_finish(struct store_handle *handle)
{
	free(handle->handle);
	free(handle->headers);
	*handle = (struct store_handle){0};
}

static int read_handle(struct store *store, const struct get_handles *get, size_t at, struct store_handle *ret)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct key key;
	int r;

	key_handle(&key, get->tenant, &get->assets[at], &get->account);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r == STORE_E_NOT_FOUND)
		return 0;
	return r ? r : record_read_handle(value.bytes, ret);
}

static void run_get_handles(struct store *store, struct read *take)
{
	struct get_handles *get = (struct get_handles *)take;
	struct store_handle *handles = calloc(get->n + 1, sizeof(*handles));
	int r = handles ? 0 : err_origin(-ENOMEM);

	for (size_t i = 0; r == 0 && i < get->n; i++)
		r = read_handle(store, get, i, &handles[i]);
	get->fn(get->userdata, r, handles, r == 0 ? get->n : 0);
	for (size_t i = 0; handles && i < get->n; i++)
		store_handle_finish(&handles[i]);
	free(handles);
	free(get);
}

void store_get_handles(struct store *store, uint32_t tenant, const struct digest *account, const struct digest *sha256,
		       size_t n, store_handles_fn *fn, void *userdata)
{
	struct get_handles *get = malloc(sizeof(*get) + n * sizeof(*sha256));

	if (!get) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0);
		return;
	}
	*get = (struct get_handles){.read.run = run_get_handles,
				    .tenant = tenant,
				    .account = *account,
				    .n = n,
				    .fn = fn,
				    .userdata = userdata};
	memcpy(get->assets, sha256, n * sizeof(*sha256));
	readers_add(store, &get->read);
}
