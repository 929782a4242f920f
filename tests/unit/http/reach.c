/*
 * What happens before anything leaves: names, addresses, connections, proxies. Nothing here may ever read as sent, and
 * no private address is reached unless the request may.
 */
#include "http/fixture.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve_ok(struct connection *connection)
{
	while (connection_read_request(connection))
		connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static struct http_outcome *try_url(const char *url, uint32_t flags, const struct http_config *config)
{
	struct http *http = client_new(config);
	const struct http_request request = {
		.method = "POST", .url = url, .flags = flags | HTTP_ONCE, .timeout_ms = 10000};
	struct http_outcome *outcome = exchange(http, &request);

	http_free(http);
	return outcome;
}

static void a_name_that_cannot_be_found_is_not_sent(void **state)
{
	/* A label of more than 63 bytes: no resolver asks anybody about it. */
	struct http_outcome *outcome = try_url(
		"http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/x", 0,
		NULL);

	(void)state;
	assert_kind(outcome, HTTP_NOT_SENT);
	assert_int_equal(outcome->error, -EHOSTUNREACH);
	http_outcome_free(outcome);
}

/* A port on loopback where nobody listens, kept so by the socket that holds it. */
static int reserve_port(int *ret_port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&any, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &len), 0);
	*ret_port = ntohs(any.sin_port);
	return fd;
}

static void a_refused_connection_is_not_sent(void **state)
{
	struct http_outcome *outcome;
	char url[64];
	int port;
	int fd = reserve_port(&port);

	(void)state;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/secret-path?secret=1", port);
	outcome = try_url(url, HTTP_PRIVATE_NETWORK, NULL);
	assert_kind(outcome, HTTP_NOT_SENT);
	assert_int_equal(outcome->error, -ECONNREFUSED);
	assert_null(strstr(outcome->message, "secret"));
	assert_non_null(strstr(outcome->message, "http://127.0.0.1:"));
	http_outcome_free(outcome);
	close(fd);
}

static void serve_nothing(struct connection *connection)
{
	connection_pause(connection, 20000);
}

static void a_tls_handshake_that_hangs_is_not_sent(void **state)
{
	const struct http_config config = {.connect_timeout_ms = 200};
	struct http_outcome *outcome;
	struct server server;
	char url[64];

	(void)state;
	server_start(&server, serve_nothing, NULL);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", server.port);
	outcome = try_url(url, HTTP_PRIVATE_NETWORK, &config);
	assert_kind(outcome, HTTP_NOT_SENT);
	assert_int_equal(outcome->error, -ETIMEDOUT);
	http_outcome_free(outcome);
	server_stop(&server);
}

static void private_addresses_are_refused_in_every_spelling(void **state)
{
	static const char *const hosts[] = {
		"127.0.0.1",          "127.1",           "0x7f.1",    "2130706433",
		"0177.0.0.1",         "0.0.0.0",         "localhost", "[::1]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]",
	};
	struct server server;

	(void)state;
	server_start(&server, serve_ok, NULL);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct http_outcome *outcome;
		char url[128];

		snprintf(url, sizeof(url), "http://%s:%d/", hosts[i], server.port);
		outcome = try_url(url, 0, NULL);
		if (outcome->kind != HTTP_ADDRESS_REFUSED)
			fail_msg("%s: %s: %s", hosts[i], http_kind_name(outcome->kind), outcome->message);
		assert_kind(outcome, HTTP_ADDRESS_REFUSED);
		assert_non_null(strstr(outcome->message, "set allow_private_network = true"));
		assert_true(http_url_is_private(url));
		http_outcome_free(outcome);
	}
	server_stop(&server);
	assert_int_equal(atomic_load(&server.connections), 0);
	assert_false(http_url_is_private("https://provider.example/v1"));
	assert_false(http_url_is_private("https://8.8.8.8"));
	assert_false(http_url_is_private("no URL"));
}

/* What others are to fetch is not looked up here, so every spelling that anybody may read is known. */
static void addresses_of_users_are_told_apart(void **state)
{
	static const char *const private_urls[] = {
		"http://127.0.0.1/a.png",
		"HTTP://LOCALHOST/a.png",
		"https://localhost./a.png",
		"https://a.localhost/a.png",
		"http://127.0.0.1./",
		"http://127.1/",
		"http://0x7f.1/",
		"http://0x7f000001/",
		"http://2130706433/",
		"http://017700000001/",
		"http://0177.0.0.1./",
		"http://%31%32%37.0.0.1/",
		"http://0/",
		"http://10.0.0.1:8080/",
		"http://169.254.169.254/latest/meta-data/",
		"http://0xa9fea9fe/",
		"http://[::1]/",
		"http://[::ffff:169.254.169.254]/",
		"http://[::ffff:a9fe:a9fe]/",
		"http://[64:ff9b::127.0.0.1]/",
		"http://[fd00:ec2::254]/",
		"http://[fe80::1%25eth0]/",
		"http://metadata.google.internal/computeMetadata/v1/",
		"http://printer.local/",
		"http://printer/",
		"http://box.home.arpa./",
		"http://localhost.localdomain/",
	};
	static const char *const unreadable[] = {
		"ftp://example.com/",
		"example.com/a.png",
		"http://",
		"https://me@example.com/",
		"http://me:pw@127.0.0.1/",
		"http://\xe2\x93\x9bocalhost/",
		"",
	};
	static const char *const public_urls[] = {
		"https://example.com/a.png",       "http://8.8.8.8/",   "https://localhost.example/",
		"https://[2606:4700::1]:8443/a?b", "http://134744072/", "https://a.b.example.com.:443/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(private_urls) / sizeof(private_urls[0]); i++)
		if (http_url_reach(private_urls[i]) != HTTP_REACH_PRIVATE)
			fail_msg("%s: %d", private_urls[i], (int)http_url_reach(private_urls[i]));
	for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++)
		if (http_url_reach(unreadable[i]) != HTTP_REACH_UNREADABLE)
			fail_msg("%s: %d", unreadable[i], (int)http_url_reach(unreadable[i]));
	for (size_t i = 0; i < sizeof(public_urls) / sizeof(public_urls[0]); i++)
		if (http_url_reach(public_urls[i]) != HTTP_REACH_PUBLIC)
			fail_msg("%s: %d", public_urls[i], (int)http_url_reach(public_urls[i]));
}

static void addresses_that_no_network_routes_are_refused_too(void **state)
{
	static const char *const urls[] = {"http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/",
					   "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://[64:ff9b::a00:1]/"};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct http_outcome *outcome = try_url(urls[i], 0, NULL);

		assert_kind(outcome, HTTP_ADDRESS_REFUSED);
		http_outcome_free(outcome);
	}
}

static void an_allowed_request_reaches_them(void **state)
{
	struct http_outcome *outcome;
	struct server server;
	char url[64];

	(void)state;
	server_start(&server, serve_ok, NULL);
	snprintf(url, sizeof(url), "http://localhost:%d/", server.port);
	outcome = try_url(url, HTTP_PRIVATE_NETWORK, NULL);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	server_stop(&server);

	server_start_at(&server, "::1", serve_ok, NULL);
	snprintf(url, sizeof(url), "http://[::1]:%d/", server.port);
	outcome = try_url(url, HTTP_PRIVATE_NETWORK, NULL);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	server_stop(&server);
}

/* The connection check comes too early to see a connection that is already there. */
static void a_connection_that_another_request_opened_is_not_borrowed(void **state)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	server_start(&server, serve_ok, NULL);
	request = get(&server);
	outcome = exchange(http, &request);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	request.flags = 0;
	outcome = exchange(http, &request);
	assert_kind(outcome, HTTP_ADDRESS_REFUSED);
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&server.requests), 1);
}

static struct http_outcome *through_proxy(const struct server *proxy, const char *url, uint32_t flags)
{
	const struct http_header headers[] = {{.name = "X-Api-Key", .value = "sesame", .is_secret = true}};
	const struct http_config config = {.proxy = url_of(proxy, "")};
	struct http *http = client_new(&config);
	const struct http_request request = {.method = "POST",
					     .url = url,
					     .flags = flags,
					     .headers = headers,
					     .header_count = 1,
					     .timeout_ms = 10000};
	struct http_outcome *outcome = exchange(http, &request);

	http_free(http);
	return outcome;
}

static void a_proxy_gets_the_request_when_there_is_one(void **state)
{
	struct http_outcome *outcome;
	struct server proxy;

	(void)state;
	server_start(&proxy, serve_ok, NULL);
	outcome = through_proxy(&proxy, "http://provider.example/v3/videos", HTTP_ONCE);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	server_stop(&proxy);
	assert_non_null(strstr(proxy.last_request, "POST http://provider.example/v3/videos HTTP/1.1\r\n"));
	assert_int_equal(atomic_load(&proxy.paid), 1);
}

static void a_proxy_is_no_way_round_the_address_check(void **state)
{
	static const char *const urls[] = {"http://169.254.169.254/", "http://localhost/", "http://app.localhost./",
					   "http://[::1]/", "http://2130706433/"};
	struct server proxy;

	(void)state;
	server_start(&proxy, serve_ok, NULL);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct http_outcome *outcome = through_proxy(&proxy, urls[i], 0);

		assert_kind(outcome, HTTP_ADDRESS_REFUSED);
		http_outcome_free(outcome);
	}
	server_stop(&proxy);
	assert_int_equal(atomic_load(&proxy.connections), 0);
}

static void serve_bad_gateway(struct connection *connection)
{
	if (connection_read_request(connection))
		connection_say(connection, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
}

static void a_tunnel_that_fails_sent_nothing_and_told_nothing(void **state)
{
	struct http_outcome *outcome;
	struct server proxy;

	(void)state;
	server_start(&proxy, serve_bad_gateway, NULL);
	outcome = through_proxy(&proxy, "https://provider.example/v3/videos", HTTP_ONCE);
	assert_kind(outcome, HTTP_NOT_SENT);
	assert_int_equal(outcome->status, 0);
	http_outcome_free(outcome);
	server_stop(&proxy);
	assert_non_null(strstr(proxy.last_request, "CONNECT provider.example:443 HTTP/1.1\r\n"));
	assert_null(strstr(proxy.last_request, "sesame"));
}

static void the_environment_names_no_proxy(void **state)
{
	struct http_outcome *outcome;
	struct server server, proxy;

	(void)state;
	server_start(&proxy, serve_ok, NULL);
	server_start(&server, serve_ok, NULL);
	setenv("http_proxy", url_of(&proxy, ""), 1);
	setenv("all_proxy", url_of(&proxy, ""), 1);
	outcome = try_url(url_of(&server, "/"), HTTP_PRIVATE_NETWORK, NULL);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	server_stop(&server);
	server_stop(&proxy);
	assert_int_equal(atomic_load(&proxy.connections), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_cannot_be_found_is_not_sent),
		cmocka_unit_test(a_refused_connection_is_not_sent),
		cmocka_unit_test(a_tls_handshake_that_hangs_is_not_sent),
		cmocka_unit_test(private_addresses_are_refused_in_every_spelling),
		cmocka_unit_test(addresses_of_users_are_told_apart),
		cmocka_unit_test(addresses_that_no_network_routes_are_refused_too),
		cmocka_unit_test(an_allowed_request_reaches_them),
		cmocka_unit_test(a_connection_that_another_request_opened_is_not_borrowed),
		cmocka_unit_test(a_proxy_gets_the_request_when_there_is_one),
		cmocka_unit_test(a_proxy_is_no_way_round_the_address_check),
		cmocka_unit_test(a_tunnel_that_fails_sent_nothing_and_told_nothing),
		cmocka_unit_test(the_environment_names_no_proxy),
	};

	return cmocka_run_group_tests_name("http.reach", tests, NULL, NULL);
}
