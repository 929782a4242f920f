#include "webhook/inside.h"

void webhooks_read_figures(const struct webhooks *webhooks, struct webhook_figures *ret)
{
	ret->pending = metric_value(&webhooks->pending);
	ret->delivered = metric_value(&webhooks->delivered);
	ret->dead = metric_value(&webhooks->dead);
	ret->failed = metric_value(&webhooks->failed);
}
