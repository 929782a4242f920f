/*
 * filmgate submit: the order is put together from a file, then the operands, then the flags in their order, all by the
 * contract's descriptors, and checked by the daemon alone: it knows what the models take.
 */
#include "cli.h"
#include "commands.h"
#include "field.h"
#include "job_file.h"
#include "money.h"
#include "order.h"
#include "params.h"
#include "render.h"
#include "say.h"
#include "upload.h"
#include "words.h"

#include "base/err.h"

/* Flags that are one field of the request. */
static const struct plain {
	const char *path;
	enum option_id id;
	bool may_name_file;
} plain_options[] = {
	{"job.parameters.prompt", OPTION_PROMPT, true},
	{"job.parameters.script.text", OPTION_SCRIPT, true},
	{"job.model", OPTION_MODEL, false},
	{"job.parameters.avatar_id", OPTION_AVATAR, false},
	{"job.parameters.voice_id", OPTION_VOICE, false},
	{"job.display_name", OPTION_NAME, false},
	{"job.priority", OPTION_PRIORITY, false},
	{"job.on_uncertain", OPTION_ON_UNCERTAIN, false},
	{"job.on_mismatch", OPTION_ON_MISMATCH, false},
	{"job.webhook.url", OPTION_WEBHOOK, false},
	{"job.retry_if_uncharged", OPTION_RETRY_IF_UNCHARGED, false},
	{"request_id", OPTION_REQUEST_ID, false},
};

static const struct plain *find_plain(enum option_id id)
{
	for (size_t i = 0; i < sizeof(plain_options) / sizeof(plain_options[0]); i++)
		if (plain_options[i].id == id)
			return &plain_options[i];
	return NULL;
}

/* "@FILE" and "@-" become what is in there; "@@" is a text that begins with "@". */
static int set_text(ProtobufCMessage *request, const char *path, const char *text, struct errmsg *error)
{
	_cleanup_(buffer_finish) struct buffer content = {0};
	int r;

	if (text[0] != '@' || text[1] == '@')
		return params_set_at(request, path, text[0] == '@' ? text + 1 : text, error);
	r = job_file_load(text + 1, &content, error);
	if (r)
		return r;
	if (content.len && memchr(content.data, '\0', content.len)) {
		errmsg_set(error, "%s holds a NUL: it is not text", text + 1);
		return PARAMS_E_INVALID;
	}
	return params_set_at(request, path, content.data ? content.data : "", error);
}

static Filmgate__V1__JobParameters *parameters_of(Filmgate__V1__CreateJobRequest *request)
{
	ProtobufCMessage *job = field_child(&request->base, field_find(request->base.descriptor, bytes_of_text("job")));

	return job ? (void *)field_child(job, field_find(job->descriptor, bytes_of_text("parameters"))) : NULL;
}

static int set_label(Filmgate__V1__CreateJobRequest *request, const char *pair, struct errmsg *error)
{
	const char *equals = strchr(pair, '=');
	struct bytes key = bytes_of(pair, (size_t)(equals - pair));
	const ProtobufCMessageDescriptor *of = request->job->base.descriptor;

	return field_set_entry(&request->job->base, field_find(of, bytes_of_text("labels")), key,
			       bytes_of_text(equals + 1), error);
}

static int set_timeout(Filmgate__V1__CreateJobRequest *request, int64_t ms, struct errmsg *error)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)ms);
	return params_set_at(&request->base, "timeout_ms", text, error);
}

/* "2h" is in two hours here, where a filter would take it for two hours ago. */
static int set_not_before(Filmgate__V1__CreateJobRequest *request, const char *when, int64_t now_ms,
			  struct errmsg *error)
{
	struct words at;
	int64_t ms;

	if (words_parse_duration(when, &ms) == 0) {
		ms += now_ms;
	} else if (words_parse_instant(when, now_ms, &ms)) {
		errmsg_set(error, "'%s' is no time; write 2026-11-22T17:00:00Z, or in how long, as 2h", when);
		return PARAMS_E_INVALID;
	}
	at = words_of_instant(ms / 1000, (int32_t)(ms % 1000) * 1000000);
	return params_set_at(&request->base, "job.not_before_time", at.text, error);
}

/* "veo/veo-3.1-generate-preview"; a model's id may have slashes, a provider's none. */
static int add_fallback(Filmgate__V1__CreateJobRequest *request, const char *text, struct errmsg *error)
{
	const char *id = text + (strncmp(text, "providers/", 10) == 0 ? 10 : 0);
	struct bytes provider = bytes_of(text, (size_t)(id - text) + strcspn(id, "/"));
	const char *model = id[strcspn(id, "/")] ? id + strcspn(id, "/") + 1 : "";
	const ProtobufCMessageDescriptor *of = request->job->base.descriptor;
	ProtobufCMessage *route;
	int r;

	if (*id == '\0' || *id == '/') {
		errmsg_set(error, "'%.200s' names no provider; write PROVIDER or PROVIDER/MODEL", text);
		return PARAMS_E_INVALID;
	}
	route = field_child(&request->job->base, field_find(of, bytes_of_text("fallbacks")));
	if (!route)
		return err_origin(-ENOMEM);
	r = field_set_text(route, field_find(route->descriptor, bytes_of_text("provider")), provider, error);
	if (r == 0 && *model)
		r = field_set_text(route, field_find(route->descriptor, bytes_of_text("model")), bytes_of_text(model),
				   error);
	return r;
}

static int apply(Filmgate__V1__CreateJobRequest *request, const struct argument *given, int64_t now_ms,
		 struct errmsg *error)
{
	const struct plain *plain = find_plain(given->row->id);
	Filmgate__V1__JobParameters *parameters = parameters_of(request);

	if (!parameters)
		return err_origin(-ENOMEM);
	if (plain)
		return plain->may_name_file ? set_text(&request->base, plain->path, given->text, error)
					    : params_set_at(&request->base, plain->path, given->text, error);
	switch (given->row->id) {
	case OPTION_PARAM:
		return params_set(parameters, given->text, error);
	case OPTION_IMAGE:
		return params_add_media(parameters, FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_IMAGE, given->text, error);
	case OPTION_VIDEO:
		return params_add_media(parameters, FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_VIDEO, given->text, error);
	case OPTION_REFERENCE:
		return params_add_media(parameters, FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_IMAGE, given->text, error);
	case OPTION_AUDIO:
		return params_add_media(parameters, FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_AUDIO, given->text, error);
	case OPTION_LABEL:
		return set_label(request, given->text, error);
	case OPTION_FALLBACK:
		return add_fallback(request, given->text, error);
	case OPTION_ADAPT:
		request->validation = FILMGATE__V1__VALIDATION__VALIDATION_ADAPT;
		return 0;
	case OPTION_TIMEOUT:
		return set_timeout(request, given->number, error);
	case OPTION_NOT_BEFORE:
		return set_not_before(request, given->text, now_ms, error);
	default:
		return 0;
	}
}

/* ---- files and assets among the media ---- */

static const char *kind_word(Filmgate__V1__MediaKind kind, char word[static FIELD_NAME_SIZE])
{
	field_enum_word(&filmgate__v1__media_kind__descriptor, (int)kind, word);
	return word;
}

/* A reference is of whatever kind the file is; the others say their kind, and a slip is found before it is ordered. */
static enum exit_code adopt_asset(Filmgate__V1__Media *media, const struct argument *given,
				  const Filmgate__V1__Asset *asset)
{
	const ProtobufCFieldDescriptor *field = field_find(media->base.descriptor, bytes_of_text("asset"));
	char found[FIELD_NAME_SIZE];
	struct errmsg error;

	if (given->row->id == OPTION_REFERENCE)
		media->kind = asset->kind;
	if (media->kind != asset->kind) {
		kind_word(asset->kind, found);
		say_error("--%s: '%s' is of the kind %s (%s); give it with --%s", given->row->name, given->text, found,
			  asset->media_type, found);
		return EXIT_USAGE;
	}
	return field_set_text(&media->base, field, bytes_of_text(asset->name), &error) ? EXIT_FAILED : EXIT_OK;
}

static enum exit_code fetch_asset(struct cli *cli, Filmgate__V1__Media *media, const struct argument *given)
{
	Filmgate__V1__GetAssetResponse *response = NULL;
	enum exit_code code = upload_get(cli, media->asset, &response);

	if (code == EXIT_OK)
		code = adopt_asset(media, given, response->asset);
	if (response)
		protobuf_c_message_free_unpacked(&response->base, NULL);
	return code;
}

static enum exit_code give_file(struct cli *cli, Filmgate__V1__Media *media, const struct argument *given)
{
	_cleanup_(freep) char *path = strdup(media->provider_handle);
	Filmgate__V1__UploadAssetResponse *response = NULL;
	enum exit_code code = path ? upload_file(cli, path, NULL, &response) : EXIT_FAILED;

	if (code == EXIT_OK)
		code = adopt_asset(media, given, response->asset);
	if (code == EXIT_OK)
		say_note("%s is %s%s", path, response->asset->name, response->existed ? "" : ", uploaded just now");
	if (response)
		protobuf_c_message_free_unpacked(&response->base, NULL);
	return code;
}

static bool looks_like_source(const char *text)
{
	return upload_is_file(text) || upload_is_misspelt(text) || strstr(text, "://") || !strncmp(text, "assets/", 7);
}

/* "frst_frame=a.png": a handle of a provider may hold "=", too, but what is behind it then is no file. */
static bool is_wrong_role(const char *handle, const struct argument *given, const char *provider)
{
	size_t len = strspn(handle, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-");
	const char *equals = strchr(handle, '=');
	_cleanup_(buffer_finish) struct buffer roles = {0};

	if (len == 0 || !equals || (handle + len != equals && handle[len] != '@') || !looks_like_source(equals + 1))
		return false;
	field_enum_words(&filmgate__v1__media_role__descriptor, &roles);
	say_error("--%s: '%.*s' is no role; there are %s", given->row->name, (int)len, handle,
		  roles.data ? roles.data : "");
	say_more("next: 'filmgate providers get %s' says which of them a model takes",
		 provider + (strncmp(provider, "providers/", 10) ? 0 : 10));
	return true;
}

static enum exit_code settle_media(struct cli *cli, Filmgate__V1__Media *media, const struct argument *given,
				   const char *provider)
{
	if (given->row->id == OPTION_REFERENCE)
		media->role = FILMGATE__V1__MEDIA_ROLE__MEDIA_ROLE_REFERENCE;
	if (media->source_case == FILMGATE__V1__MEDIA__SOURCE_ASSET)
		return fetch_asset(cli, media, given);
	if (media->source_case != FILMGATE__V1__MEDIA__SOURCE_PROVIDER_HANDLE)
		return EXIT_OK;
	if (upload_is_file(media->provider_handle))
		return give_file(cli, media, given);
	if (is_wrong_role(media->provider_handle, given, provider))
		return EXIT_USAGE;
	if (!upload_is_misspelt(media->provider_handle))
		return EXIT_OK;
	say_error("--%s: there is no file '%s'", given->row->name, media->provider_handle);
	return EXIT_USAGE;
}

static bool is_media(enum option_id id)
{
	return id == OPTION_IMAGE || id == OPTION_VIDEO || id == OPTION_AUDIO || id == OPTION_REFERENCE;
}

/* Once all else is known to be well written, since it may take long. */
static enum exit_code settle_all(struct cli *cli, Filmgate__V1__CreateJobRequest *request, const size_t *places)
{
	const struct arguments *arguments = &cli->arguments;
	enum exit_code code = EXIT_OK;

	for (size_t i = 0; code == EXIT_OK && i < arguments->n_given; i++)
		if (is_media(arguments->given[i].row->id))
			code = settle_media(cli, request->job->parameters->media[places[i]], &arguments->given[i],
					    request->job->provider);
	return code;
}

static int complete_fallbacks(Filmgate__V1__CreateJobRequest *request)
{
	for (size_t i = 0; i < request->job->n_fallbacks; i++) {
		Filmgate__V1__Route *route = request->job->fallbacks[i];
		const ProtobufCFieldDescriptor *field = field_find(route->base.descriptor, bytes_of_text("provider"));
		_cleanup_(freep) char *name = cli_provider_name(route->provider);
		struct errmsg error;

		if (!name || field_set_text(&route->base, field, bytes_of_text(name), &error))
			return PARAMS_E_INVALID;
	}
	return 0;
}

/* "heygen" means "providers/heygen", on the command line and in a file. */
static int complete_provider(Filmgate__V1__CreateJobRequest *request)
{
	_cleanup_(freep) char *name = NULL;
	struct errmsg error;

	if (!request->job || !*request->job->provider) {
		say_error("submit needs a PROVIDER, or a file that names one");
		return PARAMS_E_INVALID;
	}
	name = cli_provider_name(request->job->provider);
	return name ? params_set_at(&request->base, "job.provider", name, &error) : PARAMS_E_INVALID;
}

/* An order is money: a word that may have been meant otherwise is no prompt. */
static int check_prompt(const struct arguments *arguments)
{
	const char *prompt = arguments->n_operands > 1 ? arguments->operands[1] : NULL;
	int64_t ms;

	if (!prompt)
		return 0;
	if (arguments_has(arguments, OPTION_PROMPT)) {
		say_error("there are two prompts, '%.60s' and that of --prompt; give one", prompt);
		return PARAMS_E_INVALID;
	}
	if (arguments_has(arguments, OPTION_WAIT) && words_parse_duration(prompt, &ms) == 0) {
		say_error(
			"'%.60s' would be the prompt; write --wait=%.60s to wait so long, or --prompt '%.60s' if it is one",
			prompt, prompt, prompt);
		return PARAMS_E_INVALID;
	}
	return 0;
}

/* @places: of each given option, the index of the medium that it added. */
static int build(struct cli *cli, Filmgate__V1__CreateJobRequest *request, size_t *places)
{
	const struct arguments *arguments = &cli->arguments;
	const char *file = arguments_text(arguments, OPTION_FILE);
	struct errmsg error = {""};
	int r = check_prompt(arguments);

	if (r)
		return r;
	if (file)
		r = job_file_read(file, request, &error);
	if (r == 0 && arguments->n_operands > 0)
		r = params_set_at(&request->base, "job.provider", arguments->operands[0], &error);
	if (r == 0 && arguments->n_operands > 1)
		r = set_text(&request->base, "job.parameters.prompt", arguments->operands[1], &error);
	if (r) {
		say_error("%s", r < 0 ? strerror(-r) : error.text);
		return r;
	}
	for (size_t i = 0; i < arguments->n_given; i++) {
		const struct argument *given = &arguments->given[i];

		r = apply(request, given, clock_utc_ms(cli->clock), &error);
		if (r) {
			say_error("--%s: %s", given->row->name, r < 0 ? strerror(-r) : error.text);
			return r;
		}
		if (is_media(given->row->id))
			places[i] = request->job->parameters->n_media - 1;
	}
	r = complete_provider(request);
	return r ? r : complete_fallbacks(request);
}

static void print_quote(const Filmgate__V1__Quote *quote)
{
	_cleanup_(buffer_finish) struct buffer words = {0};

	money_quote(quote, &words);
	if (words.data)
		render_line("quote  %s", words.data);
	if (quote && *quote->rule)
		render_line("       %s", quote->rule);
}

static enum exit_code try_only(struct cli *cli, Filmgate__V1__CreateJobRequest *request)
{
	_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
	enum output_format format = arguments_format(&cli->arguments);
	enum exit_code code;

	request->validate_only = true;
	code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "CreateJob", &request->base,
		       "it would not be accepted", &reply);
	if (code != EXIT_OK)
		return code;
	say_note("it would be accepted; nothing was ordered");
	render_say_notes(((Filmgate__V1__CreateJobResponse *)reply)->job->status);
	if (format == FORMAT_TABLE)
		print_quote(((Filmgate__V1__CreateJobResponse *)reply)->job->quote);
	if (format != FORMAT_JSON && format != FORMAT_JSONL)
		return EXIT_OK;
	return render_document(&((Filmgate__V1__CreateJobResponse *)reply)->job->base,
			       format == FORMAT_JSONL ? DOCUMENT_LAYOUT_LINE : DOCUMENT_LAYOUT_INDENTED);
}

/* What is refused in spite of it, adapting cannot mend: nobody should try the same again with another spelling of it. */
static enum exit_code say_of_adapting(const struct cli *cli, enum exit_code code)
{
	if (code == EXIT_USAGE && arguments_has(&cli->arguments, OPTION_ADAPT))
		say_more("--adapt cannot mend this: change it yourself");
	return code;
}

enum exit_code command_submit(struct cli *cli)
{
	_cleanup_(field_message_freep)
		ProtobufCMessage *message = field_message_new(&filmgate__v1__create_job_request__descriptor);
	Filmgate__V1__CreateJobRequest *request = (void *)message;
	_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
	const Filmgate__V1__CreateJobResponse *created;
	_cleanup_(freep) size_t *places = NULL;
	struct order_id id;
	struct errmsg error;
	enum exit_code code;
	int r;

	if (!message)
		return EXIT_FAILED;
	code = order_check(cli);
	if (code != EXIT_OK)
		return code;
	places = calloc(cli->arguments.n_given + 1, sizeof(*places));
	r = places ? build(cli, request, places) : -ENOMEM;
	if (r)
		return r < 0 ? EXIT_FAILED : EXIT_USAGE;
	code = settle_all(cli, request, places);
	if (code != EXIT_OK)
		return code;
	if (arguments_has(&cli->arguments, OPTION_DRY_RUN) || request->validate_only)
		return say_of_adapting(cli, try_only(cli, request));

	order_make_id(cli, request->request_id, &id);
	if (params_set_at(message, "request_id", id.text, &error))
		return EXIT_FAILED;
	code = order_send(cli, "CreateJob", message, &id, &reply);
	if (code != EXIT_OK)
		return say_of_adapting(cli, code);
	created = (const void *)reply;
	render_say_notes(created->job->status);
	return order_finish(cli, created->job, created->replayed);
}
