/*
 * TLS: a server that cannot prove who it is gets nothing, and a reply cut off below TLS is no reply. The certificates
 * are made here and thrown away.
 */
#include "http/fixture.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define DAY_S (24L * 3600)

struct identity {
	SSL_CTX *context;
	char ca_path[64]; /* the certificate, as the one authority that vouches for it */
	const char *reply;
	bool ends_rudely; /* closes the connection without saying so in TLS */
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *certify(EVP_PKEY *key, const char *subject, long valid_until_s)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(certificate), valid_until_s);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"filmgate test", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	add_extension(certificate, NID_subject_alt_name, subject);
	add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static void save_certificate(struct identity *identity, X509 *certificate)
{
	FILE *file;
	int fd;

	snprintf(identity->ca_path, sizeof(identity->ca_path), "/tmp/filmgate-test-ca-XXXXXX");
	fd = mkstemp(identity->ca_path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	fclose(file);
}

static void identity_init(struct identity *identity, const char *subject, long valid_until_s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = certify(key, subject, valid_until_s);

	*identity = (struct identity){.context = SSL_CTX_new(TLS_server_method())};
	assert_int_equal(SSL_CTX_use_certificate(identity->context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(identity->context, key), 1);
	save_certificate(identity, certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void identity_finish(struct identity *identity)
{
	SSL_CTX_free(identity->context);
	unlink(identity->ca_path);
}

static void answer_over(SSL *ssl, struct connection *connection)
{
	const struct identity *identity = connection->server->script;
	char *request = connection->request;
	size_t len = 0;
	int n;

	while (!strstr(request, "\r\n\r\n") && len < SERVER_REQUEST_SIZE - 1) {
		n = SSL_read(ssl, request + len, (int)(SERVER_REQUEST_SIZE - 1 - len));
		if (n <= 0)
			return;
		len += (size_t)n;
		request[len] = '\0';
	}
	atomic_fetch_add(&connection->server->requests, 1);
	SSL_write(ssl, identity->reply, (int)strlen(identity->reply));
	if (!identity->ends_rudely)
		SSL_shutdown(ssl);
}

static void serve_tls(struct connection *connection)
{
	const struct identity *identity = connection->server->script;
	const struct timeval patience = {.tv_sec = 10};
	SSL *ssl = SSL_new(identity->context);

	setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	SSL_set_fd(ssl, connection->fd);
	if (SSL_accept(ssl) == 1)
		answer_over(ssl, connection);
	SSL_free(ssl);
}

static struct http_outcome *call(const struct server *server, const char *ca_path)
{
	const struct http_config config = {.ca_bundle_path = ca_path};
	struct http *http = client_new(&config);
	struct http_request request = get(server);
	struct http_outcome *outcome;
	char url[64];

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", server->port);
	request.url = url;
	request.flags |= HTTP_ONCE;
	outcome = exchange(http, &request);
	http_free(http);
	return outcome;
}

/* What comes of @reply from a server that is trusted. */
static struct http_outcome *trusted(const char *reply, bool ends_rudely)
{
	struct identity identity;
	struct http_outcome *outcome;
	struct server server;

	identity_init(&identity, "IP:127.0.0.1", DAY_S);
	identity.reply = reply;
	identity.ends_rudely = ends_rudely;
	server_start(&server, serve_tls, &identity);
	outcome = call(&server, identity.ca_path);
	server_stop(&server);
	identity_finish(&identity);
	assert_int_equal(atomic_load(&server.requests), 1);
	return outcome;
}

static void an_authority_that_is_trusted_makes_a_reply(void **state)
{
	struct http_outcome *outcome = trusted("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false);

	(void)state;
	assert_reply(outcome, 200, "hello");
	http_outcome_free(outcome);
}

static void a_length_that_is_not_met_is_ambiguous_under_tls_too(void **state)
{
	struct http_outcome *outcome = trusted("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", true);

	(void)state;
	assert_kind(outcome, HTTP_AMBIGUOUS);
	http_outcome_free(outcome);
}

/* Where libcurl sees no difference, the outcome says at least that there is nothing to tell it by. */
static void a_reply_without_length_is_marked_whether_tls_ended_it_or_not(void **state)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\n\r\nhello";

	(void)state;
	for (int ends_rudely = 0; ends_rudely < 2; ends_rudely++) {
		struct http_outcome *outcome = trusted(reply, ends_rudely);

		if (outcome->kind == HTTP_REPLY)
			assert_true(outcome->ends_by_close);
		else
			assert_kind(outcome, ends_rudely ? HTTP_AMBIGUOUS : HTTP_REPLY);
		http_outcome_free(outcome);
	}
}

/* @is_trusted: the certificate itself is in the bundle, so that only the rest of it can be wrong. */
static void refused(const char *subject, long valid_until_s, bool is_trusted)
{
	struct identity identity;
	struct http_outcome *outcome;
	struct server server;

	identity_init(&identity, subject, valid_until_s);
	server_start(&server, serve_tls, &identity);
	outcome = call(&server, is_trusted ? identity.ca_path : NULL);
	assert_kind(outcome, HTTP_NOT_SENT);
	assert_int_equal(outcome->error, -EKEYREJECTED);
	http_outcome_free(outcome);
	server_stop(&server);
	identity_finish(&identity);
	assert_true(atomic_load(&server.connections) > 0);
	assert_int_equal(atomic_load(&server.requests), 0);
}

static void a_certificate_that_nobody_vouches_for_is_not_sent_to(void **state)
{
	(void)state;
	refused("IP:127.0.0.1", DAY_S, false);
}

static void a_certificate_of_another_host_is_not_sent_to(void **state)
{
	(void)state;
	refused("DNS:provider.example", DAY_S, true);
}

static void a_certificate_that_has_expired_is_not_sent_to(void **state)
{
	(void)state;
	refused("IP:127.0.0.1", -DAY_S, true);
}

static void serve_plain_words(struct connection *connection)
{
	connection_say(connection, "HTTP/1.1 400 This is not TLS\r\n\r\n");
	connection_pause(connection, 5000);
}

static void a_server_without_tls_is_not_sent_to(void **state)
{
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	server_start(&server, serve_plain_words, NULL);
	outcome = call(&server, NULL);
	assert_kind(outcome, HTTP_NOT_SENT);
	http_outcome_free(outcome);
	server_stop(&server);
}

static void a_bundle_that_is_not_there_sends_nothing(void **state)
{
	struct identity identity;
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	identity_init(&identity, "IP:127.0.0.1", DAY_S);
	server_start(&server, serve_tls, &identity);
	outcome = call(&server, "/nonexistent/ca.pem");
	assert_kind(outcome, HTTP_NOT_SENT);
	assert_int_equal(outcome->error, -ENOKEY);
	http_outcome_free(outcome);
	server_stop(&server);
	identity_finish(&identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_authority_that_is_trusted_makes_a_reply),
		cmocka_unit_test(a_length_that_is_not_met_is_ambiguous_under_tls_too),
		cmocka_unit_test(a_reply_without_length_is_marked_whether_tls_ended_it_or_not),
		cmocka_unit_test(a_certificate_that_nobody_vouches_for_is_not_sent_to),
		cmocka_unit_test(a_certificate_of_another_host_is_not_sent_to),
		cmocka_unit_test(a_certificate_that_has_expired_is_not_sent_to),
		cmocka_unit_test(a_server_without_tls_is_not_sent_to),
		cmocka_unit_test(a_bundle_that_is_not_there_sends_nothing),
	};

	/* The server's OpenSSL writes to connections that the client has closed. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("http.tls", tests, NULL, NULL);
}
