/*
 * That a provider calls us: set up there by its plugin's verb subscribe. The provider makes the secret that it signs with
 * and tells it once; it is taken out of the reply before the plugin reads that, and kept sealed in a file per provider,
 * under a key beside it (base/seal.h). A backup has neither.
 *
 * Not in the store: the store is copied to places where keys have no business, and nothing that the engine decides hangs on
 * it. The file is written on the engine's thread, which is as seldom as an operator's command.
 *
 * The doors' threads read the secret that counts now. So what was registered is never changed and never freed before the
 * end; another one takes its place.
 */
#include "engine/internal.h"

#include "engine/request.h"
#include "engine/verb.h"

#include "base/json.h"
#include "base/quote.h"
#include "base/seal.h"
#include "base/write.h"
#include "plugin/webhook.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define PURPOSE "filmgate webhook of "

struct registration {
	char *url, *remote_id, *secret; /* all NULL: there is none any more */
	int64_t registered_ms;
	struct registration *older;
};

static const struct registration *current(const struct lane *lane)
{
	const struct registration *registration = atomic_load(&lane->registration);

	return registration && registration->secret ? registration : NULL;
}

const char *registration_secret(const struct lane *lane)
{
	const struct registration *registration = current(lane);

	return registration ? registration->secret : NULL;
}

static void forget_text(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void free_registration(struct registration *registration)
{
	free(registration->url);
	free(registration->remote_id);
	forget_text(registration->secret);
	free(registration);
}

static void publish(struct lane *lane, struct registration *take)
{
	take->older = atomic_load(&lane->registration);
	atomic_store(&lane->registration, take);
}

void registration_finish(struct lane *lane)
{
	struct registration *registration = atomic_load(&lane->registration);

	while (registration) {
		struct registration *older = registration->older;

		free_registration(registration);
		registration = older;
	}
	atomic_store(&lane->registration, NULL);
}

/* ---- what is kept ---- */

static void forget_buffer(struct buffer *buffer)
{
	if (buffer->data)
		explicit_bzero(buffer->data, buffer->capacity);
	buffer_finish(buffer);
}

/* "FOLDER/NAME", or "FOLDER/webhook-ID"; the caller's. */
static char *path_of(const struct engine *engine, const char *name, const char *id)
{
	char *path;

	if (asprintf(&path, "%s/%s%s", engine->config.secrets_path, name, id) < 0)
		abort();
	return path;
}

static char *purpose_of(const struct lane *lane)
{
	char *purpose;

	if (asprintf(&purpose, PURPOSE "%s", lane->config->id) < 0)
		abort();
	return purpose;
}

static void write_plain(const struct registration *registration, struct buffer *ret)
{
	struct json *json = json_new(NULL);
	json_node root = json_object(json);

	json_put(json, root, "/url", json_make_text(json, bytes_of_text(registration->url)));
	json_put(json, root, "/id", json_make_text(json, bytes_of_text(registration->remote_id)));
	json_put(json, root, "/secret", json_make_text(json, bytes_of_text(registration->secret)));
	json_put(json, root, "/registered_ms", json_make_integer(json, registration->registered_ms));
	if (json_fault(json) != 0 || json_write(json, root, JSON_FORM_PLAIN, ret) != 0)
		abort();
	json_free(json);
}

static struct registration *read_plain(struct bytes plain)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct registration *registration;
	json_node root;

	if (!json)
		abort();
	if (json_parse(json, plain, JSON_DUPLICATES_REFUSE, &root, NULL) != 0)
		return NULL;
	registration = take_memory(sizeof(*registration));
	registration->url = take_text(json_string(json, json_at(json, root, "/url")));
	registration->remote_id = take_text(json_string(json, json_at(json, root, "/id")));
	registration->secret = take_text(json_string(json, json_at(json, root, "/secret")));
	registration->registered_ms = json_integer(json, json_at(json, root, "/registered_ms"), 0);
	return registration;
}

static int write_file(const struct engine *engine, const char *path, struct bytes bytes)
{
	_cleanup_(freep) char *partial = NULL;
	_cleanup_(closep) int fd = -1;
	int r;

	if (asprintf(&partial, "%s.partial", path) < 0)
		abort();
	fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_origin(-errno);
	r = write_fully(fd, bytes);
	if (r == 0 && (fsync(fd) < 0 || rename(partial, path) < 0))
		r = err_origin(-errno);
	if (r < 0)
		unlink(partial);
	return r < 0 ? r : sync_folder(engine->config.secrets_path);
}

static int make_folder(const struct engine *engine)
{
	if (mkdir(engine->config.secrets_path, 0700) < 0 && errno != EEXIST)
		return err_origin(-errno);
	return 0;
}

/* 0, SEAL_E_KEY or negative errno, each with words. */
static int keep(const struct lane *lane, const struct registration *registration, struct errmsg *msg)
{
	_cleanup_(freep) char *key_path = path_of(lane->engine, "key", "");
	_cleanup_(freep) char *path = path_of(lane->engine, "webhook-", lane->config->id), *purpose = purpose_of(lane);
	_cleanup_(seal_key_freep) struct seal_key *key = NULL;
	_cleanup_(forget_buffer) struct buffer plain = {0};
	_cleanup_(buffer_finish) struct buffer sealed = {0};
	int r = make_folder(lane->engine);

	if (r == 0) {
		r = seal_key_open(key_path, SEAL_MAKE, &key, msg);
		if (r != 0)
			return r;
		write_plain(registration, &plain);
		r = seal_close(key, purpose, buffer_bytes(&plain), &sealed);
	}
	if (r == 0)
		r = write_file(lane->engine, path, buffer_bytes(&sealed));
	if (r < 0)
		errmsg_set(msg, "'%.300s' cannot be written: %s", path, strerror(-r));
	return r;
}

static int drop(const struct lane *lane, struct errmsg *msg)
{
	_cleanup_(freep) char *path = path_of(lane->engine, "webhook-", lane->config->id);
	int r = unlink(path) < 0 && errno != ENOENT ? err_origin(-errno)
						    : sync_folder(lane->engine->config.secrets_path);

	if (r < 0)
		errmsg_set(msg, "'%.300s' cannot be removed: %s", path, strerror(-r));
	return r;
}

/* ---- at the start ---- */

/* 0: *@ret, NULL when there is no such file. Else @msg says why not. */
static int read_sealed(const struct lane *lane, const char *path, struct registration **ret, struct errmsg *msg)
{
	_cleanup_(freep) char *key_path = path_of(lane->engine, "key", ""), *purpose = purpose_of(lane);
	_cleanup_(seal_key_freep) struct seal_key *key = NULL;
	_cleanup_(forget_buffer) struct buffer plain = {0};
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char sealed[4 * LIMIT_SECRET];
	ssize_t n = fd < 0 ? -1 : read(fd, sealed, sizeof(sealed));
	int r;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (n < 0) {
		errmsg_set(msg, "%s", strerror(errno));
		return -EIO;
	}
	r = seal_key_open(key_path, 0, &key, msg);
	if (r != 0)
		return r;
	r = seal_open(key, purpose, bytes_of(sealed, (size_t)n), &plain);
	*ret = r == 0 ? read_plain(buffer_bytes(&plain)) : NULL;
	if (*ret)
		return 0;
	errmsg_set(msg, "it was sealed with another key, or changed since");
	return SEAL_E_WRONG;
}

/* One that cannot be read is no reason not to start: its jobs are polled. */
void registration_load(struct engine *engine)
{
	for (size_t i = 0; engine->config.secrets_path && i < engine->n_lanes; i++) {
		struct lane *lane = &engine->lanes[i];
		_cleanup_(freep) char *path = path_of(engine, "webhook-", lane->config->id);
		struct registration *registration = NULL;
		struct errmsg why = {""};

		if (read_sealed(lane, path, &registration, &why) != 0)
			log_error(
				"the secret of a provider's webhooks cannot be read, so they are refused; run 'filmgate "
				"webhooks register' again",
				"provider", lane->config->id, "file", path, "why", why.text);
		else if (registration)
			publish(lane, registration);
	}
}

/* ---- asking for it ---- */

struct asking {
	struct loop_message message;
	struct lane *lane;
	bool begins;
	char *url, *remote_id, *secret;
	engine_registrations_fn *fn;
	void *userdata;
};

static struct engine_registration shown(const struct lane *lane)
{
	const struct engine_provider_config *config = lane->config;
	const struct registration *registration = current(lane);
	struct engine_registration row = {.provider = config->id};

	if (config->plugin)
		row.is_configured = plugin_webhook_is_configured(config->account);
	if (registration) {
		row.url = registration->url;
		row.remote_id = registration->remote_id;
		row.registered_ms = registration->registered_ms;
	}
	return row;
}

static void end(struct asking *take, int outcome, const char *text)
{
	struct engine_violation violation = {.field = "url", .text = text};
	struct engine_error error = {
		.text = text, .violations = &violation, .n_violations = outcome == ENGINE_E_INVALID};
	struct engine_registration row = take->lane ? shown(take->lane) : (struct engine_registration){0};

	take->fn(take->userdata, outcome, outcome ? &error : NULL, &row, outcome ? 0 : 1);
	free(take->url);
	free(take->remote_id);
	forget_text(take->secret);
	free(take);
}

static void end_unkept(struct asking *take, const struct errmsg *why)
{
	struct errmsg words;

	errmsg_set(
		&words,
		"the provider has set it up, but its secret cannot be kept: %.300s; mend that, and run the command again",
		why->text);
	log_error("the secret of a provider's webhooks cannot be kept", "provider", take->lane->config->id, "why",
		  why->text);
	end(take, ENGINE_E_STORE, words.text);
}

static void end_begun(struct asking *take, const char *report)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct registration *made;
	struct errmsg why;
	json_node root;

	/* plugin/ has looked at the report. */
	if (!json || json_parse(json, bytes_of_text(report), JSON_DUPLICATES_LAST_WINS, &root, NULL) != 0)
		abort();
	if (!take->secret) {
		end(take, ENGINE_E_PROVIDER,
		    "the provider has set it up, but its reply has no secret where the plugin says that it is; end it "
		    "there by hand, and write a secret into the provider's secrets");
		return;
	}
	made = take_memory(sizeof(*made));
	made->url = take_text(take->url);
	made->remote_id = take_text(json_string(json, json_at(json, root, "/id")));
	made->secret = steal(take->secret);
	made->registered_ms = now_utc(take->lane->engine);
	if (keep(take->lane, made, &why) != 0) {
		free_registration(made);
		end_unkept(take, &why);
		return;
	}
	publish(take->lane, made);
	log_info("the provider's webhooks were registered", "provider", take->lane->config->id, "url", made->url);
	end(take, 0, NULL);
}

static void end_ended(struct asking *take)
{
	struct errmsg why;

	if (drop(take->lane, &why) < 0) {
		end(take, ENGINE_E_STORE, why.text);
		return;
	}
	publish(take->lane, take_memory(sizeof(struct registration)));
	log_info("the provider's webhooks were unregistered", "provider", take->lane->config->id);
	end(take, 0, NULL);
}

static void on_told(void *userdata, const struct verb_result *result)
{
	struct asking *asking = userdata;

	asking->lane->is_registering = false;
	if (result->outcome != 0)
		end(asking, result->outcome, result->text);
	else if (asking->begins)
		end_begun(asking, result->report);
	else
		end_ended(asking);
}

static bool is_possible(const struct asking *asking, struct errmsg *why)
{
	const struct registration *there = current(asking->lane);
	const char *id = asking->lane->config->id;

	if (asking->lane->is_registering)
		errmsg_set(why, "the webhooks of '%.64s' are being set up just now; wait until that is done", id);
	else if (asking->begins && there && strcmp(there->url, asking->url) != 0)
		errmsg_set(
			why,
			"'%.64s' calls '%.300s' already; unregister that first, or register the same URL again for a "
			"new secret",
			id, there->url);
	else if (!asking->begins && !there)
		errmsg_set(why, "no webhooks of '%.64s' were registered from here, so there is nothing to end", id);
	else
		return true;
	return false;
}

static void on_ask(struct loop_message *message)
{
	struct asking *asking = loop_message_owner(message, struct asking, message);
	struct step_subject subject = {
		.lane = asking->lane, .subscription_url = asking->url, .secret = &asking->secret};
	struct errmsg why;

	if (!is_possible(asking, &why)) {
		end(asking, ENGINE_E_STATE, why.text);
		return;
	}
	if (!asking->begins)
		asking->remote_id = take_text(current(asking->lane)->remote_id);
	asking->lane->is_registering = true;
	subject.subscription_action = asking->begins ? PLUGIN_SUBSCRIPTION_BEGIN : PLUGIN_SUBSCRIPTION_END;
	subject.subscription_id = asking->remote_id;
	verb_run(&subject, PLUGIN_VERB_SUBSCRIBE, on_told, asking);
}

/* NULL: it will do. */
static const char *find_fault(const struct lane *lane, const char *url)
{
	enum http_reach reach = http_url_reach(url);

	if (strlen(url) > LIMIT_WEBHOOK_URL)
		return "is too long: at most 2048 bytes are possible";
	if (reach == HTTP_REACH_UNREADABLE)
		return "is no absolute https URL without a user name: write it as https://HOST/v1/webhooks/PROVIDER";
	if (lane->config->allow_private_network)
		return NULL;
	if (strncasecmp(url, "https://", 8) != 0)
		return "goes over http, where everybody on the way can read and repeat it: write https://";
	return reach == HTTP_REACH_PRIVATE
		       ? "leads into a private network, where the provider cannot call: name the address of the proxy in "
			 "front of this daemon"
		       : NULL;
}

/* ENGINE_E_…, with words; 0: it can be asked for. */
static int check(const struct engine *engine, const struct lane *lane, const char *id, const char *url,
		 struct errmsg *why)
{
	const char *fault;

	if (!lane) {
		request_name_providers(engine, id, why);
		return ENGINE_E_NOT_FOUND;
	}
	if (!lane->config->plugin) {
		errmsg_set(why, "provider '%.64s' cannot be used: %.360s; mend that and restart the daemon", id,
			   lane->config->problem ? lane->config->problem : "its plugin is not loaded");
		return ENGINE_E_PROVIDER;
	}
	if (!verb_is_offered(lane, PLUGIN_VERB_SUBSCRIBE) || !engine->config.secrets_path) {
		errmsg_set(
			why,
			"the plugin '%.64s' cannot set webhooks up; do it at the provider, and write its secret into "
			"the secrets of '%.64s'",
			lane->config->plugin_name, id);
		return ENGINE_E_STATE;
	}
	fault = url ? find_fault(lane, url) : NULL;
	if (!fault)
		return 0;
	errmsg_set(why, "'%.300s' %s", quote(url).text, fault);
	return ENGINE_E_INVALID;
}

static void ask(struct engine *engine, const char *id, const char *url, engine_registrations_fn *fn, void *userdata)
{
	struct asking *asking = take_memory(sizeof(*asking));
	struct errmsg why;
	int outcome;

	*asking = (struct asking){.message.run = on_ask,
				  .lane = lane_find(engine, id),
				  .begins = url != NULL,
				  .url = take_text(url),
				  .fn = fn,
				  .userdata = userdata};
	outcome = check(engine, asking->lane, id, url, &why);
	if (outcome)
		end(asking, outcome, why.text);
	else
		loop_post(engine->loop, &asking->message);
}

void engine_register_webhook(struct engine *engine, const char *provider, const char *url, engine_registrations_fn *fn,
			     void *userdata)
{
	ask(engine, provider, url, fn, userdata);
}

void engine_unregister_webhook(struct engine *engine, const char *provider, engine_registrations_fn *fn, void *userdata)
{
	ask(engine, provider, NULL, fn, userdata);
}

void engine_list_registrations(struct engine *engine, engine_registrations_fn *fn, void *userdata)
{
	struct engine_registration *rows = take_memory((engine->n_lanes + 1) * sizeof(*rows));
	size_t n = 0;

	for (size_t i = 0; i < engine->n_lanes; i++)
		if (hint_can_call(&engine->lanes[i]))
			rows[n++] = shown(&engine->lanes[i]);
	fn(userdata, 0, NULL, rows, n);
	free(rows);
}
