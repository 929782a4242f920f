/*
 * filmgate update. On the wire a label map is replaced as a whole; so the labels are read, changed, and written only if
 * the job still has the revision that was read, from the beginning if it has not.
 */
#include "cli.h"
#include "commands.h"
#include "render.h"
#include "say.h"

#include "base/err.h"

#include <filmgate/v1/job_service.pb-c.h>

#define ROUNDS_MAX 5

static bool changes_labels(const struct arguments *arguments)
{
	return arguments_has(arguments, OPTION_LABEL) || arguments_has(arguments, OPTION_REMOVE_LABEL);
}

static const ProtobufCFieldDescriptor *labels_field(void)
{
	return field_find(&filmgate__v1__job__descriptor, bytes_of_text("labels"));
}

static void remove_label(Filmgate__V1__Job *job, const char *key)
{
	for (size_t i = 0; i < job->n_labels; i++) {
		if (strcmp(job->labels[i]->key, key) != 0)
			continue;
		protobuf_c_message_free_unpacked(&job->labels[i]->base, NULL);
		job->labels[i] = job->labels[--job->n_labels];
		return;
	}
	say_note("there was no label '%s'", key);
}

static int change_labels(const struct arguments *arguments, Filmgate__V1__Job *job, struct errmsg *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < arguments->n_given; i++) {
		const struct argument *given = &arguments->given[i];
		const char *equals = given->row->id == OPTION_LABEL ? strchr(given->text, '=') : NULL;

		if (equals)
			r = field_set_entry(&job->base, labels_field(),
					    bytes_of(given->text, (size_t)(equals - given->text)),
					    bytes_of_text(equals + 1), error);
		else if (given->row->id == OPTION_REMOVE_LABEL)
			remove_label(job, given->text);
	}
	return r;
}

/* What UpdateJob takes, put together from borrowed parts: lives no longer than they do. */
struct wish {
	Filmgate__V1__UpdateJobRequest request;
	Filmgate__V1__Job job;
	Google__Protobuf__FieldMask mask;
	char *paths[3];
};

static char labels_path[] = "labels", name_path[] = "display_name", priority_path[] = "priority";

static void make_wish(struct wish *wish, const struct arguments *arguments, const Filmgate__V1__Job *now)
{
	const char *name = arguments_text(arguments, OPTION_NAME);

	filmgate__v1__update_job_request__init(&wish->request);
	filmgate__v1__job__init(&wish->job);
	google__protobuf__field_mask__init(&wish->mask);
	wish->request.job = &wish->job;
	wish->request.update_mask = &wish->mask;
	wish->mask.paths = wish->paths;
	wish->job.name = now->name;
	if (changes_labels(arguments)) {
		wish->paths[wish->mask.n_paths++] = labels_path;
		wish->job.labels = now->labels;
		wish->job.n_labels = now->n_labels;
		wish->request.expected_revision = now->revision;
	}
	if (name) {
		wish->paths[wish->mask.n_paths++] = name_path;
		wish->job.display_name = (char *)(uintptr_t)name;
	}
	if (arguments_has(arguments, OPTION_PRIORITY)) {
		wish->paths[wish->mask.n_paths++] = priority_path;
		wish->job.priority = (int32_t)arguments_number(arguments, OPTION_PRIORITY, 0);
	}
}

/* One round; *ret_again when another client was faster. */
static enum exit_code try_update(struct cli *cli, char *name, ProtobufCMessage **ret_reply, bool *ret_again)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	_cleanup_(status_finish) struct status status = {0};
	struct errmsg error = {""};
	Filmgate__V1__Job *job;
	enum exit_code code;
	struct wish wish;
	int r;

	code = cli_get_job(cli, name, &message, &job);
	if (code != EXIT_OK)
		return code;
	r = change_labels(&cli->arguments, job, &error);
	if (r) {
		say_error("--label: %s", r < 0 ? strerror(-r) : error.text);
		return r < 0 ? EXIT_FAILED : EXIT_USAGE;
	}
	make_wish(&wish, &cli->arguments, job);
	r = cli_call(cli, &filmgate__v1__job_service__descriptor, "UpdateJob", &wish.request.base, ret_reply, &status);
	*ret_again = r == CLIENT_E_STATUS && status.code == STATUS_ABORTED;
	return r == 0 || *ret_again ? EXIT_OK : cli_say(cli, r, &status, "cannot update");
}

static enum exit_code print_result(const struct cli *cli, const Filmgate__V1__Job *job)
{
	enum exit_code code = EXIT_OK;

	if (!render_for_programs(arguments_format(&cli->arguments), &job->base, job->name, &code))
		printf("%s\n", job->name);
	return code;
}

enum exit_code command_update(struct cli *cli)
{
	const struct arguments *arguments = &cli->arguments;
	_cleanup_(freep) char *name = cli_job_name(arguments->operands[0]);

	if (!name)
		return EXIT_USAGE;
	if (!changes_labels(arguments) && !arguments_has(arguments, OPTION_NAME) &&
	    !arguments_has(arguments, OPTION_PRIORITY)) {
		say_error("nothing to change: give --label, --remove-label, --name or --priority");
		return EXIT_USAGE;
	}
	for (int round = 0; round < ROUNDS_MAX; round++) {
		_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
		bool again = false;
		enum exit_code code = try_update(cli, name, &reply, &again);

		if (code != EXIT_OK)
			return code;
		if (!again)
			return print_result(cli, ((Filmgate__V1__UpdateJobResponse *)reply)->job);
	}
	say_error("the job is changed by others all the time: gave up after %d rounds", ROUNDS_MAX);
	return EXIT_FAILED;
}
