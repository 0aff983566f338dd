// Limits, prices and identities of a gateway's file.
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <map>
#include <set>

#include "base/strings.hpp"
#include "config/listen.hpp"
#include "config/yaml_sections.hpp"

namespace spillway::config::yaml {
namespace {

constexpr std::uint64_t kMostPerMinute = 4'000'000'000;
constexpr std::uint64_t kMostPerPeriod = 100'000'000'000'000;
constexpr double kMostMoney = 10'000'000;
constexpr double kMostPrice = 1'000'000;

void read_tokens(MapReader& limits, PerPeriod<std::uint64_t>& out) {
    const auto item = limits.map("tokens");
    if (!item) return;
    MapReader reader(limits.context(), *item);
    for (const auto& [key, value] : {std::pair("hour", &out.hour), std::pair("day", &out.day),
                                     std::pair("week", &out.week), std::pair("month", &out.month)})
        reader.whole<std::uint64_t>(key, *value, 1, kMostPerPeriod);
    reader.finish();
}

void read_budget(MapReader& limits, PerPeriod<double>& out) {
    const auto item = limits.map("budget");
    if (!item) return;
    MapReader reader(limits.context(), *item);
    for (const auto& [key, value] : {std::pair("hour", &out.hour), std::pair("day", &out.day),
                                     std::pair("week", &out.week), std::pair("month", &out.month)})
        reader.real(key, *value, 0.000001, kMostMoney);
    reader.finish();
}

void read_field_name(MapReader& reader, std::string_view key, std::string& out) {
    reader.text(key, out);
    if (!out.empty() && !is_name(out)) reader.error(key, "expected the name of a header field");
}

bool is_network(const std::string& text) {
    boost::system::error_code ec;
    boost::asio::ip::make_address(text, ec);
    if (!ec) return true;
    boost::asio::ip::make_network_v4(text, ec);
    if (!ec) return true;
    boost::asio::ip::make_network_v6(text, ec);
    return !ec;
}

void read_jwt(MapReader& identity, JwtConfig& out) {
    const auto item = identity.map("jwt");
    if (!item) return;
    MapReader reader(identity.context(), *item);
    reader.path("jwks_file", out.jwks_file);
    check_readable(reader, "jwks_file", out.jwks_file);
    if (auto secret = reader.secret("secret")) out.secret = std::move(*secret);
    const bool secret_given = reader.has("secret") || reader.has("secret_env") || reader.has("secret_file");
    if (reader.valid() && !reader.has("jwks_file") && !secret_given)
        reader.error_here("needs keys: jwks_file, or a secret for HS256");
    reader.text("issuer", out.issuer);
    reader.text("audience", out.audience);
    reader.text("client_claim", out.client_claim);
    reader.text("user_claim", out.user_claim);
    reader.text("team_claim", out.team_claim);
    reader.duration("leeway", out.leeway, Duration::zero(), std::chrono::minutes(10));
    reader.finish();
}

void read_headers(MapReader& identity, TrustedHeadersConfig& out) {
    const auto item = identity.map("headers");
    if (!item) return;
    MapReader reader(identity.context(), *item);
    read_field_name(reader, "client", out.client);
    read_field_name(reader, "user", out.user);
    read_field_name(reader, "team", out.team);
    for (const auto& proxy : reader.list("trusted_proxies", "expected a list of addresses or networks")) {
        if (proxy.node.IsScalar() && is_network(proxy.node.Scalar()))
            out.proxies.push_back(proxy.node.Scalar());
        else
            reader.context().error(proxy.node.Mark(), proxy.path,
                                   "expected an address or a network, such as 10.0.0.0/8");
    }
    if (reader.valid() && is_empty_list(reader, "trusted_proxies"))
        reader.error_here("needs trusted_proxies: anyone could write these fields");
    reader.finish();
}

}  // namespace

void read_limits(MapReader& owner, QuotaConfig& out) {
    const auto item = owner.map("limits");
    if (!item) return;
    MapReader reader(owner.context(), *item);
    reader.whole<std::uint64_t>("tokens_per_minute", out.tokens_per_minute, 1, kMostPerMinute);
    reader.whole<std::uint64_t>("requests_per_minute", out.requests_per_minute, 1, kMostPerMinute);
    reader.whole<std::uint64_t>("concurrency", out.concurrency, 1, 1'000'000'000);
    read_tokens(reader, out.tokens);
    read_budget(reader, out.budget);
    reader.boolean("shadow", out.shadow);
    reader.finish();
}

void read_client_rights(MapReader& reader, ClientConfig& out) {
    reader.text("team", out.team);
    if (!out.team.empty() && !is_name(out.team)) reader.error("team", std::string(kNameExpected));
    reader.choice<PriorityClass>(
        "priority", out.priority,
        {{"low", PriorityClass::low}, {"normal", PriorityClass::normal}, {"high", PriorityClass::high}});
    for (const auto& item : reader.list("deployments", "expected a list of deployments")) {
        if (item.node.IsScalar() && !item.node.Scalar().empty())
            out.deployments.push_back(item.node.Scalar());
        else
            reader.context().error(item.node.Mark(), item.path, "expected a deployment's name");
    }
    reader.text("claim", out.claim);
    reader.text("header", out.header);
    read_limits(reader, out.limits);
}

void read_teams(MapReader& root, std::vector<TeamConfig>& out) {
    std::set<std::string> names;
    for (const auto& item : root.list("teams", "expected a list of teams")) {
        MapReader reader(root.context(), item);
        if (!reader.valid()) continue;
        TeamConfig team;
        reader.text("name", team.name);
        if (!reader.has("name")) reader.error_here("needs a name");
        if (!team.name.empty() && !is_name(team.name)) reader.error("name", std::string(kNameExpected));
        if (!team.name.empty() && !names.insert(team.name).second)
            reader.error("name", "the name " + team.name + " is taken by another team");
        read_limits(reader, team.limits);
        reader.finish();
        out.push_back(std::move(team));
    }
}

void read_users(MapReader& root, UsersConfig& out) {
    const auto item = root.map("users");
    if (!item) return;
    MapReader reader(root.context(), *item);
    reader.boolean("field", out.field);
    read_limits(reader, out.limits);
    reader.finish();
}

void read_identity(MapReader& root, IdentityConfig& out) {
    const auto item = root.map("identity");
    if (!item) return;
    MapReader reader(root.context(), *item);
    read_jwt(reader, out.jwt);
    read_headers(reader, out.headers);
    reader.finish();
}

void read_weights(MapReader& root, WeightsConfig& out) {
    const auto item = root.map("weights");
    if (!item) return;
    MapReader reader(root.context(), *item);
    reader.real("prompt", out.prompt, 0, 1000);
    reader.real("cached", out.cached, 0, 1000);
    reader.real("completion", out.completion, 0, 1000);
    reader.real("reasoning", out.reasoning, 0, 1000);
    reader.finish();
}

void read_prices(MapReader& root, std::map<std::string, PriceConfig, std::less<>>& out) {
    const auto item = root.map("prices");
    if (!item) return;
    MapReader models(root.context(), *item);
    for (const auto& [model, at] : models.pairs()) {
        MapReader reader(root.context(), at);
        PriceConfig price;
        reader.real("prompt", price.prompt, 0, kMostPrice);
        price.cached = price.prompt;
        reader.real("cached", price.cached, 0, kMostPrice);
        reader.real("completion", price.completion, 0, kMostPrice);
        reader.finish();
        if (model.empty()) models.error(model, "has an empty name; expected a model");
        out.insert_or_assign(model, price);
    }
}

void read_fairness(MapReader& root, FairnessConfig& out) {
    const auto item = root.map("fairness");
    if (!item) return;
    MapReader reader(root.context(), *item);
    reader.whole<std::uint64_t>("tokens_per_minute", out.tokens_per_minute, 1, kMostPerMinute);
    reader.whole<std::uint64_t>("concurrency", out.concurrency, 1, 1'000'000'000);
    reader.finish();
}

void read_ledger(MapReader& root, std::string& out) {
    const auto item = root.map("ledger");
    if (!item) return;
    MapReader reader(root.context(), *item);
    reader.path("path", out);
    if (reader.valid() && !reader.has("path")) reader.error_here("needs a path, the file to keep it in");
    reader.finish();
}

namespace {

constexpr auto kRedisExpected = "expected a URL like redis://host:6379/0 or rediss://host:6380/0";

void read_redis_url(MapReader& reader, RedisConfig& out) {
    const auto text = reader.scalar("url", kRedisExpected);
    if (!text) return;
    const auto url = boost::urls::parse_uri(*text);
    const bool known = url && (url->scheme() == "redis" || url->scheme() == "rediss") && !url->host().empty();
    if (!known) return reader.error("url", kRedisExpected);
    if (url->has_password())
        return reader.error("url", "holds a password; give it in password_env or password_file");
    out.tls = url->scheme() == "rediss";
    out.host = url->host_address();
    out.username = url->user();
    if (url->has_port() && url->port_number() != 0) out.port = url->port_number();
    std::string path = url->path();
    if (path.starts_with('/')) path.erase(0, 1);
    if (path.empty()) return;
    const auto database = parse_int<std::uint32_t>(path);
    if (!database) return reader.error("url", kRedisExpected);
    out.database = *database;
}

}  // namespace

void read_redis(MapReader& root, RedisConfig& out) {
    const auto item = root.map("redis");
    if (!item) return;
    MapReader reader(root.context(), *item);
    if (reader.valid() && !reader.has("url")) reader.error_here("needs a url");
    read_redis_url(reader, out);
    if (auto password = reader.secret("password")) out.password = std::move(*password);
    reader.text("prefix", out.prefix);
    if (!out.prefix.empty() && !is_name(out.prefix)) reader.error("prefix", std::string(kNameExpected));
    reader.boolean("verify", out.verify);
    reader.path("ca_file", out.ca_file);
    check_readable(reader, "ca_file", out.ca_file);
    reader.whole<std::uint32_t>("replicas", out.replicas, 1, 1000);
    reader.duration("interval", out.interval, std::chrono::milliseconds(5), std::chrono::seconds(1));
    reader.duration("timeout", out.timeout, std::chrono::milliseconds(10), std::chrono::seconds(10));
    if (!out.password.empty() && !out.host.empty() && !out.tls && !is_loopback(out.host))
        reader.warning("url", "is not rediss: the password can be read on its way");
    if (out.tls && !out.verify)
        reader.warning("verify",
                       "the server's certificate is not checked: whoever answers gets the password");
    reader.finish();
}

}  // namespace spillway::config::yaml
