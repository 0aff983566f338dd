// What tokens count and cost, and where use is kept and shared.
#include <fmt/format.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/strings.hpp"
#include "config/codecs.hpp"
#include "config/listen.hpp"
#include "config/settings.hpp"
#include "config/store_url.hpp"

namespace spillway::config {
namespace {

constexpr std::uint64_t kMostPerMinute = 4'000'000'000;
constexpr double kMostPrice = 1'000'000;
constexpr auto kRedisExpected = "expected a URL like redis://host:6379/0 or rediss://host:6380/0";

void read_redis_url(yaml::MapReader& reader, RedisConfig& out) {
    if (!reader.has("url")) return reader.error_here("needs a url");
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

std::optional<Value> show_redis_url(const RedisConfig& redis) {
    if (!redis.enabled()) return std::nullopt;
    return Value::quoted(fmt::format("{}://{}{}{}/{}", redis.tls ? "rediss" : "redis", redis.username,
                                     redis.username.empty() ? "" : "@",
                                     to_string(ListenConfig{redis.host, redis.port}), redis.database));
}

SettingInfo redis_url_info() {
    SettingInfo info;
    info.key = "url";
    info.help =
        "`redis://[user@]host[:6379][/database]`, `rediss://…` with TLS; with `sentinels`, the host is the "
        "name "
        "that they know the primary by";
    info.needed = true;
    return info;
}

void check_redis(yaml::MapReader& reader, const RedisConfig& redis) {
    const auto near = [](const std::string& sentinel) { return is_loopback(parse_listen(sentinel)->host); };
    const bool local =
        redis.sentinels.empty() ? is_loopback(redis.host) : std::ranges::all_of(redis.sentinels, near);
    if (redis.sentinels.empty() && !redis.sentinel_password.empty())
        reader.error("sentinel_password", "is given without sentinels; expected both or neither");
    if (!redis.password.empty() && !redis.host.empty() && !redis.tls && !local)
        reader.warning("url", "is not rediss: the password can be read on its way");
    if (redis.tls && !redis.verify)
        reader.warning("verify",
                       "the server's certificate is not checked: whoever answers gets the password");
}

/// Given as url, url_env or url_file.
struct StoreUrl : codec::SecretText {
    void read(yaml::MapReader& reader, std::string_view key, Secret& out) const {
        auto url = reader.secret(key);
        if (!url) return;
        if (const auto fault = postgres_url_fault(url->reveal()); !fault.empty())
            return reader.error(given(reader), std::string(fault));
        out = std::move(*url);
    }
    static std::string_view given(yaml::MapReader& reader) {
        return reader.has("url_env") ? "url_env" : reader.has("url_file") ? "url_file" : "url";
    }
};

void check_store(yaml::MapReader& reader, const StoreConfig& store) {
    const auto key = StoreUrl::given(reader);
    if (!reader.has(key)) return;
    if (reader.has("path"))
        return reader.error(key,
                            "is given besides path; expected one of them: a database that replicas "
                            "share, or a file");
    if (store.shared() && !is_verified_or_near(store.url.reveal()))
        reader.warning(key,
                       "does not say sslmode=verify-full: whoever answers gets the password, and says "
                       "which keys there are");
}

/// `off` or a path.
struct StorePath : codec::Text {
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
        std::string text;
        reader.text(key, text);
        if (!text.empty()) out = text == "off" ? text : reader.context().resolve(text);
    }
};

}  // namespace

const Fields<StoreConfig>& store_fields() {
    static const auto fields =
        Fields<StoreConfig>()
            .add("path", &StoreConfig::path, StorePath{},
                 {.help = "SQLite file with whose things are whose, where they are, the keys made at run "
                          "time, and which backends are drained; `off` keeps that in memory only",
                  .default_words = "in the [state folder](keys.md#the-store)",
                  .apply = Apply::restart})
            .add("url", &StoreConfig::url, StoreUrl{},
                 {.help = "instead of a file, a PostgreSQL database, which replicas "
                          "[share](keys.md#a-store-that-replicas-share): "
                          "`postgresql://user:password@host/database?sslmode=verify-full`",
                  .default_words = "no database",
                  .apply = Apply::restart})
            .then([](yaml::MapReader& reader, StoreConfig& store) { check_store(reader, store); });
    return fields;
}

const Fields<WeightsConfig>& weights_fields() {
    static constexpr codec::Number weight{0, 1000};
    static const auto fields =
        Fields<WeightsConfig>()
            .add("prompt", &WeightsConfig::prompt, weight, {.help = "of a token of the prompt"})
            .add("cached", &WeightsConfig::cached, weight, {.help = "of one that the backend had cached"})
            .add("completion", &WeightsConfig::completion, weight, {.help = "of one of the answer"})
            .add("reasoning", &WeightsConfig::reasoning, weight, {.help = "of one of hidden reasoning"});
    return fields;
}

const Fields<PriceConfig>& price_fields() {
    static constexpr codec::Number price{0, kMostPrice};
    static const auto fields =
        Fields<PriceConfig>()
            .add("prompt", &PriceConfig::prompt, price, {.help = "of the prompt's tokens"})
            .then([](yaml::MapReader&, PriceConfig& p) { p.cached = p.prompt; })
            .add("cached", &PriceConfig::cached, price,
                 {.help = "of those that the backend had cached", .default_words = "like `prompt`"})
            .add("completion", &PriceConfig::completion, price, {.help = "of the answer's tokens"});
    return fields;
}

const Fields<FairnessConfig>& fairness_fields() {
    static const auto fields =
        Fields<FairnessConfig>()
            .add("tokens_per_minute", &FairnessConfig::tokens_per_minute,
                 codec::Whole{1, kMostPerMinute, true},
                 {.help = "of all backends together", .default_words = "not watched"})
            .add("concurrency", &FairnessConfig::concurrency, codec::Whole{1, 1'000'000'000, true},
                 {.help = "requests at the same time", .default_words = "not watched"});
    return fields;
}

const Fields<GatewayConfig>& ledger_fields() {
    // A restart goes on with what a month's limits and budgets have used: those rows are needed.
    constexpr Duration least = std::chrono::hours(24 * 32);
    constexpr Duration most = std::chrono::hours(24 * 3660);
    static const auto fields =
        Fields<GatewayConfig>()
            .add("path", &GatewayConfig::ledger, codec::Path{},
                 {.help = "SQLite file with a row for each answered request, see "
                          "[quotas.md](quotas.md#the-ledger)",
                  .default_words = "no ledger",
                  .needed = "needs a path, the file to keep it in",
                  .apply = Apply::restart})
            .add("keep", &GatewayConfig::ledger_keep, codec::Time{least, most},
                 {.help = "drop rows that are older, as `400d`; a month's limits need 32 days",
                  .default_words = "all are kept",
                  .apply = Apply::restart})
            .shown_if([](const GatewayConfig& config) { return config.ledger_keep != Duration::zero(); });
    return fields;
}

const Fields<RedisConfig>& redis_fields() {
    static const auto fields =
        Fields<RedisConfig>()
            .row(redis_url_info(), read_redis_url, show_redis_url)
            .add("password", &RedisConfig::password, codec::SecretText{}, {.help = "see [Secrets](#secrets)"})
            .add("sentinels", &RedisConfig::sentinels,
                 codec::TextList{"expected a list of addresses",
                                 "expected an address and a port, such as 10.0.0.1:26379",
                                 [](const std::string& text) { return parse_listen(text).has_value(); }},
                 {.help = "Redis Sentinel: where to ask for the primary, as `host:26379`",
                  .default_words = "none"})
            .add("sentinel_password", &RedisConfig::sentinel_password, codec::SecretText{},
                 {.help = "of the sentinels; TLS is as for the server"})
            .add("prefix", &RedisConfig::prefix, codec::Name{},
                 {.help = "begins the name of each key; gateways with the same one share their limits"})
            .add("verify", &RedisConfig::verify, codec::Flag{}, {.help = "check the server's certificate"})
            .add("ca_file", &RedisConfig::ca_file, codec::ReadableFile{},
                 {.help = "PEM file with the authorities to trust", .default_words = "the system's"})
            .add(
                "replicas", &RedisConfig::replicas, codec::Whole{1, 1000},
                {.help =
                     "how many replicas to assume until the server reports their number: each takes its part "
                     "of the limits"})
            .add("interval", &RedisConfig::interval,
                 codec::Time{std::chrono::milliseconds(5), std::chrono::seconds(1)},
                 {.help = "between two rounds of reports"})
            .add("timeout", &RedisConfig::timeout,
                 codec::Time{std::chrono::milliseconds(10), std::chrono::seconds(10)},
                 {.help = "of a round; then the replica goes on alone"})
            .then([](yaml::MapReader& reader, RedisConfig& redis) { check_redis(reader, redis); });
    return fields;
}

}  // namespace spillway::config
