#include "sim/faults.h"

#include "base/limits.h"
#include "sim/actions.h"
#include "sim/json.h"

#include <fnmatch.h>

struct fault {
	struct fault *next;
	char id[24];
	json_t *rule; /* a copy; the texts below point into it */
	const char *method, *path, *host, *body_contains;
	int reused; /* -1: does not matter */
	bool wants_http2;
	uint64_t nth, every, times;
	uint64_t seen, fired;
};

struct sim_faults {
	struct fault *list; /* in the order of arrival */
	size_t count;
	uint64_t last_id;
};

int sim_faults_new(struct sim_faults **ret)
{
	struct sim_faults *faults = calloc(1, sizeof(*faults));

	if (!faults)
		return err_origin(-ENOMEM);

	*ret = faults;
	return 0;
}

static struct fault *fault_free(struct fault *fault)
{
	json_decref(fault->rule);
	free(fault);
	return NULL;
}

static void fault_freep(struct fault **fault)
{
	if (*fault)
		fault_free(*fault);
}

void sim_faults_clear(struct sim_faults *faults)
{
	struct fault *next;

	for (struct fault *fault = faults->list; fault; fault = next) {
		next = fault->next;
		fault_free(fault);
	}
	faults->list = NULL;
	faults->count = 0;
}

struct sim_faults *sim_faults_free(struct sim_faults *faults)
{
	if (!faults)
		return NULL;
	sim_faults_clear(faults);
	free(faults);
	return NULL;
}

static int read_match(struct fault *fault, struct errmsg *msg)
{
	json_t *match = json_object_get(fault->rule, "match");
	json_error_t error;
	int reused = -1;

	if (match && json_unpack_ex(match, &error, JSON_STRICT, "{s?s,s?s,s?s,s?s,s?b}", "method", &fault->method,
				    "path", &fault->path, "host", &fault->host, "body_contains", &fault->body_contains,
				    "reused", &reused) < 0) {
		errmsg_set(msg, "'match': %s", error.text);
		return SIM_FAULTS_E_INVALID;
	}
	if (fault->host && strcmp(fault->host, "api") != 0 && strcmp(fault->host, "files") != 0) {
		errmsg_set(msg, "'host' must be 'api' or 'files'");
		return SIM_FAULTS_E_INVALID;
	}
	fault->reused = reused;
	return 0;
}

static int read_counts(struct fault *fault, struct errmsg *msg)
{
	json_int_t nth = -1, every = -1, times = -1;
	json_error_t error;
	json_t *match, *action;

	if (json_unpack_ex(fault->rule, &error, JSON_STRICT, "{s?I,s?I,s?I,s?o,s:o}", "nth", &nth, "every", &every,
			   "times", &times, "match", &match, "action", &action) < 0) {
		errmsg_set(msg, "%s", error.text);
		return SIM_FAULTS_E_INVALID;
	}
	if (nth == 0 || every == 0 || nth < -1 || every < -1 || times < -1 || (nth > 0 && every > 0)) {
		errmsg_set(msg, "'nth' or 'every' must be at least 1, not both, and 'times' not negative");
		return SIM_FAULTS_E_INVALID;
	}
	fault->every = every > 0 ? (uint64_t)every : 0;
	fault->nth = every > 0 ? 0 : nth > 0 ? (uint64_t)nth : 1;
	fault->times = times >= 0 ? (uint64_t)times : every > 0 ? 0 : 1;
	return 0;
}

static int fault_new(const json_t *rule, struct errmsg *msg, struct fault **ret)
{
	_cleanup_(fault_freep) struct fault *fault = calloc(1, sizeof(*fault));
	int r;

	if (!fault)
		return err_origin(-ENOMEM);
	fault->rule = json_deep_copy(rule);
	if (!fault->rule)
		return err_origin(-ENOMEM);
	r = read_counts(fault, msg);
	r = r ? r : read_match(fault, msg);
	if (r)
		return r;
	if (sim_action_check(json_object_get(fault->rule, "action"), msg) != 0)
		return SIM_FAULTS_E_INVALID;
	if (sim_action_wants_reuse(json_object_get(fault->rule, "action")))
		fault->reused = 1;
	fault->wants_http2 = sim_action_wants_http2(json_object_get(fault->rule, "action"));

	*ret = steal(fault);
	return 0;
}

int sim_faults_add(struct sim_faults *faults, const json_t *rule, struct errmsg *msg, const char **ret_id)
{
	struct fault **end = &faults->list;
	struct fault *fault;
	int r;

	if (!json_is_object(rule) || faults->count >= LIMIT_SIM_FAULTS) {
		errmsg_set(msg, json_is_object(rule) ? "there are %d faults already" : "a fault is a JSON object",
			   LIMIT_SIM_FAULTS);
		return SIM_FAULTS_E_INVALID;
	}
	r = fault_new(rule, msg, &fault);
	if (r)
		return r;
	snprintf(fault->id, sizeof(fault->id), "f%llu", (unsigned long long)++faults->last_id);
	while (*end)
		end = &(*end)->next;
	*end = fault;
	faults->count++;

	*ret_id = fault->id;
	return 0;
}

int sim_faults_remove(struct sim_faults *faults, const char *id)
{
	for (struct fault **place = &faults->list; *place; place = &(*place)->next) {
		struct fault *fault = *place;

		if (strcmp(fault->id, id) != 0)
			continue;
		*place = fault->next;
		fault_free(fault);
		faults->count--;
		return 0;
	}
	return SIM_FAULTS_E_UNKNOWN;
}

/* With a wildcard a pattern is for the whole path, slashes included; without one it is how the path begins. */
static bool path_fits(const char *pattern, const char *path)
{
	if (strpbrk(pattern, "*?["))
		return fnmatch(pattern, path, 0) == 0;
	return strncmp(path, pattern, strlen(pattern)) == 0;
}

static bool is_match(const struct fault *fault, const struct sim_request *request)
{
	const struct buffer *body = &request->body;

	if (fault->method && strcmp(fault->method, request->method) != 0)
		return false;
	if (fault->host && (strcmp(fault->host, "files") == 0) != (request->host == SIM_HOST_FILES))
		return false;
	if (fault->reused >= 0 && (fault->reused > 0) != (request->nth > 1))
		return false;
	if (fault->wants_http2 && !request->is_http2)
		return false;
	if (fault->path && !path_fits(fault->path, request->path))
		return false;
	return !fault->body_contains ||
	       (body->len && memmem(body->data, body->len, fault->body_contains, strlen(fault->body_contains)));
}

static bool is_its_turn(const struct fault *fault)
{
	if (fault->times && fault->fired >= fault->times)
		return false;
	return fault->every ? fault->seen % fault->every == 0 : fault->seen >= fault->nth;
}

bool sim_faults_take(struct sim_faults *faults, const struct sim_request *request, struct sim_fault_hit *ret)
{
	struct fault *hit = NULL;

	for (struct fault *fault = faults->list; fault; fault = fault->next) {
		if (!is_match(fault, request))
			continue;
		fault->seen++;
		if (!hit && is_its_turn(fault))
			hit = fault;
	}
	if (!hit)
		return false;
	hit->fired++;

	*ret = (struct sim_fault_hit){.id = hit->id, .action = json_object_get(hit->rule, "action")};
	return true;
}

size_t sim_faults_count(const struct sim_faults *faults)
{
	return faults->count;
}

json_t *sim_faults_report(const struct sim_faults *faults)
{
	json_t *list = json_array();

	for (const struct fault *fault = faults->list; fault; fault = fault->next) {
		json_t *row = json_copy(fault->rule);

		json_object_set_new(row, "id", json_string(fault->id));
		json_object_set_new(row, "seen", json_integer((json_int_t)fault->seen));
		json_object_set_new(row, "fired", json_integer((json_int_t)fault->fired));
		json_array_append_new(list, row);
	}
	return json_pack("{s:o}", "faults", list);
}
