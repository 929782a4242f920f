/*
 * Texts that are taken out of a reply: what an exchange may ask for, and what an output may name of it afterwards.
 */
#include "plugin/step_inside.h"

#include "base/json_lift.h"
#include "base/limits.h"

/*
 * A reply to a purchase is stored, whole and synced, before any plugin reads it, and again read after a crash: files
 * beside it would have to share that life. So what was bought is fetched by poll, which can be asked again.
 */
static void check_verb(struct fg_step *s, const struct fg_exchange *x)
{
	enum plugin_verb verb = s->input->verb;

	if (x->effect == FG_EFFECT_BUYS || x->effect == FG_EFFECT_BUYS_WITH_KEY)
		step_fault(s, "exchange(): nothing is lifted out of the reply to a purchase, which is stored whole "
			      "before it is read; let 'poll' fetch the result");
	else if (verb != PLUGIN_VERB_POLL && verb != PLUGIN_VERB_RESULT)
		step_fault(s, "exchange(): only 'poll' and 'result' may lift; '%s' may not", plugin_verb_name(verb));
}

static const char *place_of(struct fg_step *s, json_node node)
{
	struct bytes text = json_text(s->json, node);
	const char *place = json_string(s->json, node);

	if (json_kind(s->json, node) != JSON_KIND_TEXT || strlen(place) != text.len || !json_lift_place_is_valid(place))
		step_fault(s, "exchange(): lift: '%.64s' is not a JSON Pointer of 1 to %d steps", place,
			   LIMIT_JSON_LIFT_TOKENS);
	return plugin_answer_text(s->answer, text);
}

void plugin_lift_build(struct fg_step *s, const struct fg_exchange *x)
{
	struct plugin_exchange *exchange = &s->answer->exchange;
	uint32_t count = json_count(s->json, x->lift);
	const char **places;

	if (!x->lift || !step_owns(s, x->lift))
		return;
	check_verb(s, x);
	if (json_kind(s->json, x->lift) != JSON_KIND_ARRAY || count == 0 || count > LIMIT_JSON_LIFT_PLACES) {
		step_fault(s, "exchange(): lift must be an array of 1 to %d pointers", LIMIT_JSON_LIFT_PLACES);
		return;
	}
	places = plugin_answer_alloc(s->answer, count, sizeof(*places));
	for (json_node n = json_first(s->json, x->lift); places && exchange->n_lift < count && n;
	     n = json_next(s->json, n))
		places[exchange->n_lift++] = place_of(s, n);
	exchange->lift = places;
}

/* The text must still be what REPLY has there: one of a member that came twice may have gone with its first value. */
const char *plugin_lift_find(struct fg_step *s, json_node pointer)
{
	const struct plugin_reply *reply = s->input->reply;
	const char *asked = json_string(s->json, pointer);
	json_node left = json_at(s->json, s->documents[FG_DOC_REPLY], asked);
	bool is_there = *asked && json_kind(s->json, left) == JSON_KIND_TEXT && json_text(s->json, left).len == 0;

	for (size_t i = 0; is_there && reply && i < reply->n_lifted; i++)
		if (strcmp(reply->lifted[i], asked) == 0)
			return plugin_answer_text(s->answer, bytes_of_text(asked));
	step_fault(s, "done(): nothing was lifted out of the reply at '%.200s'", asked);
	return NULL;
}
