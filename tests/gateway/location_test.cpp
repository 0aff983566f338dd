#include "gateway/location.hpp"

#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

std::string told(std::string_view value, std::string_view url, std::string_view own = "https://gw.example") {
    return location_for_client(value, *config::parse_backend_url(url), own);
}

TEST(Location, ABackendThatNamesItselfIsNamedAsTheGateway) {
    constexpr std::string_view azure = "https://one.openai.azure.com";
    EXPECT_EQ(told("https://one.openai.azure.com/openai/operations/images/1?api-version=1", azure),
              "https://gw.example/openai/operations/images/1?api-version=1");
    EXPECT_EQ(told("https://ONE.openai.azure.com:443/openai/x", azure), "https://gw.example/openai/x");
    EXPECT_EQ(told("http://one.openai.azure.com/openai/x", azure), "https://gw.example/openai/x");
    EXPECT_EQ(told("https://one.openai.azure.com", azure), "https://gw.example/");
    EXPECT_EQ(told("https://one.openai.azure.com?x=1", azure), "https://gw.example/?x=1");
    EXPECT_EQ(told("/openai/x", azure), "/openai/x");
}

TEST(Location, WhatIsElsewhereStays) {
    for (const std::string_view value :
         {"https://blob.core.windows.net/c/f?sig=1", "https://two.openai.azure.com/openai/x",
          "https://one.openai.azure.com.evil/x", "//one.openai.azure.com/x", "relative/x", "", "urn:x"})
        EXPECT_EQ(told(value, "https://one.openai.azure.com"), value);
}

TEST(Location, TheBasePathStaysInside) {
    EXPECT_EQ(told("https://apim.example/my/openai/jobs/1", "https://apim.example/my"),
              "https://gw.example/openai/jobs/1");
    EXPECT_EQ(told("https://apim.example/my/v1/jobs/1", "https://apim.example/my/v1"),
              "https://gw.example/v1/jobs/1");
    EXPECT_EQ(told("/my/openai/v1/jobs/1", "https://apim.example/my/openai/v1"), "/openai/v1/jobs/1");
    EXPECT_EQ(told("http://vllm:8000/v1/jobs", "http://vllm:8000/v1"), "https://gw.example/v1/jobs");
    EXPECT_EQ(told("https://apim.example/mystery/x", "https://apim.example/my"),
              "https://gw.example/mystery/x");
}

TEST(Location, WithoutAnAddressOfItsOwnThePathIsTold) {
    EXPECT_EQ(told("https://one.example/openai/x", "https://one.example", ""), "/openai/x");
}

std::string own(std::string_view host, bool tls, std::string_view proto = {}) {
    http::RequestHead head;
    head.fields.add("host", host);
    if (!proto.empty()) head.fields.add("x-forwarded-proto", proto);
    return own_address(head, tls);
}

TEST(OwnAddress, IsWhatTheClientAsked) {
    EXPECT_EQ(own("gw.example:8080", false), "http://gw.example:8080");
    EXPECT_EQ(own("gw.example", true), "https://gw.example");
    EXPECT_EQ(own("gw.example", false, "https"), "https://gw.example") << "TLS ends before the gateway";
    EXPECT_EQ(own("[::1]:8080", false), "http://[::1]:8080");
    EXPECT_EQ(own("gw.example/x", false), "");
    EXPECT_EQ(own("", false), "");
}

}  // namespace
}  // namespace spillway::gateway
