// Keys and certificates of one request, together.
#include "gateway/caller_proofs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "gateway/certificate_refusals.hpp"
#include "http/certificate_authority.hpp"
#include "http/client_authorities.hpp"
#include "station_fixture.hpp"

namespace spillway::gateway {
namespace {

using testing::HasSubstr;
using Finding = identity::CertificateMatch::Finding;

class CallerProofs : public testing::Test {
protected:
    /// "a" needs nothing more than either, "b" has no certificate, "c" needs both.
    CallerProofs() {
        std::string ca = std::filesystem::path(files_.cert()).replace_filename("ca.pem");
        authority_.append_to(ca);
        snapshot_ = snapshot_of(
            "server: {tls: {cert: " + files_.cert() + ", key: " + files_.key() + ", client_ca: " + ca +
                "}}\n"
                "clients:\n"
                "  - {name: a, key: a-key-00000000001, certificates: ['dns:a.example']}\n"
                "  - {name: b, key: b-key-00000000001}\n"
                "  - {name: c, key: c-key-00000000001, certificates: ['dns:c.example'],\n"
                "     require_certificate: true, networks: [192.0.2.0/24]}\n"
                "identity: {headers: {trusted_proxies: [198.51.100.1], client: x-client}}\n"
                "backends: [{url: 'http://one.example'}]\n",
            quotas_, keepers_, objects_);
        vouched_ = http::ClientAuthorities::read(ca)->digests().front();
    }
    std::unique_ptr<http::PeerCertificate> shown(std::vector<std::string> names) const {
        auto out = std::make_unique<http::PeerCertificate>();
        out->names = std::move(names);
        out->authority = vouched_;
        return out;
    }
    /// The client's name, or what it is told.
    std::string ask(std::string_view key, std::unique_ptr<http::PeerCertificate> certificate,
                    std::string_view peer = "192.0.2.1:1", std::initializer_list<http::Field> fields = {}) {
        http::RequestHead head = head_of("GET", "/v1/models", fields);
        if (!key.empty()) head.fields.add("api-key", key);
        Asked asked;
        Intake intake(*snapshot_, histories_, scanner_, asked);
        identity::KeyHasher hasher;
        const ClientTable& clients = snapshot_->clients;
        const ShownKey shown = clients.look_up(clients.presented_key(head, hasher), Wall());
        const auto no = intake.identify(head, peer, shown, Wall(), nullptr, certificate.get());
        if (no) return std::to_string(no->status) + " " + no->message;
        return std::string(asked.client->account->name());
    }

    http::test::Certificate files_{"gateway.test"};
    http::test::Authority authority_{"authority"};
    http::CertificateDigest vouched_{};
    quota::ClientQuotas quotas_;
    quota::HistorySizes histories_;
    identity::Keepers keepers_;
    store::ObjectDirectory objects_{1024};
    api::RequestScanner scanner_;
    std::shared_ptr<const Snapshot> snapshot_;
};

TEST_F(CallerProofs, EitherIsEnough) {
    EXPECT_EQ(ask("a-key-00000000001", nullptr), "a");
    EXPECT_EQ(ask("", shown({"dns:a.example"})), "a");
    EXPECT_EQ(ask("a-key-00000000001", shown({"dns:a.example"})), "a");
    EXPECT_EQ(ask("b-key-00000000001", nullptr), "b");
}

TEST_F(CallerProofs, BothMustBeOfOneClient) {
    EXPECT_THAT(
        ask("b-key-00000000001", shown({"dns:a.example"})),
        HasSubstr(
            "401 Access denied: the key or token is one of 'b', the client certificate is that of 'a'"));
    EXPECT_THAT(ask("wrong-key-0000001", shown({"dns:a.example"})),
                HasSubstr("401 Access denied: the key or token is not valid, though the client certificate "
                          "is that of 'a'"));
}

TEST_F(CallerProofs, ACertificateOfNobodyIsNoIdentity) {
    EXPECT_EQ(ask("b-key-00000000001", shown({"dns:other.example"})), "b") << "the key says who it is";
    EXPECT_THAT(ask("", shown({"dns:other.example", "uri:x:y"})), HasSubstr("(dns:other.example, uri:x:y)"));
    EXPECT_THAT(ask("", shown({})), HasSubstr("no name"));
    EXPECT_THAT(ask("", shown({"dns:a.example", "dns:c.example"})), HasSubstr("of several clients"));
    auto old = shown({"dns:a.example"});
    old->authority[0] = static_cast<unsigned char>(old->authority[0] + 1);
    EXPECT_THAT(ask("", std::move(old)), HasSubstr("not trusted any more"));
    EXPECT_THAT(ask("wrong-key-0000001", shown({"dns:other.example"})), HasSubstr("no valid key"));
    EXPECT_THAT(ask("", nullptr), HasSubstr("no valid key"));
}

TEST_F(CallerProofs, WhoNeedsBothIsToldWhichIsMissing) {
    EXPECT_EQ(ask("c-key-00000000001", shown({"dns:c.example"})), "c");
    EXPECT_THAT(ask("c-key-00000000001", nullptr), HasSubstr("there is only a key or token"));
    EXPECT_THAT(ask("c-key-00000000001", shown({"dns:other.example"})),
                HasSubstr("there is only a key or token"));
    EXPECT_THAT(ask("", shown({"dns:c.example"})), HasSubstr("there is only a certificate"));
}

TEST_F(CallerProofs, RulesOfTheClientApply) {
    EXPECT_THAT(ask("c-key-00000000001", shown({"dns:c.example"}), "203.0.113.9:1"),
                HasSubstr("403 This client may not call from this address"));
}

TEST_F(CallerProofs, ATrustedProxySpeaksForItsClientWhateverItsOwnCertificateIs) {
    const std::string_view proxy = "198.51.100.1:1";
    EXPECT_EQ(ask("", shown({"dns:a.example"}), proxy, {{"x-client", "b"}}), "b");
    EXPECT_EQ(ask("", shown({"dns:a.example"}), proxy), "a");
}

TEST_F(CallerProofs, OneOfManyRefusalsIsLogged) {
    CertificateRefusals refusals;
    const Mono start = Mono(std::chrono::hours(1));
    EXPECT_EQ(refusals.note(start), 0U);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(refusals.note(start + std::chrono::seconds(i)), std::nullopt);
    EXPECT_EQ(refusals.note(start + CertificateRefusals::interval), 5U);
    EXPECT_EQ(refusals.note(start + 2 * CertificateRefusals::interval), 0U);
}

}  // namespace
}  // namespace spillway::gateway
