#include "base/certificate_name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway {
namespace {

using Kind = CertificateNameKind;

std::string parsed(std::string_view text) {
    const auto name = parse_certificate_name(text);
    return name ? *name : "! " + name.error().message;
}

TEST(CertificateName, OfAFileIsTheSameAsOfACertificate) {
    EXPECT_EQ(parsed("dns:App.Example"), "dns:app.example");
    EXPECT_EQ(certificate_name(Kind::dns, "APP.example"), "dns:app.example");
    EXPECT_EQ(parsed("URI:spiffe://prod.example/Chat"), "uri:spiffe://prod.example/Chat");
    EXPECT_EQ(certificate_name(Kind::uri, "spiffe://prod.example/Chat"), "uri:spiffe://prod.example/Chat");
    EXPECT_EQ(parsed("email:Ops@Example.COM"), "email:Ops@example.com");
    EXPECT_EQ(certificate_name(Kind::email, "Ops@example.com"), "email:Ops@example.com");
}

TEST(CertificateName, KindsAreNotMixed) {
    EXPECT_NE(certificate_name(Kind::dns, "a.example"), certificate_name(Kind::uri, "a.example"));
    EXPECT_EQ(certificate_name(Kind::uri, "dns:a.example"), "uri:dns:a.example");
}

TEST(CertificateName, NoNameHasWhatCouldDeceive) {
    EXPECT_EQ(certificate_name(Kind::dns, std::string_view("app.example\0.evil", 17)), std::nullopt);
    EXPECT_EQ(certificate_name(Kind::dns, "app.example\n"), std::nullopt);
    EXPECT_EQ(certificate_name(Kind::dns, " app.example"), std::nullopt);
    EXPECT_EQ(certificate_name(Kind::dns, "\xc3\xa4.example"), std::nullopt);
    EXPECT_EQ(certificate_name(Kind::dns, "*.example"), std::nullopt);
    EXPECT_EQ(certificate_name(Kind::dns, ""), std::nullopt);
    EXPECT_EQ(certificate_name(Kind::email, "ops"), std::nullopt);
    EXPECT_EQ(certificate_name(Kind::uri, "no-scheme"), std::nullopt);
    EXPECT_EQ(certificate_name(Kind::uri, "x:" + std::string(3000, 'y')), std::nullopt);
}

TEST(CertificateName, WhatIsConfiguredWrongIsSaid) {
    using testing::StartsWith;
    EXPECT_THAT(parsed("app.example"), StartsWith("! expected the kind of name first"));
    EXPECT_THAT(parsed("cn:app"), StartsWith("! expected the kind of name first"));
    EXPECT_THAT(parsed("dns:*.example"), StartsWith("! is a wildcard"));
    EXPECT_THAT(parsed("dns:https://app.example"), StartsWith("! expected a DNS name"));
    EXPECT_THAT(parsed("dns:"), StartsWith("! expected a DNS name"));
    EXPECT_THAT(parsed("uri:app"), StartsWith("! expected a URI"));
    EXPECT_THAT(parsed("email:app"), StartsWith("! expected an address"));
}

}  // namespace
}  // namespace spillway
