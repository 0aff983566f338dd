#include "identity/client_certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway::identity {
namespace {

using Finding = CertificateMatch::Finding;
using Names = std::vector<std::vector<std::string>>;

constexpr http::CertificateDigest kAuthority{1};
constexpr http::CertificateDigest kOther{2};

http::PeerCertificate certificate(std::vector<std::string> names,
                                  const http::CertificateDigest& authority = kAuthority) {
    http::PeerCertificate out;
    out.names = std::move(names);
    out.authority = authority;
    return out;
}

ClientCertificates table(const Names& names,
                         std::vector<http::CertificateDigest> authorities = {kAuthority}) {
    return ClientCertificates::make(names, std::move(authorities)).value();
}

TEST(ClientCertificates, AnyNameIsEnough) {
    const auto clients = table({{}, {"dns:a.example", "uri:spiffe://x/a"}, {"email:b@example"}});
    auto a = certificate({"dns:unknown.example", "uri:spiffe://x/a"});
    EXPECT_EQ(clients.find(a).finding, Finding::client);
    EXPECT_EQ(clients.find(a).client, 1U);
    auto both = certificate({"dns:a.example", "uri:spiffe://x/a"});
    EXPECT_EQ(clients.find(both).client, 1U);
    auto b = certificate({"email:b@example"});
    EXPECT_EQ(clients.find(b).client, 2U);
}

TEST(ClientCertificates, OnlyTheWholeNameIs) {
    const auto clients = table({{"dns:a.example", "uri:spiffe://x/a"}});
    for (const auto* name : {"dns:b.a.example", "dns:a.example.org", "uri:spiffe://x/a/b", "uri:spiffe://x",
                             "email:a.example", "uri:a.example"}) {
        auto other = certificate({name});
        EXPECT_EQ(clients.find(other).finding, Finding::nobody) << name;
    }
    auto nameless = certificate({});
    EXPECT_EQ(clients.find(nameless).finding, Finding::nobody);
}

TEST(ClientCertificates, NamesOfSeveralClientsAreNobodys) {
    const auto clients = table({{"dns:a.example"}, {"dns:b.example"}});
    auto both = certificate({"dns:a.example", "dns:b.example"});
    EXPECT_EQ(clients.find(both).finding, Finding::several);
}

TEST(ClientCertificates, ARemovedAuthorityVouchesForNobody) {
    auto a = certificate({"dns:a.example"});
    EXPECT_EQ(table({{"dns:a.example"}}, {kAuthority, kOther}).find(a).finding, Finding::client);
    EXPECT_EQ(table({{"dns:a.example"}}, {kOther}).find(a).finding, Finding::untrusted);
    EXPECT_EQ(ClientCertificates().find(a).finding, Finding::untrusted);
}

TEST(ClientCertificates, LooksUpOnceForEachTable) {
    const auto first = table({{"dns:a.example"}});
    auto a = certificate({"dns:a.example"});
    EXPECT_EQ(first.find(a).finding, Finding::client);
    a.names = {"dns:other.example"};
    EXPECT_EQ(first.find(a).finding, Finding::client) << "looked up again";
    const auto copy = first;
    EXPECT_EQ(copy.find(a).finding, Finding::client) << "is the same table";
    const auto second = table({{}, {"dns:a.example"}});
    EXPECT_EQ(second.find(a).finding, Finding::nobody) << "another table's finding";
}

TEST(ClientCertificates, TwoClientsWithOneNameAreRefused) {
    const auto made = ClientCertificates::make(Names{{"dns:a.example"}, {"dns:a.example"}}, {});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, testing::HasSubstr("dns:a.example"));
}

}  // namespace
}  // namespace spillway::identity
