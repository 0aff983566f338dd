#include "gateway/admin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/hex.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "config/key_digest.hpp"
#include "fake_client.hpp"
#include "gateway/admin_view.hpp"

namespace spillway::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr http::Asset kIndex{"index.html", "compressed"};
constexpr std::string_view kKey = "a-client-key-5f0c11";
constexpr std::string_view kBackendKey = "a-backend-key-7d7d02";
constexpr std::string_view kToken = "an-admin-token-c0ffee";

config::GatewayConfig configuration(bool token) {
    config::GatewayConfig c;
    c.listen.port = 0;
    c.threads = 1;
    c.admin.listen.port = 0;
    if (token) c.admin.token = config::Secret(kToken);
    c.access_log.path = "off";
    c.clients.push_back({.name = "team \"a\"", .keys = {config::digest_of(kKey)}});
    for (const char* name : {"first", "second"}) {
        config::BackendConfig b;
        b.name = name;
        b.url = config::parse_backend_url("http://127.0.0.1:1").value();
        b.priority = c.backends.empty() ? 1 : 2;
        b.api_key = config::Secret(kBackendKey);
        c.backends.push_back(b);
    }
    return c;
}

struct Answer {
    unsigned status = 0;
    std::string fields;
    std::string body;
};

/// A gateway and its admin plane, asked by a client made of memory.
class AdminTest : public testing::Test {
protected:
    void start(bool token, std::string ledger = {}, std::string store = {}) {
        auto config = configuration(token);
        config.ledger = std::move(ledger);
        config.store.path = std::move(store);
        gateway_ = Gateway::start(std::move(config), telemetry::make_logger(spdlog::level::off)).value();
        admin_.emplace(loop_, *gateway_, Admin::Page{{&kIndex, 1}, "1.2.3"});
    }
    Answer ask(std::string_view method, std::string_view target, std::vector<http::Field> fields = {}) {
        const auto is_host = [](const http::Field& f) { return f.name == "host"; };
        if (std::ranges::none_of(fields, is_host)) fields.push_back({"host", "127.0.0.1:9090"});
        FakeClient client(loop_, method, target, std::move(fields));
        return ask(client);
    }
    Answer ask(FakeClient& client) {
        http::Exchange exchange = client.exchange();
        bool over = false;
        loop_.restart();
        loop_.spawn(admin_->handle(exchange), [&](const std::exception_ptr& failed) {
            EXPECT_FALSE(failed);
            over = true;
            loop_.stop();
        });
        loop_.run_for(std::chrono::seconds(6));
        EXPECT_TRUE(over);
        return {client.status, client.fields(), client.got};
    }
    routing::Mode mode(std::size_t backend) {
        return gateway_->snapshot()->router->view(mono_now()).at(backend).mode;
    }

    Loop loop_;
    std::unique_ptr<Gateway> gateway_;
    std::optional<Admin> admin_;
};

TEST_F(AdminTest, ThePageIsForAnyoneTheDataForThoseWithTheToken) {
    start(true);
    const http::Field gzip{"accept-encoding", "gzip"};
    const auto page = ask("GET", "/", {gzip});
    EXPECT_EQ(page.status, 200U);
    EXPECT_EQ(page.body, "compressed");
    EXPECT_EQ(ask("GET", "/").status, 406U);
    EXPECT_EQ(ask("GET", "/missing.js", {gzip}).status, 401U);
    for (const char* target :
         {"/api/live", "/api/events", "/api/config", "/api/backends", "/api/clients", "/metrics"}) {
        EXPECT_EQ(ask("GET", target).status, 401U) << target;
        EXPECT_EQ(ask("GET", target, {{"authorization", "Bearer wrong"}}).status, 401U) << target;
    }
    const std::string bearer = "Bearer " + std::string(kToken);
    const auto live = ask("GET", "/api/live", {{"authorization", bearer}, {"host", "gateway.example"}});
    EXPECT_EQ(live.status, 200U) << "with a token, any name will do";
    EXPECT_THAT(live.body, HasSubstr(R"("totals":{"in_flight":0,"served":0)"));
    EXPECT_EQ(ask("POST", "/api/backends/first/drain").status, 401U);
    EXPECT_EQ(mode(0), routing::Mode::on);
}

TEST_F(AdminTest, WithoutATokenOnlyLoopbackNamesAreAnswered) {
    start(false);
    EXPECT_EQ(ask("GET", "/api/live").status, 200U);
    EXPECT_EQ(ask("GET", "/api/live", {{"host", "rebound.example"}}).status, 421U);
    EXPECT_EQ(ask("GET", "/metrics", {{"host", "rebound.example"}}).status, 421U);
}

TEST_F(AdminTest, DrainsDisablesAndEnablesABackend) {
    start(false);
    EXPECT_THAT(ask("POST", "/api/backends/first/drain").body,
                HasSubstr(R"({"mode":"draining","kept":false,"why":"the gateway has no store)"));
    EXPECT_EQ(mode(0), routing::Mode::draining);
    EXPECT_THAT(ask("GET", "/api/backends").body, HasSubstr(R"("state":"draining")"));
    EXPECT_EQ(ask("POST", "/api/backends/%73econd/disable").status, 200U);
    EXPECT_EQ(mode(1), routing::Mode::off);
    ASSERT_TRUE(gateway_->reload(configuration(false)));
    EXPECT_EQ(mode(0), routing::Mode::draining) << "kept over a reload";
    EXPECT_EQ(mode(1), routing::Mode::off);
    EXPECT_EQ(ask("POST", "/api/backends/first/enable").status, 200U);
    EXPECT_EQ(mode(0), routing::Mode::on);
    EXPECT_EQ(ask("POST", "/api/backends/third/drain").status, 404U);
    EXPECT_EQ(ask("POST", "/api/backends/first/remove").status, 404U);
    EXPECT_EQ(ask("GET", "/api/backends/first/drain").status, 404U);
    EXPECT_EQ(ask("DELETE", "/api/backends").status, 405U);
    EXPECT_EQ(mode(0), routing::Mode::on);
}

TEST_F(AdminTest, WhatABackendIsToldOutlivesARestart) {
    const std::string folder = testing::TempDir() + "spillway-admin-modes";
    std::filesystem::remove_all(folder);
    const auto restart = [&] {
        admin_.reset();
        gateway_.reset();
        start(false, {}, folder + "/store.db");
    };
    start(false, {}, folder + "/store.db");
    EXPECT_FALSE(std::filesystem::exists(folder)) << "nothing before there is something to keep";
    EXPECT_EQ(ask("POST", "/api/backends/first/drain").body, "{\"mode\":\"draining\",\"kept\":true}\n");
    EXPECT_EQ(ask("POST", "/api/backends/second/disable").status, 200U);
    restart();
    EXPECT_EQ(mode(0), routing::Mode::draining);
    EXPECT_EQ(mode(1), routing::Mode::off);
    EXPECT_EQ(ask("POST", "/api/backends/second/enable").body, "{\"mode\":\"on\",\"kept\":true}\n");
    restart();
    EXPECT_EQ(mode(0), routing::Mode::draining);
    EXPECT_EQ(mode(1), routing::Mode::on);
    std::filesystem::remove_all(folder);
}

TEST_F(AdminTest, AStoreThatCannotBeWrittenHoldsNoDrainUp) {
    const std::string folder = testing::TempDir() + "spillway-admin-no-folder";
    std::ofstream(folder) << "a file is in its place";
    start(false, {}, folder + "/store.db");
    const auto told = ask("POST", "/api/backends/first/drain");
    EXPECT_EQ(told.status, 200U);
    EXPECT_EQ(mode(0), routing::Mode::draining);
    EXPECT_THAT(told.body,
                HasSubstr(R"({"mode":"draining","kept":false,"why":"the store cannot be written: )"));
    std::filesystem::remove(folder);
}

TEST_F(AdminTest, AForeignPageChangesNothing) {
    start(false);
    for (const http::Field& field :
         {http::Field{"origin", "https://evil.example"}, http::Field{"origin", "null"},
          http::Field{"sec-fetch-site", "cross-site"}}) {
        EXPECT_EQ(ask("POST", "/api/backends/first/drain", {field}).status, 403U) << field.value;
    }
    EXPECT_EQ(mode(0), routing::Mode::on);
}

TEST_F(AdminTest, TheConfigurationIsShownWithoutSecrets) {
    start(false);
    const auto shown = ask("GET", "/api/config");
    EXPECT_EQ(shown.status, 200U);
    EXPECT_THAT(shown.body, HasSubstr(R"("version":"1.2.3")"));
    EXPECT_THAT(shown.body, HasSubstr(R"("role":"admin")")) << "without tokens, of anyone";
    EXPECT_THAT(shown.body, HasSubstr(R"("name":"team \"a\"")"));
    const std::string digest = to_hex(config::digest_of(kKey));
    EXPECT_THAT(shown.body, HasSubstr('"' + digest.substr(0, 8) + '"'));
    for (const std::string_view secret : {std::string_view(digest).substr(0, 9), kKey, kBackendKey})
        EXPECT_THAT(shown.body, Not(HasSubstr(std::string(secret))));
}

TEST_F(AdminTest, SaysWhetherItIsHealthyAndReady) {
    start(true);
    EXPECT_EQ(ask("GET", "/healthz").body, "ok\n");
    EXPECT_EQ(ask("GET", "/readyz").body, "ready\n");
    admin_->draining();
    EXPECT_EQ(ask("GET", "/readyz").status, 503U);
    EXPECT_EQ(ask("GET", "/healthz").status, 200U);
}

TEST_F(AdminTest, ReloadsWhatItIsToldTo) {
    start(false);
    EXPECT_EQ(ask("POST", "/api/reload").status, 405U) << "not without a configuration file";
    ReloadReport report;
    admin_->on_reload([&] { return report; });
    EXPECT_EQ(ask("POST", "/api/reload").status, 200U);
    report.failure = "the file \"x\" is gone";
    report.problems = {"line 1: what is this?"};
    const auto refused = ask("POST", "/api/reload");
    EXPECT_EQ(refused.status, 422U);
    EXPECT_THAT(refused.body, HasSubstr(R"("reloaded":false,"reason":"the file \"x\" is gone")"));
    EXPECT_THAT(refused.body, HasSubstr(R"("problems":["line 1: what is this?"])"));
}

TEST_F(AdminTest, ShowsClientsAPageAtATime) {
    start(false);
    const auto all = ask("GET", "/api/clients?limit=10");
    EXPECT_EQ(all.status, 200U);
    EXPECT_THAT(all.body, HasSubstr(R"(team \"a\")"));
    EXPECT_EQ(ask("GET", "/api/clients?limit=nonsense").body, all.body);
}

TEST_F(AdminTest, StreamsThePictureUntilItsReaderLeaves) {
    start(false);
    FakeClient client(loop_, "GET", "/api/events", {{"host", "localhost"}});
    client.leave_after("data: {");
    const auto got = ask(client);
    EXPECT_EQ(got.status, 200U);
    EXPECT_THAT(got.fields, HasSubstr("text/event-stream"));
    EXPECT_THAT(got.body, HasSubstr(R"("totals":{)"));
    EXPECT_FALSE(client.ended);
}

TEST_F(AdminTest, TellsUsageFromTheLedger) {
    start(false);
    EXPECT_THAT(ask("GET", "/api/usage").body, HasSubstr("no_ledger"));
    admin_.reset();
    gateway_.reset();
    const std::string path = testing::TempDir() + "spillway-admin-test.db";
    std::filesystem::remove(path);
    start(false, path);
    const auto empty = ask("GET",
                           "/api/usage?from=2h&by=client,model&percentiles=true&client=x&user=u&team=t&"
                           "deployment=d&backend=b");
    EXPECT_EQ(empty.status, 200U) << empty.body;
    for (const char* query : {"from=yesterday-ish", "by=colour", "percentiles=perhaps", "limit=3"}) {
        const auto refused = ask("GET", "/api/usage?" + std::string(query));
        EXPECT_EQ(refused.status, 400U) << query;
        EXPECT_THAT(refused.body, HasSubstr("bad_query"));
    }
    EXPECT_THAT(ask("GET", "/metrics").body, HasSubstr("spillway_ledger_rows_total 0"));
    std::filesystem::remove(path);
}

TEST(AdminView, BackendsTellTheirFillAndTheirCounts) {
    auto c = configuration(false);
    routing::BackendView b;
    b.name = "first";
    b.served = 7;
    b.spilled = 2;
    b.avoided = 1.25;
    b.first_byte_total = std::chrono::milliseconds(350);
    auto& d = b.deployments.emplace_back();
    d.name = "gpt-4o";
    d.state = routing::BackendView::State::throttled;
    d.until = std::chrono::seconds(2);
    d.tpm = 1000;
    d.remaining_tokens = 250;
    d.tokens_window = std::chrono::minutes(1);
    d.tokens_reset = std::chrono::milliseconds(12'500);
    JsonWriter backends;
    const std::string lack = "not yet";
    write_backends(backends, c, {&b, 1}, {&lack, 1}, Wall{});
    const std::string out = backends.take();
    EXPECT_THAT(out, HasSubstr(R"("spilled":2,"avoided":1.250,"tokens":0,"first_byte_ms_total":350.000)"));
    EXPECT_THAT(out, HasSubstr(R"("remaining_tokens":250,"remaining_requests":null)"));
    EXPECT_THAT(out, HasSubstr(R"("tokens_window_seconds":60.000,"requests_window_seconds":0.000,)"));
    EXPECT_THAT(out,
                HasSubstr(R"("state":"throttled","until":"1970-01-01T00:00:02.000Z","seconds_left":2.000)"));

    telemetry::Registry registry(1);
    const Answers answers(registry);
    answers.limited.inc(3);
    JsonWriter totals;
    const std::array both{b, b};
    write_totals(totals, both, answers, 4);
    EXPECT_EQ(totals.view(),
              R"({"in_flight":4,"served":0,"limited":3,"no_quota":0,"refused":0,"failed":0,"left":0,)"
              R"("spilled":4,"throttled":0,"avoided":2.500})");
}

}  // namespace
}  // namespace spillway::gateway
