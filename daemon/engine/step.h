/*
 * One step of a plugin, and the exchange it asks for: the two things that a job's life is made of.
 */
#ifndef FG_ENGINE_STEP_H
#define FG_ENGINE_STEP_H

#include "engine/internal.h"
#include "plugin/step.h"

/* A complete reply, from the wire or from the store. */
struct reply {
	struct plugin_reply facts;    /* points into what is below */
	struct http_outcome *outcome; /* it came from the wire */
	struct json *meta;            /* it came from the store */
	struct buffer body;           /* likewise */
	char **lifted;                /* lift.c: pointers of the texts that were taken out of it; NULL: none */
};

struct reply *reply_of_outcome(struct http_outcome *take, int64_t now_utc_ms);
/* From what reply_write_meta() wrote; NULL when it cannot be read. */
struct reply *reply_of_record(struct bytes meta, struct bytes body);
/* Everything but the body, as JSON. */
void reply_write_meta(const struct reply *reply, struct buffer *ret);
struct reply *reply_free(struct reply *reply);

/* What a step is about. */
struct step_subject {
	struct lane *lane;
	struct entry *entry;        /* NULL: no job */
	const char *catalogue_kind; /* constant */
	const char *catalogue_next; /* copied */
	const char *list_next;      /* copied */
	/* subscribe: as the plugin is told; copied. Where the secret goes that the provider says; the caller's */
	const char *subscription_action, *subscription_url, *subscription_id;
	char **secret;
	const char *remote_id; /* instead of the job's; copied; NULL: the job's */
};
/*
 * Calls @verb with the documents of its job. @fn gets the answer on a thread of the runner.
 * @take, the reply, may be NULL; then the step begins the verb, and waits for a fresh token if it needs one: without one
 * its answer is a trouble that says why.
 */
void step_call(const struct step_subject *subject, enum plugin_verb verb, uint32_t phase, struct reply *take,
	       void (*fn)(void *userdata, struct plugin_answer *take), void *userdata);

/* A step of the verb upload: of no job, with one asset and a state of its own. */
struct step_forward {
	struct media *media; /* whose one item it is */
	const char *state;   /* NULL: none yet */
};
void step_call_forward(struct lane *lane, const struct step_forward *forward, uint32_t phase, struct reply *take,
		       void (*fn)(void *userdata, struct plugin_answer *take), void *userdata);

/*
 * The same as the entry's activity: the answer arrives through the queue, also in process. @then gets it on the engine
 * thread, or never if that was interrupted. What begins start has the job's assets: they are loaded before it.
 */
void step_run(struct entry *entry, enum plugin_verb verb, uint32_t phase, struct reply *take,
	      void (*then)(struct entry *entry, struct plugin_answer *take));

/* What an answer asks for, as a request. @headers, with the pieces of the body, is the caller's, finished after
 * http_send(). @media: the assets that the step had; NULL: none. */
struct exchange_headers {
	struct http_header *items;
	struct http_piece *pieces;
};
void exchange_request(const struct lane *lane, const struct plugin_exchange *exchange, const struct media *media,
		      struct exchange_headers *headers, struct http_request *ret);
void exchange_headers_copy(const struct plugin_header *from, size_t n, struct exchange_headers *ret);
void exchange_headers_finish(struct exchange_headers *headers);
/* Why http_send() did not take a request, by what it returned. */
void exchange_explain(int why, struct errmsg *ret);

/* Sends what an answer asked for, as the entry's activity. @flags: HTTP_ONCE for a purchase. */
void exchange_run(struct entry *entry, const struct plugin_exchange *exchange, uint32_t flags,
		  void (*then)(struct entry *entry, struct http_outcome *take));
void exchange_send(struct entry *entry, enum activity activity, const struct http_request *request,
		   void (*then)(struct entry *entry, struct http_outcome *take));

bool exchange_buys(const struct plugin_exchange *exchange);
/* How long the provider honours the key that @exchange carries; 0: it carries none. */
int64_t exchange_key_window_ms(const struct lane *lane, const struct plugin_exchange *exchange);

/* The document JOB. @title: NULL: none. [any-thread] */
void step_write_job(const struct job *job, const char *title, struct buffer *ret);
/* "/parameters/seed" is "parameters.seed" to everybody but a plugin. [any-thread] */
void step_write_field(const char *pointer, struct buffer *ret);
/* Was any of them new? */
bool step_keep_notes(struct job_status *status, const struct plugin_answer *answer);
/* Takes over the plugin's new state, if it wrote one; the next change stores it. */
void step_keep_state(struct entry *entry, const struct plugin_answer *answer);

/* "" is NULL: how a plugin's texts become a job's. */
const char *step_text_or_null(const char *text);

#endif
