#include "table.h"

#include "commands.h"

#include <limits.h>
#include <stddef.h>

static const char *const policies[] = {"hold", "fail", "resubmit", NULL};
static const char *const mismatch_policies[] = {"accept", "flag", "fail", NULL};
const char *const table_formats[] = {"table", "json", "jsonl", "name", NULL};
static const char *const delivery_states[] = {"pending", "delivered", "dead", NULL};
static const char *const usage_formats[] = {"table", "json", "jsonl", "csv", NULL};

#define ROW(variable, i, t, l, n, m, h, ...)                                \
	static const struct option_row variable = {.id = OPTION_##i,        \
						   .type = OPTION_TYPE_##t, \
						   .letter = (l),           \
						   .name = (n),             \
						   .metavar = (m),          \
						   .help = (h),             \
						   __VA_ARGS__}

ROW(server, SERVER, TEXT, 's', "server", "ADDRESS",
    "the daemon: unix:PATH or HOST:PORT (else FILMGATE_SERVER, else the context file)");
ROW(deadline, DEADLINE, DURATION, 0, "deadline", "TIME", "how long one call to the daemon may take (default 30s)");
ROW(retry_for, RETRY_FOR, DURATION, 0, "retry-for", "TIME",
    "how long to go on trying when the daemon has gone away (default 10s for an order, 60s while "
    "watching or downloading)");
ROW(quiet, QUIET, FLAG, 'q', "quiet", NULL, "only data and errors: no notes, no progress");
ROW(help, HELP, FLAG, 'h', "help", NULL, "this text");

/* -o is the format where a command writes no file, and the file where it does. */
#define FORMAT_HELP "table, json, jsonl (one document a line) or name (resource names alone)"
ROW(format_o, FORMAT, CHOICE, 'o', "format", "FORMAT", FORMAT_HELP, .choices = table_formats);
ROW(format, FORMAT, CHOICE, 0, "format", "FORMAT", FORMAT_HELP, .choices = table_formats);
ROW(output, OUTPUT, TEXT, 'o', "output", "FILE", "where the video goes: a file, a folder, or - for standard output");
ROW(output_waits, OUTPUT, TEXT, 'o', "output", "FILE",
    "wait, then download the video there; a folder, or - for standard output, will do");

ROW(prompt, PROMPT, TEXT, 'p', "prompt", "TEXT",
    "what to show; @FILE reads it from a file, @- from standard input, @@… is a text that begins with @");
ROW(script, SCRIPT, TEXT, 0, "script", "TEXT", "what is spoken; @FILE as for --prompt");
ROW(model, MODEL, TEXT, 'm', "model", "MODEL", "which of the provider's models");
ROW(avatar, AVATAR, TEXT, 0, "avatar", "ID", "the provider's avatar, presenter or replica");
ROW(voice, VOICE, TEXT, 0, "voice", "ID", "the provider's voice");
ROW(param, PARAM, PAIR, 'P', "param", "NAME=VALUE",
    "any parameter by its name in 'filmgate providers get': duration_ms=8s, resolution=720p, "
    "background.color=#202020, extras.engine.type=avatar_v");
ROW(image, IMAGE, TEXT, 0, "image", "[ROLE=]SOURCE",
    "a picture: an address, a file, assets/SHA256 or a provider handle; a file is uploaded first; ROLE is first_frame "
    "(default), last_frame, keyframe@TIME, reference or source");
ROW(reference, REFERENCE, TEXT, 0, "reference", "SOURCE",
    "a picture, video or sound to go by, as for --image; may be repeated");
ROW(video, VIDEO, TEXT, 0, "video", "[ROLE=]SOURCE", "a video to work from; the default role is source");
ROW(audio, AUDIO, TEXT, 0, "audio", "[ROLE=]SOURCE", "a sound to work from; the default role is reference");
ROW(label, LABEL, PAIR, 'l', "label", "KEY=VALUE", "a label of the job; may be repeated");
ROW(filter_label, LABEL, PAIR, 'l', "label", "KEY=VALUE", "only jobs with that label; may be repeated");
ROW(remove_label, REMOVE_LABEL, TEXT, 0, "remove-label", "KEY", "take a label off");
ROW(name, NAME, TEXT, 'n', "name", "TEXT", "a name for people");
ROW(priority, PRIORITY, NUMBER, 0, "priority", "N",
    "-100 to 100 (default 0); higher ones start first, and each minute of waiting counts as one", .least = -100,
    .most = 100);
ROW(timeout, TIMEOUT, DURATION, 0, "timeout", "TIME",
    "the job's deadline, counted from now, or from --not-before; it then ends as expired");
ROW(wait_timeout, TIMEOUT, DURATION, 0, "timeout", "TIME",
    "stop waiting after that time, with status 124; the job goes on");
ROW(on_uncertain, ON_UNCERTAIN, CHOICE, 0, "on-uncertain", "POLICY",
    "when nobody can find out whether it was bought: hold (a person decides), fail, or resubmit (it may be paid for "
    "twice); default: as the provider is configured",
    .choices = policies);
ROW(on_mismatch, ON_MISMATCH, CHOICE, 0, "on-mismatch", "POLICY",
    "when its video is not what was ordered, in length, size, shape, frame rate or sound, or is black or still: accept "
    "(nobody looks), flag, or fail (it costs the same); default: as the provider is configured",
    .choices = mismatch_policies);
ROW(not_before, NOT_BEFORE, TEXT, 0, "not-before", "WHEN",
    "start it no earlier than that: 2026-11-22T17:00:00Z, '2026-11-22 17:00' here, or in so long: 2h30m");
ROW(fallback, FALLBACK, TEXT, 0, "fallback", "PROVIDER[/MODEL]",
    "who makes it if the one before does not and certainly sold nothing: it refuses it, cannot be reached, or asks for a "
    "long pause; may be repeated, up to 4 times");
ROW(retry_uncharged, RETRY_IF_UNCHARGED, NUMBER, 0, "retry-if-uncharged", "N",
    "try again up to N times (at most 10) when it was moderated or failed there and certainly cost nothing", .least = 0,
    .most = 10);
ROW(wait_flag, WAIT, MAYBE_DURATION, 'w', "wait", "TIME",
    "wait until the job has ended, however it ends, or is UNCERTAIN; with =TIME no longer than that");
ROW(dry_run, DRY_RUN, FLAG, 0, "dry-run", NULL,
    "check everything that can be checked without the provider, say what it would cost, order nothing; files are "
    "uploaded all the same, since the daemon looks at them");
ROW(adapt, ADAPT, FLAG, 0, "adapt", NULL,
    "change what the model does not take as it is, and say so; never what the film shows or says");
ROW(request_id, REQUEST_ID, TEXT, 0, "request-id", "ID",
    "your own id of this order: a repetition with the same id buys nothing twice (default: a new one)");
ROW(file, FILE, TEXT, 'f', "file", "FILE",
    "the job as JSON, as 'get -o json' prints it; - is standard input; other flags come on top");
ROW(state, STATE, TEXT, 0, "state", "STATE",
    "only jobs in that state: queued, running, failed, …; several with commas");
ROW(uncertain, UNCERTAIN, FLAG, 0, "uncertain", NULL, "the same as --state uncertain: what 'resolve' can decide");
ROW(provider, PROVIDER, TEXT, 0, "provider", "NAME", "only jobs of that provider; may be repeated");
ROW(filter_model, MODEL, TEXT, 'm', "model", "MODEL", "only jobs of that model; may be repeated");
ROW(since, SINCE, TEXT, 0, "since", "WHEN",
    "only jobs created since: a time (2026-11-22, 2026-11-22T17:00:00Z) or how long ago (2h)");
ROW(limit, LIMIT, NUMBER, 0, "limit", "N", "at most so many jobs (default 50); 0 is all", .least = 0, .most = INT_MAX);
ROW(asset_limit, LIMIT, NUMBER, 0, "limit", "N", "at most so many (default 50); 0 is all", .least = 0, .most = INT_MAX);
ROW(asset_title, NAME, TEXT, 'n', "name", "TEXT", "a name for people (default: the file's)");
ROW(entries_limit, LIMIT, NUMBER, 0, "limit", "N", "at most so many (default 50); 0 is all", .least = 0,
    .most = INT_MAX);
ROW(remote, REMOTE, FLAG, 0, "remote", NULL,
    "have the provider remove its copy first; nothing is deleted here unless it does");
ROW(found, FOUND, TEXT, 0, "found", "REMOTE_ID",
    "it was bought, and this is the provider's id of it: the job goes on with it");
ROW(all, ALL, FLAG, 0, "all", NULL, "every job that is open");
ROW(absent, ABSENT, FLAG, 0, "absent", NULL, "nothing was bought: it is ordered again, at a price");
ROW(give_up, GIVE_UP, FLAG, 0, "give-up", NULL, "it is not known and nobody looks further: the job has failed");
ROW(adopt_force, FORCE, FLAG, 0, "force", NULL,
    "also what was the video of a job that is deleted, and what another job's order may have made");
ROW(adopt_model, MODEL, TEXT, 'm', "model", "MODEL", "which of the provider's models made it (default: not known)");
ROW(adopt_name, NAME, TEXT, 'n', "name", "TEXT", "a name for people (default: its title at the provider)");
ROW(adopt_wait, WAIT, MAYBE_DURATION, 'w', "wait", "TIME",
    "wait until all have ended; with =TIME for each no longer than that");
ROW(language, LANGUAGE, TEXT, 0, "language", "LANGUAGE", "only of that language: en, English, en-US");
ROW(query, QUERY, TEXT, 0, "query", "TEXT", "only those with this text in id, name or tags");
ROW(job_query, QUERY, TEXT, 0, "query", "WORDS",
    "only jobs with each of these words in a name, label, prompt, script, id or failure");
ROW(count, COUNT, FLAG, 0, "count", NULL, "how many there are in each state, instead of them");
ROW(max_age, MAX_AGE, DURATION, 0, "max-age", "TIME",
    "ask the provider again if the daemon's list is older (default 5m; 0s: always)");
ROW(by, BY, TEXT, 0, "by", "WHAT",
    "a row for each: day, provider, model or label:KEY; day and one of the others with a comma between");
ROW(from_day, FROM, TEXT, 0, "from", "DAY",
    "the first day, UTC: 2026-11-01 (default: the first of the last day's month)");
ROW(to_day, TO, TEXT, 0, "to", "DAY", "the last day (default: today)");
ROW(usage_format, FORMAT, CHOICE, 'o', "format", "FORMAT", "table, json, jsonl (one document a line) or csv",
    .choices = usage_formats);
ROW(check_ledger, CHECK, FLAG, 0, "check", NULL,
    "add everything up and hold it against the balances and the jobs; status 1 if something is wrong");
ROW(webhook, WEBHOOK, TEXT, 0, "webhook", "URL",
    "tell this address, too, when the job has ended or is UNCERTAIN, by a signed request");
ROW(delivery_state, STATE, CHOICE, 0, "state", "STATE", "only those in that state: pending, delivered or dead",
    .choices = delivery_states);
ROW(endpoint, ENDPOINT, TEXT, 0, "endpoint", "NAME", "only those for that endpoint of the daemon's configuration");
ROW(of_job, JOB, TEXT, 0, "job", "JOB", "only those about that job");
ROW(all_dead, DEAD, FLAG, 0, "dead", NULL, "all that were given up");
ROW(role, ROLE, TEXT, 0, "role", "ROLE", "which file of the job: video (default), captioned_video, thumbnail, …");
ROW(ttl, TTL, DURATION, 0, "ttl", "TIME", "how long it is good, at most 30d (default 24h)");

ROW(seconds, SECONDS, NUMBER, 0, "seconds", "N", "how long to fuzz (default 60); 0 leaves it out", .least = 0,
    .most = 86400);
ROW(replay, REPLAY, TEXT, 0, "replay", "DIR", "replay the recordings (*.json) of this folder, too");
ROW(seed, SEED, NUMBER, 0, "seed", "N", "another number, other replies (default 1)", .least = 0, .most = INT_MAX);
ROW(keep, KEEP, TEXT, 0, "keep", "DIR", "write the step that went wrong there, as a recording for --replay");
ROW(setting, SETTING, PAIR, 0, "option", "NAME=VALUE", "an option of the provider's configuration; may be repeated");

const struct option_row *const table_global_options[] = {&server, &deadline, &retry_for, &quiet, &help, NULL};

#define PLUGIN_CHILD                                                                                                    \
	"Loading a file runs code of it: in a child process with limits on time, memory, files and what it may write, " \
	"but with your rights. The limits are against accidents; do not load what you would not run."
#define PLUGIN_DETAILS                                                                                             \
	"For people who write plugins; sdk/GUIDE.md is their guide. Needs no daemon: the program filmgate-plugin " \
	"beside this one, or in libexec/filmgate, does the work.\n\n" PLUGIN_CHILD

#define OPTIONS(...) ((const struct option_row *const[]){__VA_ARGS__, NULL})
#define EXAMPLES(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct command table_commands[] = {
	{.name = "submit",
	 .operands = "[PROVIDER [PROMPT]]",
	 .summary = "order a video",
	 .details = "Prints the job's name once the daemon has it on disk. If the daemon goes away meanwhile, the same "
		    "order is sent again under the same request id, so nothing is bought twice. Ctrl-C during --wait "
		    "leaves the job running.\n\n"
		    "FILE of --file is a job: provider, model, parameters, display_name, labels, priority; what only "
		    "the daemon writes is ignored, so that a printed job can be ordered again. Or it is "
		    "{\"job\": …, \"request_id\": …, \"timeout_ms\": …}.",
	 .examples = EXAMPLES(
		 "filmgate submit heygen --model avatar --script \"Good morning.\" --avatar ID --voice ID "
		 "--wait -o hello.mp4",
		 "filmgate submit heygen --model image --image source=https://example.com/face.jpg --script "
		 "@text.txt --voice ID",
		 "filmgate get JOB -o json | filmgate submit -f - --priority 10"),
	 .options = OPTIONS(&prompt, &script, &model, &avatar, &voice, &param, &image, &video, &audio, &reference,
			    &label, &name, &priority, &timeout, &file, &request_id, &dry_run, &adapt, &on_uncertain,
			    &not_before, &retry_uncharged, &on_mismatch, &fallback, &webhook, &wait_flag, &output_waits,
			    &format),
	 .operands_max = 2,
	 .needs_daemon = true,
	 .run = command_submit},
	{.name = "get",
	 .operands = "JOB",
	 .summary = "show one job, with its attempts and files",
	 .options = OPTIONS(&format_o),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_get},
	{.name = "list",
	 .operands = "",
	 .summary = "list jobs, newest first",
	 .examples = EXAMPLES("filmgate list --state failed,expired --since 1d",
			      "filmgate list -l project=spring -o jsonl", "filmgate list --query 'red kite' --count"),
	 .options = OPTIONS(&state, &uncertain, &provider, &filter_model, &filter_label, &since, &job_query, &count,
			    &limit, &format_o),
	 .needs_daemon = true,
	 .run = command_list},
	{.name = "watch",
	 .operands = "[JOB]",
	 .summary = "follow one job until it ends, or all jobs",
	 .details =
		 "Redraws in place on a terminal, writes one line per change elsewhere. A lost connection is taken up "
		 "where it broke. With JOB the exit status is that of 'wait'; one that is UNCERTAIN is followed on.",
	 .options = OPTIONS(&state, &provider, &filter_model, &filter_label, &format_o),
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_watch},
	{.name = "wait",
	 .operands = "JOB...",
	 .summary = "wait until jobs have ended, however they end",
	 .details =
		 "Prints one line per job. The exit status is that of the first job that did not succeed. One that is "
		 "UNCERTAIN is not waited for, status 9: it moves when 'filmgate resolve' has decided it.",
	 .options = OPTIONS(&wait_timeout, &format_o),
	 .operands_min = 1,
	 .operands_max = INT_MAX,
	 .needs_daemon = true,
	 .run = command_wait},
	{.name = "cancel",
	 .operands = "JOB...",
	 .summary = "stop jobs, and say what that achieved",
	 .details = "Status 1 if it was too late for one of them.",
	 .options = OPTIONS(&format_o),
	 .operands_min = 1,
	 .operands_max = INT_MAX,
	 .needs_daemon = true,
	 .run = command_cancel},
	{.name = "retry",
	 .operands = "JOB",
	 .summary = "order the same again: a new job and a new purchase",
	 .options = OPTIONS(&request_id, &wait_flag, &output_waits, &format),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_retry},
	{.name = "resolve",
	 .operands = "JOB",
	 .summary = "decide a job of which it is not known whether it was bought",
	 .details = "Look into the provider's account first: the daemon could not, and believes what you say, but "
		    "for an id that the provider, when asked, does not know. 'get' shows when the order was sent, "
		    "and under which key if the provider has such.\n\nREMOTE_ID is, for heygen, the video_id; for veo, "
		    "the operation's full name (projects/…/operations/… on Vertex AI, models/…/operations/… on the "
		    "Gemini API); for openai_videos, the id of the video (video_…).\n\nOne that was given up has "
		    "failed; 'retry' orders it anew.",
	 .examples = EXAMPLES("filmgate list --uncertain",
			      "filmgate resolve JOB --found 3f6c0a9e1d2b4c5f8a7b  # heygen",
			      "filmgate resolve JOB --found models/MODEL/operations/ID  # veo, Gemini API",
			      "filmgate resolve JOB --found video_68d7512d07848190  # openai_videos",
			      "filmgate resolve JOB --absent"),
	 .options = OPTIONS(&found, &absent, &give_up, &format_o),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_resolve},
	{.name = "resume",
	 .operands = "[JOB...]",
	 .summary = "release jobs that are held since the data was restored from a copy",
	 .details =
		 "Look into the providers' accounts first: what was ordered after the copy was made is not in it, and "
		 "would be bought a second time, but where the provider honours the first order's key still. Of jobs "
		 "that are not held this changes nothing.",
	 .examples = EXAMPLES("filmgate resume JOB", "filmgate resume --all"),
	 .options = OPTIONS(&all, &format_o),
	 .operands_min = 0,
	 .operands_max = INT_MAX,
	 .needs_daemon = true,
	 .run = command_resume},
	{.name = "orphans",
	 .operands = "PROVIDER",
	 .summary = "list the videos in a provider's account that are no job's",
	 .details =
		 "The provider is asked; nothing is bought. 'adopt' makes them jobs. Not every provider lists its videos. "
		 "A note says whose one may be, or was. Ids are the provider's words: behind '--' none is taken for an option.",
	 .examples = EXAMPLES("filmgate orphans heygen",
			      "filmgate orphans heygen --limit 0 -o name | xargs -r -d '\\n' filmgate adopt heygen --"),
	 .options = OPTIONS(&entries_limit, &format_o),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_orphans},
	{.name = "adopt",
	 .operands = "PROVIDER REMOTE_ID...",
	 .summary = "make videos that were bought elsewhere jobs: they are followed, downloaded and stored",
	 .details =
		 "REMOTE_ID is what 'orphans' shows. Nothing is sent that buys, and nothing is counted as spent. One that "
		 "is still being made is followed to its end. What was ordered is not known here, so it cannot be "
		 "retried.",
	 .examples = EXAMPLES("filmgate adopt heygen 3f6c0a9e1d2b4c5f8a7b --label from=web --wait"),
	 .options = OPTIONS(&adopt_model, &adopt_name, &label, &adopt_force, &adopt_wait, &format_o),
	 .operands_min = 2,
	 .operands_max = INT_MAX,
	 .needs_daemon = true,
	 .run = command_adopt},
	{.name = "webhooks",
	 .operands = "",
	 .summary = "list what the daemon tells others: what is to be, was, or could not be delivered",
	 .examples = EXAMPLES("filmgate webhooks --state dead", "filmgate webhooks --job JOB -o json"),
	 .options = OPTIONS(&delivery_state, &endpoint, &of_job, &entries_limit, &format_o),
	 .needs_daemon = true,
	 .run = command_webhooks},
	{.name = "webhooks list",
	 .operands = "",
	 .summary = "the same",
	 .options = OPTIONS(&delivery_state, &endpoint, &of_job, &entries_limit, &format_o),
	 .needs_daemon = true,
	 .run = command_webhooks},
	{.name = "webhooks show",
	 .operands = "DELIVERY",
	 .summary = "show one, with what is sent and what the receiver last replied",
	 .options = OPTIONS(&format_o),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_webhooks_show},
	{.name = "webhooks redeliver",
	 .operands = "[DELIVERY...]",
	 .summary = "send them again: the same messages under the same ids",
	 .examples = EXAMPLES("filmgate webhooks redeliver webhooks/studio/deliveries/1204",
			      "filmgate webhooks redeliver --dead --endpoint studio"),
	 .options = OPTIONS(&all_dead, &endpoint, &of_job),
	 .operands_max = INT_MAX,
	 .needs_daemon = true,
	 .run = command_webhooks_redeliver},
	{.name = "webhooks register",
	 .operands = "PROVIDER URL",
	 .summary = "have a provider call the daemon when there is news of a video",
	 .details =
		 "URL is the daemon's /v1/webhooks/PROVIDER as it is reached from the Internet. What the provider says there "
		 "only makes the daemon ask about the job earlier. The secret that it signs with is kept sealed in data_dir; "
		 "the same URL once more gets a new one. A secret in the provider's configuration does without this.",
	 .examples = EXAMPLES("filmgate webhooks register heygen https://films.example.com/v1/webhooks/heygen"),
	 .options = OPTIONS(&format_o),
	 .operands_min = 2,
	 .operands_max = 2,
	 .needs_daemon = true,
	 .run = command_webhooks_register},
	{.name = "webhooks unregister",
	 .operands = "PROVIDER",
	 .summary = "end that, there and here",
	 .examples = EXAMPLES("filmgate webhooks unregister heygen"),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_webhooks_unregister},
	{.name = "webhooks registered",
	 .operands = "",
	 .summary = "show which providers can call the daemon, and where they do",
	 .options = OPTIONS(&format_o),
	 .needs_daemon = true,
	 .run = command_webhooks_registered},
	{.name = "backup",
	 .operands = "DIR",
	 .summary = "copy the daemon's data into a new folder on its machine, while it runs",
	 .details = "DIR is made by the daemon, with its rights; it is whole and synced when the command ends.\n\n"
		    "To restore: stop the daemon, put the folder in the place of its data_dir, start it. Nothing paid "
		    "is sent for the jobs that were open in the copy before 'filmgate resume' has released them.",
	 .examples = EXAMPLES("filmgate backup /var/backups/filmgate-$(date +%F)"),
	 .options = OPTIONS(&format_o),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_backup},
	{.name = "update",
	 .operands = "JOB",
	 .summary = "change a job's labels, name or priority",
	 .details = "Labels that are not named stay.",
	 .options = OPTIONS(&label, &remove_label, &name, &priority, &format_o),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_update},
	{.name = "delete",
	 .operands = "JOB...",
	 .summary = "delete ended jobs with their files",
	 .options = OPTIONS(&remote),
	 .operands_min = 1,
	 .operands_max = INT_MAX,
	 .needs_daemon = true,
	 .run = command_delete},
	{.name = "download",
	 .operands = "JOB|ARTIFACT",
	 .summary = "fetch a stored video and prove its SHA-256",
	 .details = "Writes FILE.….part beside FILE and renames it when size and SHA-256 are right; an interrupted "
		    "download goes on where it stopped when it is called again. A link is followed, a device or a "
		    "pipe is written straight into. Without -o the file is named after the job.",
	 .options = OPTIONS(&output, &role),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_download},
	{.name = "link",
	 .operands = "JOB|ARTIFACT",
	 .summary = "make a link to a stored video, for somebody who has no other access",
	 .details =
		 "Whoever has the link reads that file over HTTP until it expires, and nothing else. It cannot be called "
		 "back, but it ends when the job is deleted.",
	 .examples = EXAMPLES("filmgate link 01a22e67-b57f-71a5-979a-8dc6577e013e --ttl 7d"),
	 .options = OPTIONS(&role, &ttl, &format_o),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_link},
	{.name = "providers",
	 .operands = "",
	 .summary = "list the configured providers",
	 .options = OPTIONS(&format_o),
	 .needs_daemon = true,
	 .run = command_providers},
	{.name = "providers list",
	 .operands = "",
	 .summary = "the same",
	 .options = OPTIONS(&format_o),
	 .needs_daemon = true,
	 .run = command_providers},
	{.name = "providers get",
	 .operands = "NAME",
	 .summary = "what a provider's models take: parameters, limits, rules",
	 .options = OPTIONS(&model, &format_o),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_providers_get},
	{.name = "providers check",
	 .operands = "NAME",
	 .summary = "prove key and balance with a read that costs nothing",
	 .details = "Status 1 if the provider refuses or cannot be asked.",
	 .options = OPTIONS(&format_o),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_providers_check},
	{.name = "usage",
	 .operands = "",
	 .summary = "what was reserved and spent",
	 .details =
		 "A purchase reserves what it was quoted before it is sent, and is settled once. Days are those of the "
		 "reservation, UTC. What nobody said to be the cost counts as spent and stands under UNCONFIRMED; "
		 "purchases without a known amount are counted under UNPRICED and missing in the sums.",
	 .examples = EXAMPLES("filmgate usage --by provider",
			      "filmgate usage --by day,label:team --from 2026-11-01 -o csv"),
	 .options = OPTIONS(&by, &from_day, &to_day, &usage_format),
	 .needs_daemon = true,
	 .run = command_usage},
	{.name = "ledger",
	 .operands = "[JOB]",
	 .summary = "list what was posted, for all jobs or one",
	 .options = OPTIONS(&entries_limit, &check_ledger, &format_o),
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_ledger},
	{.name = "assets",
	 .operands = "",
	 .summary = "list the pictures, videos and sounds that were uploaded",
	 .options = OPTIONS(&asset_limit, &format_o),
	 .needs_daemon = true,
	 .run = command_assets},
	{.name = "assets list",
	 .operands = "",
	 .summary = "the same",
	 .options = OPTIONS(&asset_limit, &format_o),
	 .needs_daemon = true,
	 .run = command_assets},
	{.name = "assets upload",
	 .operands = "FILE…",
	 .summary = "give files to the daemon, to be worked from",
	 .details = "A file is asked for by its SHA-256 first: what is there already is not sent again.",
	 .options = OPTIONS(&asset_title, &format_o),
	 .operands_min = 1,
	 .operands_max = INT_MAX,
	 .needs_daemon = true,
	 .run = command_assets_upload},
	{.name = "assets get",
	 .operands = "ASSET",
	 .summary = "show one",
	 .options = OPTIONS(&format_o),
	 .operands_min = 1,
	 .operands_max = 1,
	 .needs_daemon = true,
	 .run = command_assets_get},
	{.name = "assets delete",
	 .operands = "ASSET…",
	 .summary = "delete them; one that a job uses which has not ended stays",
	 .operands_min = 1,
	 .operands_max = INT_MAX,
	 .needs_daemon = true,
	 .run = command_assets_delete},
	{.name = "plugin",
	 .operands = "new|inspect|check|embed …",
	 .summary = "write a provider plugin, look into one, try one out",
	 .details = PLUGIN_DETAILS,
	 .examples = EXAMPLES("filmgate plugin new kling", "filmgate plugin inspect build/kling.so",
			      "filmgate plugin check --seconds 10 --replay recordings build/kling.so"),
	 .operands_max = INT_MAX,
	 .run = command_plugin},
	{.name = "plugin new",
	 .operands = "NAME [DIR]",
	 .summary = "write the beginning of a plugin into DIR (default: NAME), and say what is next",
	 .details = "Nothing is overwritten: DIR must not be there.",
	 .operands_min = 1,
	 .operands_max = 2,
	 .run = command_plugin_new},
	{.name = "plugin inspect",
	 .operands = "FILE.so",
	 .summary = "show a plugin's origins, secrets by name, verbs, models, ABI and SHA-256",
	 .details = PLUGIN_CHILD,
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = command_plugin_inspect},
	{.name = "plugin check",
	 .operands = "FILE.so",
	 .summary = "try a plugin out: symbols, table, manifest, answers, recordings, odd replies",
	 .details = "One line per check, ok or FAILED; status 1 if one failed. 'answers' and 'fuzz' ask it for step "
		    "after step of orders that its manifest takes, with replies that nobody sent: each step twice, "
		    "and both answers must be the same bytes and break no rule. A crash, a hang or an exit of the "
		    "plugin is a finding. Nothing is sent to anybody.\n\n" PLUGIN_CHILD,
	 .examples = EXAMPLES("filmgate plugin check --replay recordings build/kling.so",
			      "filmgate plugin check --option project=p --option storage_uri=gs://b veo.so"),
	 .options = OPTIONS(&seconds, &replay, &seed, &keep, &setting),
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = command_plugin_check},
	{.name = "plugin embed",
	 .operands = "MANIFEST.json",
	 .summary = "check a manifest and print it as fg_manifest.h, for builds without CMake",
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = command_plugin_embed},
	{.name = "catalog",
	 .operands = "PROVIDER [KIND]",
	 .summary = "list the voices, avatars, … that a provider offers",
	 .details = "Without a kind: which kinds there are. Lists come from the provider and cost nothing; the daemon "
		    "keeps each for a while, see --max-age.",
	 .examples = EXAMPLES("filmgate catalog heygen", "filmgate catalog heygen voices --language en",
			      "filmgate catalog heygen looks --query office -o json"),
	 .options = OPTIONS(&language, &query, &entries_limit, &max_age, &format_o),
	 .operands_min = 1,
	 .operands_max = 2,
	 .needs_daemon = true,
	 .run = command_catalog},
	{.name = "completion",
	 .operands = "bash",
	 .summary = "print the completion script of a shell",
	 .examples = EXAMPLES("filmgate completion bash > /usr/share/bash-completion/completions/filmgate",
			      "source <(filmgate completion bash)"),
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = command_completion},
	{.name = "version", .operands = "", .summary = "print the version of this program", .run = command_version},
	{.name = "help",
	 .operands = "[COMMAND]",
	 .summary = "explain a command",
	 .operands_max = 2,
	 .run = command_help},
	{0},
};
