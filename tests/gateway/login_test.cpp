#include "gateway/login.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/loop.hpp"
#include "fake_client.hpp"
#include "gateway/admin.hpp"
#include "gateway/login_page.hpp"
#include "identity/random_bytes.hpp"

namespace spillway::gateway {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kKey = "a-session-key-of-32-characters-and-more";
constexpr std::string_view kToken = "an-admin-token-c0ffee";
constexpr std::string_view kOrigin = "https://gateway.example";
constexpr http::Asset kIndex{"index.html", "compressed"};

/// The provider is not there: nothing listens at port 1.
config::GatewayConfig configuration(std::string public_url = std::string(kOrigin)) {
    config::GatewayConfig c;
    c.listen.port = 0;
    c.threads = 1;
    c.admin.listen.port = 0;
    c.admin.tokens.push_back({"oncall", config::AdminRole::operate, config::Secret(kToken)});
    auto& oidc = c.admin.oidc.emplace();
    oidc.provider.issuer = "http://127.0.0.1:1";
    oidc.client_id = "spillway";
    oidc.public_url = std::move(public_url);
    oidc.scopes = {"openid"};
    oidc.session_key = config::Secret(kKey);
    oidc.roles = {.viewer = {{"groups", {"sales"}}}, .operate = {{"groups", {"oncall"}}}, .manage = {}};
    c.access_log.path = "off";
    config::BackendConfig b;
    b.name = "first";
    b.url = config::parse_backend_url("http://127.0.0.1:1").value();
    b.api_key = config::Secret("a-backend-key-7d7d02");
    c.backends.push_back(b);
    return c;
}

std::string sealed(std::string_view what, std::string_view text, std::string_view key = kKey) {
    return identity::Sealer(key, "spillway admin " + std::string(what) + "\nhttp://127.0.0.1:1\nspillway")
        .seal(text);
}

std::string session(std::string_view group, Wall begun = wall_now(), std::string_view key = kKey) {
    const identity::Person person{"42", "Ada L", {{"groups", {std::string(group)}}}, begun};
    return "__Host-spillway-session=" + sealed("session", identity::write_session(person), key);
}

struct Answer {
    unsigned status = 0;
    std::string fields;
    std::string body;
};

class LoginTest : public testing::Test {
protected:
    void SetUp() override {
        gateway_ = Gateway::start(configuration(), telemetry::make_logger(spdlog::level::off)).value();
        admin_.emplace(loop_, *gateway_, Admin::Page{{&kIndex, 1}, "1.2.3"});
    }
    Answer ask(std::string_view method, std::string_view target, std::vector<http::Field> fields = {}) {
        fields.push_back({"host", "gateway.example"});
        FakeClient client(loop_, method, target, std::move(fields));
        http::Exchange exchange = client.exchange();
        bool over = false;
        loop_.restart();
        loop_.spawn(admin_->handle(exchange), [&](const std::exception_ptr& failed) {
            EXPECT_FALSE(failed);
            over = true;
            loop_.stop();
        });
        loop_.run_for(20s);
        EXPECT_TRUE(over);
        return {client.status, client.fields(), client.got};
    }
    unsigned drain(const std::string& cookie, std::vector<http::Field> fields) {
        fields.push_back({"cookie", cookie});
        return ask("POST", "/api/backends/first/drain", std::move(fields)).status;
    }

    Loop loop_;
    std::unique_ptr<Gateway> gateway_;
    std::optional<Admin> admin_;
};

TEST_F(LoginTest, TellsAnyoneThatThereIsALogIn) {
    EXPECT_EQ(ask("GET", "/api/session").body, R"({"name":"","role":"","by":"nothing","log_in":true})"
                                               "\n");
    EXPECT_EQ(ask("GET", "/api/live").status, 401U) << "the log-in is needed";
    const std::string bearer = "Bearer " + std::string(kToken);
    EXPECT_EQ(ask("GET", "/api/session", {{"authorization", bearer}}).body,
              R"({"name":"oncall","role":"operator","by":"token","log_in":true})"
              "\n");
    const std::string cookie = "a=b; " + session("sales") + "; c=d";
    EXPECT_EQ(ask("GET", "/api/session", {{"cookie", cookie}}).body,
              R"({"name":"Ada L","role":"viewer","by":"oidc","log_in":true})"
              "\n");
    EXPECT_EQ(ask("GET", "/api/live", {{"cookie", cookie}}).status, 200U);
    EXPECT_EQ(ask("GET", "/api/live", {{"cookie", cookie}, {"authorization", "Bearer wrong"}}).status, 401U)
        << "who shows a token is judged by it";
}

TEST_F(LoginTest, ASessionIsOfThisKeyTimeAndRole) {
    const auto status = [&](const std::string& cookie) {
        return ask("GET", "/api/live", {{"cookie", cookie}}).status;
    };
    std::string tampered = session("sales");
    tampered[tampered.size() / 2] = tampered[tampered.size() / 2] == 'A' ? 'g' : 'A';
    EXPECT_EQ(status(tampered), 401U);
    EXPECT_EQ(status(session("sales", wall_now(), "another-key-of-32-characters-and-more")), 401U);
    EXPECT_EQ(status(session("sales", wall_now() - 8h)), 401U) << "over";
    EXPECT_EQ(status(session("sales", wall_now() - 8h + 1min)), 200U);
    EXPECT_EQ(status(session("nobody")), 401U);
    std::string unprefixed = session("sales");
    EXPECT_EQ(status(unprefixed.substr(std::string_view("__Host-").size())), 401U);
    // The flow's cookie is no session, whatever is in it.
    const identity::Person person{"42", "Ada", {{"groups", {"sales"}}}, wall_now()};
    EXPECT_EQ(status("__Host-spillway-session=" + sealed("login", identity::write_session(person))), 401U);
}

TEST_F(LoginTest, ARoleThatIsTakenAwayIsGoneAtTheReload) {
    const std::string cookie = session("oncall");
    const http::Field same{"sec-fetch-site", "same-origin"};
    EXPECT_EQ(drain(cookie, {same}), 200U);
    auto fresh = configuration();
    fresh.admin.oidc->roles.operate.clear();
    fresh.admin.oidc->roles.viewer = {{"groups", {"oncall"}}};
    ASSERT_TRUE(gateway_->reload(fresh));
    EXPECT_EQ(drain(cookie, {same}), 403U);
    EXPECT_EQ(ask("GET", "/api/live", {{"cookie", cookie}}).status, 200U);
    fresh.admin.oidc->roles.viewer.clear();
    ASSERT_TRUE(gateway_->reload(fresh));
    EXPECT_EQ(ask("GET", "/api/live", {{"cookie", cookie}}).status, 401U);
    ASSERT_TRUE(gateway_->reload(configuration()));
    EXPECT_EQ(ask("GET", "/api/live", {{"cookie", cookie}}).status, 200U);
    fresh = configuration();
    fresh.admin.oidc->client_id = "another";
    ASSERT_TRUE(gateway_->reload(fresh));
    EXPECT_EQ(ask("GET", "/api/live", {{"cookie", cookie}}).status, 401U) << "another client's log-in";
}

TEST_F(LoginTest, OnlyTheOwnOriginChangesAnythingWithACookie) {
    const std::string cookie = session("oncall");
    EXPECT_EQ(drain(cookie, {}), 403U) << "who says nothing of where it comes from is refused";
    EXPECT_EQ(drain(cookie, {{"origin", "https://evil.example"}}), 403U);
    EXPECT_EQ(drain(cookie, {{"origin", "null"}}), 403U);
    EXPECT_EQ(drain(cookie, {{"origin", "https://gateway.example.evil.example"}}), 403U);
    EXPECT_EQ(drain(cookie, {{"sec-fetch-site", "cross-site"}, {"origin", kOrigin}}), 403U);
    EXPECT_EQ(drain(cookie, {{"sec-fetch-site", "same-site"}}), 403U) << "a neighbour under the same domain";
    EXPECT_EQ(drain(cookie, {{"x-spillway-page", "1"}}), 403U);
    EXPECT_EQ(gateway_->snapshot()->router->view(mono_now()).at(0).mode, routing::Mode::on);
    EXPECT_EQ(drain(session("sales"), {{"origin", kOrigin}}), 403U) << "a viewer";
    EXPECT_EQ(gateway_->snapshot()->router->view(mono_now()).at(0).mode, routing::Mode::on);
    EXPECT_EQ(drain(cookie, {{"origin", kOrigin}}), 200U);
    EXPECT_EQ(gateway_->snapshot()->router->view(mono_now()).at(0).mode, routing::Mode::draining);
    const std::string bearer = "Bearer " + std::string(kToken);
    EXPECT_EQ(ask("POST", "/api/backends/first/enable", {{"authorization", bearer}}).status, 200U)
        << "a token is not sent along by browsers";
}

TEST_F(LoginTest, LogOutRemovesTheCookieForTheOwnPageAlone) {
    const std::string cookie = session("sales");
    EXPECT_EQ(ask("POST", "/logout", {{"cookie", cookie}}).status, 403U);
    EXPECT_EQ(ask("POST", "/logout", {{"cookie", cookie}, {"sec-fetch-site", "cross-site"}}).status, 403U);
    EXPECT_EQ(ask("GET", "/logout", {{"cookie", cookie}}).status, 405U);
    const auto out = ask("POST", "/logout", {{"cookie", cookie}, {"sec-fetch-site", "same-origin"}});
    EXPECT_EQ(out.status, 204U);
    EXPECT_THAT(out.fields, HasSubstr("set-cookie: __Host-spillway-session=; Path=/; Max-Age=0; HttpOnly; "
                                      "SameSite=Lax; Secure\r\n"));
}

TEST_F(LoginTest, SaysThatTheProviderCannotBeAskedAndNothingElseSuffers) {
    const auto page = ask("GET", "/login");
    EXPECT_EQ(page.status, 502U);
    EXPECT_THAT(page.body, HasSubstr("The provider cannot be asked now: 127.0.0.1:1: "));
    EXPECT_THAT(page.fields, HasSubstr("content-security-policy: default-src 'none'"));
    EXPECT_THAT(page.fields, HasSubstr("cache-control: no-store"));
    const std::string bearer = "Bearer " + std::string(kToken);
    EXPECT_EQ(ask("GET", "/api/live", {{"authorization", bearer}}).status, 200U);
    EXPECT_EQ(ask("GET", "/login?return=//evil.example").status, 400U);
    EXPECT_EQ(ask("GET", "/login?return=https%3A%2F%2Fevil.example").status, 400U);
    EXPECT_EQ(ask("GET", "/login?return=/%5Cevil.example").status, 400U);
}

TEST_F(LoginTest, AnAnswerThatNobodyAskedForIsRefused) {
    EXPECT_EQ(ask("GET", "/login/callback?code=x&state=y").status, 400U);
    const auto flow = identity::begin_flow("/", identity::random_bytes<identity::kFlowRandom>(), wall_now());
    const std::string cookie = "__Host-spillway-login=" + sealed("login", identity::write_flow(flow));
    const auto wrong = ask("GET", "/login/callback?code=x&state=y", {{"cookie", cookie}});
    EXPECT_EQ(wrong.status, 400U);
    EXPECT_THAT(wrong.body, HasSubstr("another log-in"));
    const std::string target = "/login/callback?state=" + flow.state +
                               "&error=access_denied&error_description=%3Cscript%3Ealert(%221%22)";
    const auto denied = ask("GET", target, {{"cookie", cookie}});
    EXPECT_EQ(denied.status, 400U);
    EXPECT_THAT(denied.body, HasSubstr("access_denied: &lt;script&gt;alert(&quot;1&quot;)"));
    EXPECT_THAT(denied.body, Not(HasSubstr("<script>")));
    const auto old =
        identity::begin_flow("/", identity::random_bytes<identity::kFlowRandom>(), wall_now() - 11min);
    const std::string late = "__Host-spillway-login=" + sealed("login", identity::write_flow(old));
    EXPECT_THAT(ask("GET", "/login/callback?code=x&state=" + old.state, {{"cookie", late}}).body,
                HasSubstr("longer than ten minutes"));
    const auto down =
        ask("GET", "/login/callback?code=secret-code&state=" + flow.state, {{"cookie", cookie}});
    EXPECT_EQ(down.status, 403U);
    EXPECT_THAT(down.body, HasSubstr("cannot be asked now"));
    EXPECT_THAT(down.body, Not(HasSubstr("secret-code")));
    EXPECT_THAT(down.fields, HasSubstr("set-cookie: __Host-spillway-login=; Path=/; Max-Age=0"));
}

TEST(LoginCookies, ArePrefixedWhereThereIsHttps) {
    config::AdminOidcConfig oidc;
    oidc.public_url = "https://gateway.example/spill";
    EXPECT_EQ(set_cookie(oidc, "session", "x", 8h),
              "__Host-spillway-session=x; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax; Secure");
    EXPECT_EQ(oidc.origin(), "https://gateway.example");
    oidc.public_url = "http://127.0.0.1:8081";
    EXPECT_EQ(set_cookie(oidc, "login", "x", 10min),
              "spillway-login=x; Path=/; Max-Age=600; HttpOnly; SameSite=Lax");
    EXPECT_EQ(oidc.origin(), "http://127.0.0.1:8081");
}

TEST(LoginCookies, AreFoundByTheirWholeName) {
    http::Fields fields;
    fields.add("Cookie", "xspillway-login=1; spillway-login2=2;spillway-login=a=b ; other");
    fields.add("cookie", "second=3");
    EXPECT_EQ(cookie_of(fields, "spillway-login"), "a=b");
    EXPECT_EQ(cookie_of(fields, "second"), "3");
    EXPECT_EQ(cookie_of(fields, "third"), "");
    EXPECT_EQ(cookie_of({}, "second"), "");
}

TEST(LoginAnswers, AreDecoded) {
    const auto answer = login_answer(
        "/login/callback?code=a%2Fb&state=s&iss=https%3A%2F%2Fx&error=e&error_description=d%20d+d");
    EXPECT_EQ(answer.code, "a/b");
    EXPECT_EQ(answer.state, "s");
    EXPECT_EQ(answer.issuer, "https://x");
    EXPECT_EQ(answer.error, "e");
    EXPECT_EQ(answer.error_description, "d d d");
    EXPECT_EQ(login_answer("/login/callback").state, "");
    EXPECT_EQ(login_answer("/login/callback?code=%zz").code, "");
}

}  // namespace
}  // namespace spillway::gateway
