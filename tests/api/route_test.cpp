#include "api/route.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "api/dialect.hpp"

namespace spillway::api {
namespace {

struct Known {
    const char* target;
    std::reference_wrapper<const Operation> operation;
    PathStyle style;
    const char* deployment;
    const char* tail;
    const char* query;
};

TEST(Classify, AllSurfaces) {
    using namespace operations;
    using enum PathStyle;
    const Known known[] = {
        {"/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", chat, azure_deployment,
         "gpt-4o", "/chat/completions", "api-version=2024-10-21"},
        {"/openai/deployments/d/completions", completions, azure_deployment, "d", "/completions", ""},
        {"/openai/deployments/d/embeddings", embeddings, azure_deployment, "d", "/embeddings", ""},
        {"/openai/deployments/d/audio/speech", speech, azure_deployment, "d", "/audio/speech", ""},
        {"/openai/deployments/chat/chat/completions", chat, azure_deployment, "chat", "/chat/completions",
         ""},
        {"/openai/deployments/a%20b/embeddings", embeddings, azure_deployment, "a%20b", "/embeddings", ""},
        {"/openai/deployments/d", other, azure_deployment, "d", "", ""},
        {"/openai/deployments/d/", other, azure_deployment, "d", "/", ""},
        {"/openai/deployments", other, azure_plain, "", "/deployments", ""},
        {"/openai/deployments/", other, azure_plain, "", "/deployments/", ""},
        {"/OpenAI/Deployments/D/Chat/Completions", chat, azure_deployment, "D", "/Chat/Completions", ""},
        {"/openai/v1/chat/completions", chat, azure_v1, "", "/chat/completions", ""},
        {"/openai/v1/responses", responses, azure_v1, "", "/responses", ""},
        {"/openai/v1/responses/resp_1", other, azure_v1, "", "/responses/resp_1", ""},
        {"/openai/v1", other, azure_v1, "", "", ""},
        {"/openai/v1beta/x", other, azure_plain, "", "/v1beta/x", ""},
        {"/openai/responses?api-version=p", responses, azure_plain, "", "/responses", "api-version=p"},
        {"/openai/files", other, azure_plain, "", "/files", ""},
        {"/openai", other, azure_plain, "", "", ""},
        {"/v1/chat/completions", chat, openai_v1, "", "/chat/completions", ""},
        {"/v1/chat/completions/", chat, openai_v1, "", "/chat/completions/", ""},
        {"/v1/completions", completions, openai_v1, "", "/completions", ""},
        {"/v1/embeddings", embeddings, openai_v1, "", "/embeddings", ""},
        {"/v1/responses", responses, openai_v1, "", "/responses", ""},
        {"/v1/models", other, openai_v1, "", "/models", ""},
        {"/v1/models/meta-llama%2FLlama-3", other, openai_v1, "", "/models/meta-llama%2FLlama-3", ""},
        {"/v1", other, openai_v1, "", "", ""},
        {"/v12/chat/completions", other, unknown, "", "/v12/chat/completions", ""},
        {"/chat/completions", chat, bare, "", "/chat/completions", ""},
        {"/responses/resp_1", other, bare, "", "/responses/resp_1", ""},
        {"/models?x=1", other, bare, "", "/models", "x=1"},
        {"/completions2", other, unknown, "", "/completions2", ""},
        {"/openaiX/v1/chat/completions", other, unknown, "", "/openaiX/v1/chat/completions", ""},
        {"/", other, unknown, "", "/", ""},
        {"/v1/files?a=..%2f..&b=%zz", other, openai_v1, "", "/files", "a=..%2f..&b=%zz"},
        {"/v1/files/...", other, openai_v1, "", "/files/...", ""},
        {"/v1/files/.well-known/a..b", other, openai_v1, "", "/files/.well-known/a..b", ""},
        {"/v1/files/caf%C3%A9%20x", other, openai_v1, "", "/files/caf%C3%A9%20x", ""},
    };
    for (const Known& k : known) {
        const Route r = classify(k.target);
        EXPECT_FALSE(r.bad) << k.target;
        EXPECT_EQ(r.operation, &k.operation.get()) << k.target;
        EXPECT_EQ(r.style, k.style) << k.target << to_string(r.style);
        EXPECT_EQ(r.deployment, k.deployment) << k.target;
        EXPECT_EQ(r.tail, k.tail) << k.target;
        EXPECT_EQ(r.query, k.query) << k.target;
    }
}

TEST(Classify, AnEmptyQueryIsTold) {
    EXPECT_FALSE(classify("/v1/models").has_query);
    const Route r = classify("/v1/models?");
    EXPECT_TRUE(r.has_query);
    EXPECT_EQ(r.query, "");
    EXPECT_EQ(r.path, "/v1/models");
}

TEST(Classify, WhatCouldLeaveTheBasePathIsRefused) {
    const std::string_view bad[] = {
        "",
        "*",
        "v1/models",
        "http://host/v1/models",
        "?x",
        "/..",
        "/.",
        "/v1/..",
        "/v1/../admin",
        "/v1/./models",
        "/v1/files/..?x",
        "/openai/deployments/../x/chat/completions",
        "/openai/deployments/./chat/completions",
        "/openai/deployments/%2e%2e/chat/completions",
        "/openai/deployments/%2E./chat/completions",
        "/v1/%2e%2e/admin",
        "/v1/.%2e/admin",
        "/v1/%2e",
        "/v1/%252e%252e/admin",
        "/v1/files/a%2f..%2f..%2fadmin",
        "/v1/models/a%2F..%2Fb",
        "/v1/models/..%2Fb",
        "/v1/files/a%2Fb",
        "/v1/chat%2Fcompletions",
        "/v1/..;/admin",
        "/v1/..;x=1/admin",
        "/v1/.;/admin",
        "/v1/..%3b/admin",
        "/v1\\..\\admin",
        "/v1/%5c..%5cadmin",
        "/openai/deployments/a%2Fb/chat/completions",
        "/openai/deployments/a%5cb/chat/completions",
        "/openai/deployments/a%00b/chat/completions",
        "/openai/deployments/a%0d%0ab/chat/completions",
        "/openai/deployments/a%/chat/completions",
        "/openai/deployments/a%4/chat/completions",
        "/openai/deployments/a%zz/chat/completions",
        "/openai/deployments/a%2541/chat/completions",
        "/openai/%64eployments/x/chat/completions",
        "/%6fpenai/v1/chat/completions",
        "/v%31/chat/completions",
        "/v1/ch%61t/completions",
        "/v1/files/%",
        "/v1/files/%4",
        "/v1/files/%g0",
        "//host/v1/models",
        "/v1//models",
        "/openai/deployments//chat/completions",
        "/v1/models#x",
        "/v1/models?a#x",
        "/v1/mod els",
        "/v1/models?a b",
        "/v1/mod\tels",
        "/v1/models?a\r\nX: y",
        "/v1/mod\x7f"
        "els",
        std::string_view("/v1/mod\0els", 11),
    };
    for (const std::string_view target : bad) EXPECT_TRUE(classify(target).bad) << target;
}

TEST(Classify, IsNoLessStrictInLongPaths) {
    constexpr std::string_view prefix = "/openai/v1/files/";
    const auto bad = [&](std::size_t at, std::string_view inserted) {
        const std::string name(60, 'x');
        const std::string target =
            std::string(prefix) + name.substr(0, at) + std::string(inserted) + name.substr(at) + "?a=" + name;
        return classify(target).bad;
    };
    for (std::size_t at = 1; at < 60; ++at) {
        for (int c = 0; c < 256; ++c) {
            const char text = static_cast<char>(c);
            const bool refused = c <= ' ' || c == 0x7f || c == '#' || c == '\\' || c == '%';
            EXPECT_EQ(bad(at, {&text, 1}), refused) << at << ' ' << c;
        }
        for (const char* text : {"//", "/./", "/../", "/..;a/", "/%2e/", "/.%2E/", "/%2f/", "/%61/"})
            EXPECT_TRUE(bad(at, text)) << at << text;
        for (const char* text : {"/", "/.a/", "/a../", "/.../", "/a/b/", "/%20/"})
            EXPECT_FALSE(bad(at, text)) << at << text;
        const std::string query(at, 'q');
        for (const char* text : {" ", "#", "\t", "\x7f"})
            EXPECT_TRUE(classify(std::string(prefix) + "a?" + query + text + query).bad);
        EXPECT_FALSE(classify(std::string(prefix) + "a?" + query + "%/\\.." + query).bad);
    }
    EXPECT_TRUE(classify("/openai/v1/files/..").bad);
    EXPECT_TRUE(classify("/openai/v1/.").bad);
}

TEST(DecodeSegment, StopsAtWhatIsOddInEveryPlace) {
    std::string out;
    for (std::size_t at = 0; at < 40; ++at) {
        const std::string name(40, 'n');
        for (const char odd : {'/', '\\', '\n', '\x7f', '%'}) {
            std::string text = name;
            text[at] = odd;
            EXPECT_FALSE(decode_segment(text, out)) << text;
        }
        EXPECT_TRUE(decode_segment(name.substr(0, at) + "%20" + name.substr(at), out));
        EXPECT_EQ(out, name.substr(0, at) + " " + name.substr(at));
    }
}

TEST(DecodeSegment, Decodes) {
    std::string out = "old";
    EXPECT_TRUE(decode_segment("gpt-4o", out));
    EXPECT_EQ(out, "gpt-4o");
    EXPECT_TRUE(decode_segment("a%20b%C3%a9%41", out));
    EXPECT_EQ(out,
              "a b\xc3\xa9"
              "A");
    for (const char* raw :
         {"", ".", "..", "%2e.", "a%", "a%4", "a%4g", "a%2fb", "a/b", "a%5Cb", "a\\b", "%00", "%1f", "%7F"})
        EXPECT_FALSE(decode_segment(raw, out)) << raw;
}

std::string target(const Dialect& dialect, std::string_view base, std::string_view from,
                   std::string_view deployment = {}) {
    const Route r = classify(from);
    EXPECT_FALSE(r.bad) << from;
    std::string out = "+";
    dialect.append_target(out, base, r, deployment);
    EXPECT_EQ(out.front(), '+') << "it appends";
    return out.substr(1);
}

TEST(AppendTarget, AzureToAzureKeepsThePath) {
    const auto azure = [](std::string_view from, std::string_view d = {}) {
        return target(azure_dialect(), "", from, d);
    };
    EXPECT_EQ(azure("/openai/deployments/a/chat/completions?api-version=1&x=2"),
              "/openai/deployments/a/chat/completions?api-version=1&x=2");
    EXPECT_EQ(azure("/openai/deployments/a/chat/completions?", "b"),
              "/openai/deployments/b/chat/completions?");
    EXPECT_EQ(azure("/openai/deployments/chat/chat/completions", "b"),
              "/openai/deployments/b/chat/completions");
    EXPECT_EQ(azure("/openai/deployments/deployments/embeddings", "x"), "/openai/deployments/x/embeddings");
    EXPECT_EQ(azure("/openai/deployments/a%20b/embeddings", "c d/\xc3\xa9"),
              "/openai/deployments/c%20d%2F%C3%A9/embeddings");
    EXPECT_EQ(azure("/openai/deployments/a", "b"), "/openai/deployments/b");
    EXPECT_EQ(azure("/v1/chat/completions", "b"), "/openai/v1/chat/completions");
    EXPECT_EQ(azure("/openai/v1/responses?api-version=preview", "b"),
              "/openai/v1/responses?api-version=preview");
    EXPECT_EQ(azure("/openai/files?api-version=1"), "/openai/files?api-version=1");
    EXPECT_EQ(azure("/some/thing?x"), "/some/thing?x");
    EXPECT_EQ(azure("/responses?x"), "/openai/v1/responses?x");
}

TEST(AppendTarget, ASharedPrefixIsNotDoubled) {
    const auto azure = [](std::string_view base, std::string_view from) {
        return target(azure_dialect(), base, from, "b");
    };
    EXPECT_EQ(azure("/openai", "/openai/deployments/a/embeddings"), "/openai/deployments/b/embeddings");
    EXPECT_EQ(azure("/OpenAI/", "/openai/deployments/a/embeddings"), "/OpenAI/deployments/b/embeddings");
    EXPECT_EQ(azure("/openai", "/v1/embeddings"), "/openai/v1/embeddings");
    EXPECT_EQ(azure("/openai", "/openai/v1/embeddings"), "/openai/v1/embeddings");
    EXPECT_EQ(azure("/proxy/openai", "/openai/files"), "/proxy/openai/files");
    EXPECT_EQ(azure("/proxy", "/openai/files"), "/proxy/openai/files");
    EXPECT_EQ(azure("/proxy/", "/openai/deployments/a/embeddings"), "/proxy/openai/deployments/b/embeddings");
    EXPECT_EQ(azure("/proxy", "/v1/models"), "/proxy/openai/v1/models");
    EXPECT_EQ(azure("/openai", "/other"), "/openai/other");
    EXPECT_EQ(azure("/openai/v1", "/openai/v1/models"), "/openai/v1/models");
    EXPECT_EQ(azure("/openai/v1", "/v1/models"), "/openai/v1/models");
}

TEST(AppendTarget, ToTheV1Surface) {
    const auto openai = [](std::string_view base, std::string_view from) {
        return target(openai_dialect(), base, from, "ignored");
    };
    EXPECT_EQ(openai("", "/v1/chat/completions"), "/v1/chat/completions");
    EXPECT_EQ(openai("/v1", "/v1/chat/completions"), "/v1/chat/completions");
    EXPECT_EQ(openai("/api/v1/", "/openai/v1/chat/completions"), "/api/v1/chat/completions");
    EXPECT_EQ(openai("/openai", "/v1/chat/completions"), "/openai/v1/chat/completions");
    EXPECT_EQ(openai("/v1", "/openai/deployments/a/chat/completions?api-version=1"), "/v1/chat/completions");
    EXPECT_EQ(openai("/v1", "/openai/responses?a=1&API-Version=2&b=3"), "/v1/responses?a=1&b=3");
    EXPECT_EQ(openai("/v1", "/openai/responses?api-version&&x"), "/v1/responses?x");
    EXPECT_EQ(openai("/v1", "/openai/responses?api-versions=1"), "/v1/responses?api-versions=1");
    EXPECT_EQ(openai("/v1", "/v1/models?"), "/v1/models");
    EXPECT_EQ(openai("/v1", "/embeddings"), "/v1/embeddings");
    EXPECT_EQ(openai("/v1", "/healthz?api-version=1"), "/v1/healthz?api-version=1");
    EXPECT_EQ(target(azure_dialect(), "/openai/v1", "/openai/deployments/a/embeddings?api-version=1", "b"),
              "/openai/v1/embeddings");
}

TEST(AppendTarget, ModelInferenceIsTheV1ApiWhereItCannotBe) {
    constexpr std::string_view asked = "/models/chat/completions?api-version=2024-05-01-preview";
    EXPECT_EQ(target(azure_dialect(), "", asked), asked);
    EXPECT_EQ(target(azure_dialect(), "/base", asked), "/base" + std::string(asked));
    EXPECT_EQ(target(azure_dialect(), "/base/openai", asked), "/base/openai/v1/chat/completions");
    EXPECT_EQ(target(azure_dialect(), "/base/openai/v1", asked), "/base/openai/v1/chat/completions");
    EXPECT_EQ(target(openai_dialect(), "", asked), "/v1/chat/completions");
    EXPECT_EQ(target(openai_dialect(), "/v1", asked), "/v1/chat/completions");
}

TEST(DeploymentInPath, OnlyOnAzuresDeploymentSurface) {
    const Route path = classify("/openai/deployments/a/chat/completions");
    const Route body = classify("/openai/v1/chat/completions");
    EXPECT_TRUE(azure_dialect().deployment_in_path("", path));
    EXPECT_TRUE(azure_dialect().deployment_in_path("/openai", path));
    EXPECT_FALSE(azure_dialect().deployment_in_path("/openai/v1/", path));
    EXPECT_FALSE(openai_dialect().deployment_in_path("", path));
    EXPECT_FALSE(azure_dialect().deployment_in_path("", body));
    EXPECT_FALSE(azure_dialect().deployment_in_path("", classify("/openai/deployments")));
}

TEST(RouteNames, AreTold) {
    EXPECT_EQ(to_string(PathStyle::azure_deployment), "azure_deployment");
    EXPECT_EQ(to_string(PathStyle::azure_v1), "azure_v1");
    EXPECT_EQ(to_string(PathStyle::openai_v1), "openai_v1");
    EXPECT_EQ(to_string(PathStyle::azure_plain), "azure_plain");
    EXPECT_EQ(to_string(PathStyle::unknown), "unknown");
}

}  // namespace
}  // namespace spillway::api
