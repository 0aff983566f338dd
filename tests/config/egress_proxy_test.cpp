#include "config/egress_proxy.hpp"

#include <gtest/gtest.h>

#include <map>

#include "config/backend.hpp"

namespace spillway::config {
namespace {

TEST(ParseProxy, HostPortAndCredential) {
    const auto plain = parse_proxy("http://Proxy.Example:3128");
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_EQ(plain->host, "proxy.example");
    EXPECT_EQ(plain->port, 3128);
    EXPECT_EQ(plain->authorization(), "");
    EXPECT_EQ(plain->to_string(), "http://proxy.example:3128");

    const auto keyed = parse_proxy("http://user%40corp:p%3Ass:word@10.0.0.1/");
    ASSERT_TRUE(keyed) << keyed.error().message;
    EXPECT_EQ(keyed->host, "10.0.0.1");
    EXPECT_EQ(keyed->port, 80);
    EXPECT_EQ(keyed->credential.reveal(), "user@corp:p:ss:word");
    EXPECT_EQ(keyed->authorization(), "Basic dXNlckBjb3JwOnA6c3M6d29yZA==");
    EXPECT_EQ(keyed->to_string(), "http://***@10.0.0.1:80") << "no secret is shown";

    const auto bare = parse_proxy("proxy.example:8080");
    ASSERT_TRUE(bare);
    EXPECT_EQ(bare->port, 8080);
    const auto v6 = parse_proxy("http://[2001:db8::1]:3128");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->host, "2001:db8::1");
    EXPECT_EQ(v6->to_string(), "http://[2001:db8::1]:3128");
}

TEST(ParseProxy, SaysWhatItExpectedAndNotWhatItGot) {
    for (const std::string_view bad :
         {"", "https://p:1", "socks5://secret@p:1", "http://", "http://p:0", "http://p:99999",
          "http://p/path", "http://p?x", "http://se%zzcret@p", "http://a%3Ab:secret@p"}) {
        const auto proxy = parse_proxy(bad);
        ASSERT_FALSE(proxy) << bad;
        EXPECT_EQ(proxy.error().message.find("secret"), std::string::npos);
    }
}

TEST(NoProxy, NamesHostsDomainsAddressesAndNetworks) {
    const auto is = [](std::string_view list, std::string_view host, std::uint16_t port = 443) {
        return is_exempt(list, host, port);
    };
    EXPECT_TRUE(is("*", "one.openai.azure.com"));
    EXPECT_TRUE(is("a.example, one.openai.azure.com", "one.openai.azure.com"));
    EXPECT_TRUE(is("azure.com", "one.openai.azure.com"));
    EXPECT_TRUE(is(".azure.com", "one.openai.azure.com"));
    EXPECT_TRUE(is("*.Azure.com", "one.openai.azure.com"));
    EXPECT_TRUE(is("azure.com", "azure.com"));
    EXPECT_FALSE(is(".azure.com", "azure.com"));
    EXPECT_FALSE(is("azure.com", "notazure.com"));
    EXPECT_FALSE(is("openai.azure.com.evil", "openai.azure.com"));
    EXPECT_TRUE(is("one.example:8443", "one.example", 8443));
    EXPECT_FALSE(is("one.example:8443", "one.example", 443));
    EXPECT_TRUE(is("10.0.0.0/8", "10.1.2.3"));
    EXPECT_FALSE(is("10.0.0.0/8", "11.1.2.3"));
    EXPECT_FALSE(is("10.0.0.0/8", "ten.example"));
    EXPECT_TRUE(is("10.1.2.3", "10.1.2.3"));
    EXPECT_TRUE(is("10.1.2.3:8080", "10.1.2.3", 8080));
    EXPECT_TRUE(is("2001:db8::1", "2001:db8:0::1"));
    EXPECT_TRUE(is("[2001:db8::1]:443", "2001:db8::1"));
    EXPECT_TRUE(is("2001:db8::/32", "2001:db8::5"));
    EXPECT_FALSE(is("", "one.example"));
    EXPECT_FALSE(is(" , ,", "one.example"));
}

struct Environment {
    std::map<std::string, std::string, std::less<>> values;
    [[nodiscard]] std::string proxy(bool tls, std::string_view host, std::uint16_t port = 443) const {
        const auto found = proxy_of_environment(tls, host, port, [this](std::string_view name) {
            const auto at = values.find(name);
            return at == values.end() ? std::nullopt : std::optional(at->second);
        });
        if (!found) return found.error().message;
        return *found ? (*found)->to_string() : "";
    }
};

TEST(ProxyOfEnvironment, GoesByTheScheme) {
    const Environment e{
        {{"HTTPS_PROXY", "http://a:1"}, {"http_proxy", "http://b:2"}, {"HTTP_PROXY", "http://c:3"}}};
    EXPECT_EQ(e.proxy(true, "one.example"), "http://a:1");
    EXPECT_EQ(e.proxy(false, "one.example"), "http://b:2") << "small letters go first, as in curl";
    EXPECT_EQ(Environment{}.proxy(true, "one.example"), "");
    EXPECT_EQ((Environment{{{"HTTPS_PROXY", " "}}}).proxy(true, "one.example"), "");
}

TEST(ProxyOfEnvironment, LeavesOutWhatIsNearOrExempt) {
    const Environment e{
        {{"HTTPS_PROXY", "a:1"}, {"HTTP_PROXY", "a:1"}, {"NO_PROXY", "internal.example,10.0.0.0/8"}}};
    for (const std::string_view host : {"localhost", "127.0.0.1", "127.8.8.8", "::1", "169.254.169.254",
                                        "x.internal.example", "10.2.3.4"}) {
        EXPECT_EQ(e.proxy(true, host), "") << host;
        EXPECT_EQ(e.proxy(false, host), "") << host;
    }
    EXPECT_EQ(e.proxy(true, "one.example"), "http://a:1");
}

TEST(ProxyOfEnvironment, AWrongOneIsNamedByItsVariable) {
    const Environment e{{{"HTTPS_PROXY", "socks5://secret:1"}}};
    EXPECT_TRUE(e.proxy(true, "one.example").starts_with("HTTPS_PROXY is not reached by plain http"));
    EXPECT_EQ(e.proxy(true, "one.example").find("secret"), std::string::npos);
}

TEST(TimeoutsFor, TheDeploymentsGoBeforeTheBackends) {
    using namespace std::chrono_literals;
    BackendConfig b;
    b.timeouts.first_token = 60s;
    b.timeouts.stall = 30s;
    EXPECT_EQ(timeouts_for(b, "o3"), (DeploymentTimeouts{60s, 30s}));
    b.deployments = {{"deep", "o3-deep-research"}};
    b.timeouts.deployments = {{"o3*", {600s, {}}}, {"o3-mini", {{}, 5s}}, {"*-research", {1800s, 60s}}};
    EXPECT_EQ(timeouts_for(b, "o3"), (DeploymentTimeouts{600s, 30s}));
    EXPECT_EQ(timeouts_for(b, "o3-mini"), (DeploymentTimeouts{60s, 5s})) << "a name goes before globs";
    EXPECT_EQ(timeouts_for(b, "deep"), (DeploymentTimeouts{1800s, 60s})) << "also as the backend calls it";
    EXPECT_EQ(timeouts_for(b, "gpt-4o"), (DeploymentTimeouts{60s, 30s}));
}

}  // namespace
}  // namespace spillway::config
