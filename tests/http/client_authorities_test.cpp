// Handshakes with client certificates, between two ends in memory.
#include "http/client_authorities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "http/certificate_authority.hpp"
#include "http/tls_context.hpp"

namespace spillway::http::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using SslPtr = std::unique_ptr<SSL, FreedBy<SSL_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, FreedBy<SSL_SESSION_free>>;

/// How a handshake ended, at both ends.
struct Shaken {
    std::unique_ptr<PeerCertificate> peer;
    bool resumed = false;
    int alert = 0;  ///< SSL_R_… of the one that the client got; 0: none
    SessionPtr session;
};

class ClientAuthoritiesTest : public testing::TestWithParam<int> {
protected:
    [[nodiscard]] std::string bundle(std::initializer_list<const Authority*> authorities) {
        std::string file =
            std::filesystem::path(own_.cert()).replace_filename("ca-" + std::to_string(++files_) + ".pem");
        for (const Authority* a : authorities) a->append_to(file);
        return file;
    }
    TlsContext::Shared server(const std::string& client_ca, bool required = false) {
        TlsOptions options;
        options.tickets = tickets_;
        options.client_ca = client_ca;
        options.needs_client_certificate = required;
        return TlsContext::server(own_.cert(), own_.key(), options).value();
    }
    /// `above` is sent with the certificate.
    static Shaken shake(const TlsContext::Shared& context, const Issued* shown,
                        SSL_SESSION* session = nullptr, X509* above = nullptr) {
        const std::unique_ptr<SSL_CTX, FreedBy<SSL_CTX_free>> ours(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_set_max_proto_version(ours.get(), GetParam());
        Shaken out;
        SSL_CTX_set_session_cache_mode(ours.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_set_app_data(ours.get(), &out);
        SSL_CTX_sess_set_new_cb(ours.get(), [](SSL* tls, SSL_SESSION* fresh) {
            static_cast<Shaken*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)))->session.reset(fresh);
            return 1;
        });
        const SslPtr client(SSL_new(ours.get()));
        const SslPtr gateway(SSL_new(context->native()));
        if (shown != nullptr) {
            SSL_use_certificate(client.get(), shown->certificate.get());
            SSL_use_PrivateKey(client.get(), shown->key.get());
            if (above != nullptr) SSL_add1_chain_cert(client.get(), above);
        }
        if (session != nullptr) SSL_set_session(client.get(), session);
        BIO* near = nullptr;
        BIO* far = nullptr;
        BIO_new_bio_pair(&near, 65536, &far, 65536);
        SSL_set_bio(client.get(), near, near);
        SSL_set_bio(gateway.get(), far, far);
        SSL_set_connect_state(client.get());
        SSL_set_accept_state(gateway.get());
        char byte = 0;
        for (int turn = 0; turn < 8; ++turn) {
            ERR_clear_error();
            const int n = SSL_read(client.get(), &byte, 1);
            const unsigned long error = ERR_peek_last_error();
            if (n <= 0 && SSL_get_error(client.get(), n) == SSL_ERROR_SSL) {
                out.alert = ERR_GET_REASON(error);
                return out;
            }
            ERR_clear_error();
            (void)SSL_read(gateway.get(), &byte, 1);
        }
        EXPECT_TRUE(SSL_is_init_finished(client.get()));
        out.peer = peer_certificate(*gateway);
        out.resumed = SSL_session_reused(gateway.get()) == 1;
        SSL_shutdown(client.get());
        return out;
    }

    Certificate own_{"gateway.test"};
    Authority root_{"root"};
    std::shared_ptr<TicketKeys> tickets_ = std::make_shared<TicketKeys>();
    int files_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Versions, ClientAuthoritiesTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& of) { return of.param == TLS1_2_VERSION ? "TLS12" : "TLS13"; });

TEST_P(ClientAuthoritiesTest, AVerifiedCertificateIsKnownByItsNames) {
    const auto client =
        root_.issue({.names = "DNS:App.example,URI:spiffe://x/a,email:ops@example.com,IP:10.0.0.1"});
    const auto made = shake(server(bundle({&root_})), &client);
    ASSERT_TRUE(made.peer) << made.alert;
    EXPECT_THAT(made.peer->names,
                ElementsAre("dns:app.example", "uri:spiffe://x/a", "email:ops@example.com"));
    EXPECT_NEAR(to_seconds(made.peer->ends - wall_now()), 3600, 10);
    EXPECT_EQ(made.peer->authority, ClientAuthorities::read(bundle({&root_}))->digests().front());
}

TEST_P(ClientAuthoritiesTest, TheCommonNameIsNoName) {
    const auto made = shake(server(bundle({&root_})), std::make_unique<Issued>(root_.issue({})).get());
    ASSERT_TRUE(made.peer);
    EXPECT_THAT(made.peer->names, testing::IsEmpty());
}

TEST_P(ClientAuthoritiesTest, WhoShowsNoneIsLetInUnlessOneIsRequired) {
    const auto ca = bundle({&root_});
    const auto optional = shake(server(ca), nullptr);
    EXPECT_EQ(optional.alert, 0);
    EXPECT_EQ(optional.peer, nullptr);
    const auto required = shake(server(ca, true), nullptr);
    EXPECT_EQ(required.alert, GetParam() == TLS1_3_VERSION ? SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED
                                                           : SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
}

TEST_P(ClientAuthoritiesTest, TheAlertSaysWhatIsWrong) {
    const auto context = server(bundle({&root_}));
    const Authority stranger("root");  // of the same name
    const auto foreign = stranger.issue({.names = "DNS:a.example"});
    const int unknown = shake(context, &foreign).alert;
    EXPECT_TRUE(unknown == SSL_R_TLSV1_ALERT_UNKNOWN_CA || unknown == SSL_R_TLSV1_ALERT_DECRYPT_ERROR)
        << unknown;
    const auto other = Authority("other").issue({.names = "DNS:a.example"});
    EXPECT_EQ(shake(context, &other).alert, SSL_R_TLSV1_ALERT_UNKNOWN_CA);
    const auto over = root_.issue({.names = "DNS:a.example", .ends = -60});
    EXPECT_EQ(shake(context, &over).alert, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED);
    const auto of_server = root_.issue({.names = "DNS:a.example", .usage = "serverAuth"});
    EXPECT_EQ(shake(context, &of_server).alert, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE);
    const auto any_use = root_.issue({.names = "DNS:a.example", .usage = ""});
    EXPECT_TRUE(shake(context, &any_use).peer) << "RFC 5280 §4.2.1.12: without the extension, for any use";
}

TEST_P(ClientAuthoritiesTest, AnIntermediateIsSentAlongOrIsAnAuthorityItself) {
    const Authority middle = root_.below("middle");
    const auto client = middle.issue({.names = "DNS:a.example"});
    const auto by_root = server(bundle({&root_}));
    EXPECT_EQ(shake(by_root, &client).alert, SSL_R_TLSV1_ALERT_UNKNOWN_CA);
    EXPECT_TRUE(shake(by_root, &client, nullptr, middle.certificate()).peer);
    EXPECT_TRUE(shake(server(bundle({&middle})), &client).peer);
    const auto of_root = root_.issue({.names = "DNS:a.example"});
    EXPECT_NE(shake(server(bundle({&middle})), &of_root).alert, 0) << "only the intermediate is trusted";
}

TEST_P(ClientAuthoritiesTest, AResumedSessionIsStillItsClients) {
    const auto ca = bundle({&root_});
    const auto client = root_.issue({.names = "DNS:a.example"});
    auto last = shake(server(ca), &client);
    ASSERT_TRUE(last.session);
    for (int i = 0; i < 3; ++i) {
        auto next = shake(server(ca), nullptr, last.session.get());
        EXPECT_TRUE(next.resumed);
        ASSERT_TRUE(next.peer);
        EXPECT_THAT(next.peer->names, ElementsAre("dns:a.example"));
        EXPECT_EQ(next.peer->authority, last.peer->authority);
        EXPECT_EQ(next.peer->ends, last.peer->ends);
        if (next.session) last = std::move(next);
    }
}

TEST_P(ClientAuthoritiesTest, NoSessionOutlivesItsBundleOrRule) {
    const Authority other("other");
    const auto client = root_.issue({.names = "DNS:a.example"});
    const auto first = shake(server(bundle({&root_})), &client);
    ASSERT_TRUE(first.session);
    for (const auto& ca : {bundle({&other}), bundle({&root_, &other}), std::string()}) {
        const auto next = shake(server(ca), nullptr, first.session.get());
        EXPECT_FALSE(next.resumed) << ca;
        EXPECT_EQ(next.peer, nullptr);
    }
    const auto without = shake(server(bundle({&root_})), nullptr);
    ASSERT_TRUE(without.session);
    EXPECT_NE(shake(server(bundle({&root_}), true), nullptr, without.session.get()).alert, 0);
    const auto plain = shake(server(""), nullptr);
    ASSERT_TRUE(plain.session);
    EXPECT_FALSE(shake(server(bundle({&root_})), nullptr, plain.session.get()).resumed);
    // The order of the bundle means nothing.
    const auto both = shake(server(bundle({&root_, &other})), &client);
    EXPECT_TRUE(shake(server(bundle({&other, &root_})), nullptr, both.session.get()).resumed);
}

TEST_P(ClientAuthoritiesTest, NoSessionOutlivesItsCertificate) {
    const auto ca = bundle({&root_});
    const auto client = root_.issue({.names = "DNS:a.example", .ends = 2});
    const auto first = shake(server(ca), &client);
    ASSERT_TRUE(first.session);
    EXPECT_TRUE(shake(server(ca), nullptr, first.session.get()).resumed);
    while (wall_now() < first.peer->ends) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const auto late = shake(server(ca), nullptr, first.session.get());
    EXPECT_FALSE(late.resumed);
    EXPECT_EQ(late.peer, nullptr);
}

TEST(ClientAuthoritiesFile, SaysWhatIsWrong) {
    const Certificate folder("x");
    const std::string file = std::filesystem::path(folder.cert()).replace_filename("ca.pem");
    const auto problem = [&](const std::string& text) {
        std::ofstream(file) << text;
        const auto read = ClientAuthorities::read(file);
        return read ? std::string() : read.error().message;
    };
    EXPECT_THAT(problem(""), HasSubstr("no certificate"));
    EXPECT_THAT(problem("# nothing\n"), HasSubstr("no certificate"));
    EXPECT_THAT(problem("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n"),
                HasSubstr("cannot use client_ca " + file));
    std::ifstream whole(folder.cert());
    std::string good((std::istreambuf_iterator<char>(whole)), {});
    EXPECT_EQ(problem("# ours\n" + good), "");
    EXPECT_THAT(problem(good + good.substr(0, good.size() / 2)), HasSubstr("cannot use client_ca"));
    const auto missing = ClientAuthorities::read("/no/such/ca.pem");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, HasSubstr("/no/such/ca.pem"));
    const Certificate server("gateway.test");
    TlsOptions options;
    options.client_ca = "/no/such/ca.pem";
    EXPECT_FALSE(TlsContext::server(server.cert(), server.key(), options));
}

}  // namespace
}  // namespace spillway::http::test
