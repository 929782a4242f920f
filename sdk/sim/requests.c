#include "sim/requests.h"

#include "base/err.h"
#include "base/limits.h"
#include "sim/stamp.h"

struct sim_requests {
	json_t *rows[LIMIT_SIM_REQUESTS]; /* row n lives at n % LIMIT_SIM_REQUESTS */
	uint64_t total;
};

int sim_requests_new(struct sim_requests **ret)
{
	struct sim_requests *requests = calloc(1, sizeof(*requests));

	if (!requests)
		return err_origin(-ENOMEM);

	*ret = requests;
	return 0;
}

void sim_requests_reset(struct sim_requests *requests)
{
	for (size_t i = 0; i < LIMIT_SIM_REQUESTS; i++) {
		json_decref(requests->rows[i]);
		requests->rows[i] = NULL;
	}
	requests->total = 0;
}

struct sim_requests *sim_requests_free(struct sim_requests *requests)
{
	if (!requests)
		return NULL;
	sim_requests_reset(requests);
	free(requests);
	return NULL;
}

static bool has_credential(const struct sim_fields *headers)
{
	return sim_fields_find(headers, "X-Api-Key") || sim_fields_find(headers, "Authorization") ||
	       sim_fields_find(headers, "X-Goog-Api-Key");
}

static json_t *names_of(const struct sim_fields *fields)
{
	json_t *names = json_array();

	for (size_t i = 0; i < fields->count; i++)
		json_array_append_new(names, json_string(fields->items[i].name));
	return names;
}

/* A path that is not UTF-8 has no place in JSON; the rest of the row still has. */
static const char *printable(const char *path)
{
	return bytes_are_text(bytes_of_text(path)) ? path : "(not UTF-8)";
}

json_t *sim_requests_add(struct sim_requests *requests, const struct sim_request *request, int64_t utc_ms)
{
	uint64_t n = ++requests->total;
	json_t **row = &requests->rows[n % LIMIT_SIM_REQUESTS];

	json_decref(*row);
	*row = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:o,s:b,s:I,s:I,s:I,s:n,s:n}", "n", (json_int_t)n, "time",
			 sim_stamp_of(utc_ms).text, "host", request->host == SIM_HOST_API ? "api" : "files", "http",
			 request->is_http2 ? "2" : "1.1", "method", request->method, "path", printable(request->path),
			 "headers", names_of(&request->headers), "api_key", has_credential(&request->headers),
			 "connection", (json_int_t)request->connection, "request_on_connection",
			 (json_int_t)request->nth, "body_bytes", (json_int_t)request->body.len, "status", "fault");
	return *row;
}

json_t *sim_requests_report(const struct sim_requests *requests, uint64_t after)
{
	uint64_t first = requests->total >= LIMIT_SIM_REQUESTS ? requests->total - LIMIT_SIM_REQUESTS + 1 : 1;
	json_t *rows = json_array();

	for (uint64_t n = after >= first ? after + 1 : first; n <= requests->total; n++)
		json_array_append(rows, requests->rows[n % LIMIT_SIM_REQUESTS]);
	return json_pack("{s:I,s:o}", "total", (json_int_t)requests->total, "requests", rows);
}

uint64_t sim_requests_total(const struct sim_requests *requests)
{
	return requests->total;
}
