/*
 * GET /v3/users/me: a free read that proves the key and shows what is left. The answer has one of three shapes: a
 * wallet (prepaid, in dollars or credits), a subscription (pools of credits) or usage (spent so far, with a cap).
 */
#include "heygen.h"

static void put_amount(const struct fg_host *h, struct fg_step *s, fg_node report, const char *pointer, fg_node amount,
		       const char *unit)
{
	fg_node words = h->array(s);

	if (h->text(s, amount).size == 0)
		return;
	h->append(s, words, amount);
	h->append(s, words, h->make_text(s, fg_text_of(unit)));
	h->put(s, report, pointer, h->join(s, words, " "));
}

static void put_wallet(const struct fg_host *h, struct fg_step *s, fg_node report, fg_node wallet)
{
	int is_credits = h->is(s, h->at(s, wallet, "/currency"), "credits");

	put_amount(h, s, report, "/balance", h->at(s, wallet, "/remaining_balance"), is_credits ? "credits" : "USD");
	if (h->boolean(s, h->at(s, wallet, "/auto_reload/enabled"), 0))
		h->put_text(s, report, "/auto_reload", "on");
}

static void put_subscription(const struct fg_host *h, struct fg_step *s, fg_node report, fg_node subscription)
{
	put_amount(h, s, report, "/balance", h->at(s, subscription, "/credits/premium_credits/remaining"), "credits");
	put_amount(h, s, report, "/add_on", h->at(s, subscription, "/credits/add_on_credits/remaining"), "credits");
	h->put(s, report, "/plan", h->at(s, subscription, "/plan"));
}

static void put_usage(const struct fg_host *h, struct fg_step *s, fg_node report, fg_node usage)
{
	put_amount(h, s, report, "/balance", h->at(s, usage, "/remaining_credits"), "credits");
	put_amount(h, s, report, "/spent", h->at(s, usage, "/spending_current_usd"), "USD");
	put_amount(h, s, report, "/spending_cap", h->at(s, usage, "/spending_cap_usd"), "USD");
}

static int32_t report_account(const struct fg_host *h, struct fg_step *s, fg_node data)
{
	fg_node report = h->object(s);
	fg_node email = h->at(s, data, "/email");

	put_wallet(h, s, report, h->at(s, data, "/wallet"));
	put_subscription(h, s, report, h->at(s, data, "/subscription"));
	put_usage(h, s, report, h->at(s, data, "/usage_based"));
	h->put(s, report, "/account", h->text(s, email).size ? email : h->at(s, data, "/username"));
	return h->report(s, report);
}

int32_t heygen_account(const struct fg_host *h, struct fg_step *s)
{
	fg_node data = h->at(s, h->document(s, FG_DOC_REPLY), "/data");
	struct heygen_problem problem;

	if (h->phase(s) != HEYGEN_PHASE_REPLY)
		return h->exchange(s,
				   FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = HEYGEN_PHASE_REPLY, .method = "GET",
					       .auth = "key", .url = h->path(s, "/v3/users/me", FG_ABSENT, FG_ABSENT)));
	if (h->status(s) == 200 && h->kind(s, data) == FG_KIND_OBJECT)
		return report_account(h, s, data);
	problem = heygen_problem_of_reply(h, s);
	return heygen_answer_problem(h, s, &problem);
}
