/*
 * Name lookup, with a resolver of our own behind libcurl: names that lead into the house, and a name server that says
 * nothing for a while.
 */
#include "http/fixture.h"

#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#define SILENCE_MS 1500

static atomic_int silent_lookups;

/*
 * Stands before the C library's: "inside.example" is loopback, "silent.example" is unknown after a silence, and only
 * addresses get through to the real one.
 */
__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
						       const struct addrinfo *hints, struct addrinfo **ret)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (strcmp(name, "inside.example") == 0)
		return real("127.0.0.1", service, hints, ret);
	if (strcmp(name, "silent.example") == 0) {
		usleep(SILENCE_MS * 1000);
		atomic_fetch_sub(&silent_lookups, 1);
		return EAI_AGAIN;
	}
	return real(name, service, hints, ret);
}

static void serve_ok(struct connection *connection)
{
	while (connection_read_request(connection))
		connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void a_name_that_leads_into_the_house_is_refused(void **state)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;
	char url[64];

	(void)state;
	server_start(&server, serve_ok, NULL);
	snprintf(url, sizeof(url), "http://inside.example:%d/", server.port);
	request = get(&server);
	request.url = url;
	request.flags = 0;
	outcome = exchange(http, &request);
	assert_kind(outcome, HTTP_ADDRESS_REFUSED);
	assert_non_null(strstr(outcome->message, "127.0.0.1"));
	http_outcome_free(outcome);
	assert_int_equal(atomic_load(&server.connections), 0);

	request.flags = HTTP_PRIVATE_NETWORK;
	outcome = exchange(http, &request);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
}

static void a_silent_name_server_holds_up_nobody_else(void **state)
{
	const struct http_config config = {.connect_timeout_ms = 100};
	struct http *http = client_new(&config);
	struct http_request request;
	struct http_outcome *outcome;
	struct waiter silent;
	struct server server;
	int64_t start_ms = clock_monotonic_ms(&clock_system);

	(void)state;
	server_start(&server, serve_ok, NULL);
	atomic_store(&silent_lookups, 1);
	request = get(&server);
	request.url = "http://silent.example/";
	waiter_send(&silent, http, &request);

	request = get(&server);
	outcome = exchange(http, &request);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	outcome = waiter_wait(&silent);
	assert_kind(outcome, HTTP_NOT_SENT);
	assert_int_equal(outcome->error, -ETIMEDOUT);
	http_outcome_free(outcome);
	http_free(http);
	assert_true(clock_monotonic_ms(&clock_system) - start_ms < SILENCE_MS);
	server_stop(&server);

	/* The abandoned lookup cleans up after itself; a moment for its last free(). */
	while (atomic_load(&silent_lookups) > 0)
		usleep(10000);
	usleep(50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_leads_into_the_house_is_refused),
		cmocka_unit_test(a_silent_name_server_holds_up_nobody_else),
	};

	return cmocka_run_group_tests_name("http.names", tests, NULL, NULL);
}
